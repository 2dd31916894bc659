/**
 * A vault as the subject of crashes and faults: how it is made and opened, and all that it says of itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { CofferError } from "../../lib/errors.ts";
import type { ErrorCode } from "../../lib/error_table.ts";
import { inspectAnchor } from "../../lib/sealed/anchor.ts";
import { newKeyFile } from "../../lib/sealed/keyfile.ts";
import { checkStructure } from "../../lib/storage/check.ts";
import { DenoDisk } from "../../lib/storage/disk_deno.ts";
import { withLock } from "../../lib/storage/locking.ts";
import { type OpenOptions, Vault } from "../../lib/vault.ts";
import { filled } from "../storage/helpers.ts";
import type { Operation, Session } from "./crash_points.ts";
import { ROOT } from "./files.ts";

/** The vault of every operation. */
export const PATH = `${ROOT}/disk/app.coffer`;
/** Cheap to open with: no key is derived from it slowly. */
const KEY_FILE = newKeyFile();
/** A lock that could not be given up stays until its file is closed: whoever waits for it gives up soon, in milliseconds. */
export const PATIENCE = 300;
export const CREDENTIAL: OpenOptions = { keyFile: KEY_FILE, timeout: PATIENCE };
/** What the log says of a crash, and not of what was done. */
const OF_CRASHES = ["anchor.move", "anchor.trust", "unlock.failed"];

/** What a vault holds, all of it. */
interface Dump {
  readonly secrets: Record<string, readonly string[]>;
  readonly log: readonly string[];
  readonly [part: string]: unknown;
}

/** How a vault is done something to. */
export interface Steps {
  readonly name: string;
  /** On the open vault, before. */
  readonly prepare?: (vault: Vault) => Promise<unknown>;
  /** On the disk, when the vault is closed. */
  readonly then?: () => Promise<unknown>;
  /** Each is acknowledged by itself. */
  readonly steps?: readonly ((vault: Vault) => Promise<unknown>)[];
  /** What is done instead of steps on the open vault. */
  readonly run?: Operation["run"];
  /** Ways to open what is there, tried one after another; of several the later ones only while something is in flight. */
  readonly open?: readonly OpenOptions[];
  /** What opens it no more once all was acknowledged. */
  readonly closedTo?: OpenOptions;
  /** The errors that may answer while something is in flight, where the vault need not open then. */
  readonly answers?: readonly ErrorCode[];
  /** Whether it leaves the anchor to the next change, as mending does, which no anchor may hinder. */
  readonly leavesAnchor?: boolean;
  readonly path?: string;
}

/** What every vault begins with. */
export async function base(vault: Vault): Promise<void> {
  await vault.transaction(async (tx) => {
    tx.secrets.set("db/url", "postgres://localhost/app", { tags: ["prod"] });
    tx.secrets.set("db/password", filled(500, 1));
    tx.users.create({ tenant: "acme", name: "ci", role: "write" });
    await tx.apiKeys.create({ owner: "acme/ci", name: "deploy", role: "write" });
  });
  await vault.secrets.set("db/password", "hunter2");
}

/** An operation for crashes and faults, from what is done. */
export function operation(given: Steps): Operation {
  const { name, prepare = base, steps = [], open = [CREDENTIAL], answers = [], path = PATH } = given;
  const run = given.run ?? (async (acknowledged) => {
    await using vault = await Vault.open(PATH, CREDENTIAL);
    for (const step of steps) {
      await step(vault);
      await acknowledged();
    }
  });
  const isAnswer = (state: string) => answers.includes(state as ErrorCode);
  const session = async (): Promise<Session> => {
    const vault = await Vault.open(PATH, CREDENTIAL);
    return {
      steps: steps.map((step) => async () => void await step(vault)),
      look: () => dump(vault),
      goOn: async () => void await vault.secrets.set(ADDED, "1"),
      close: () => vault.close(),
    };
  };
  return {
    name,
    run,
    answers,
    ...(given.run === undefined ? { session } : {}),
    prepare: async () => {
      await using vault = await Vault.create(PATH, CREDENTIAL as { keyFile: Uint8Array });
      await prepare(vault);
      await vault.close();
      await given.then?.();
    },
    observe: async (settled) => {
      if (settled && given.closedTo !== undefined) await assertClosed(path, given.closedTo);
      return await observe(path, settled ? open.slice(-1) : open, settled ? [] : answers);
    },
    acknowledged: () => given.leavesAnchor ? Promise.resolve() : assertLevel(path, open.slice(-1)),
    goOn: (found) => isAnswer(found) ? run(() => Promise.resolve()) : goOn(path, open),
    gone: (found, done) => isAnswer(found) ? done : gone(found),
  };
}

async function observe(path: string, open: readonly OpenOptions[], answers: readonly ErrorCode[]): Promise<string> {
  try {
    const disk = DenoDisk.open(path);
    try {
      assert.deepEqual((await withLock(disk, "shared", {}, () => checkStructure(disk))).problems, []);
    } finally {
      disk.close();
    }
    await using vault = await openAny(path, open);
    return await dump(vault);
  } catch (error) {
    assert.ok(error instanceof CofferError, `no error of coffer's: ${error}`);
    if (answers.includes(error.code)) return error.code;
    throw error;
  }
}

async function assertClosed(path: string, options: OpenOptions): Promise<void> {
  await assert.rejects(Vault.open(path, options), (error) => {
    return error instanceof CofferError && error.code === "wrong-credential";
  });
}

async function openAny(path: string, open: readonly OpenOptions[]): Promise<Vault> {
  for (const options of open.slice(0, -1)) {
    try {
      return await Vault.open(path, options);
    } catch (error) {
      assert.ok(error instanceof CofferError, `no error of coffer's: ${error}`);
    }
  }
  return await Vault.open(path, open.at(-1)!);
}

/** Everything that a vault says of itself, authenticated; fails when anything is damaged. */
async function dump(vault: Vault): Promise<string> {
  const { problems, notes } = await vault.check({ deep: true });
  assert.deepEqual([problems, notes], [[], []]);
  const secrets: Record<string, string[]> = {};
  for (const { name, tags, note, type, expiresAt } of await vault.secrets.list()) {
    const values: string[] = [`${tags} ${note} ${type} ${expiresAt?.toISOString()}`];
    for (const { version } of await vault.secrets.history(name)) {
      values.push(`${version} ${short(await vault.secrets.get(name, { version }))}`);
    }
    secrets[name] = values;
  }
  const log: string[] = [];
  for await (const { operation, name, to, count } of vault.audit.entries()) {
    if (OF_CRASHES.includes(operation)) continue;
    // The id of a key is drawn anew in each run.
    const what = operation.startsWith("apikey.") ? undefined : name;
    log.push([operation, what, to, count].filter((one) => one !== undefined).join());
  }
  const dumped: Dump = {
    secrets,
    users: (await vault.users.list()).map(({ user, role, enabled }) => `${user} ${role} ${enabled}`),
    keys: (await vault.apiKeys.list()).map(({ owner, name, role }) => `${owner} ${name} ${role}`),
    policies: await vault.policies.list(),
    slots: (await vault.slots.list()).map(({ id, kind, label }) => `${id} ${kind} ${label}`),
    epoch: (await vault.status()).epoch,
    log,
  };
  return JSON.stringify(dumped);
}

function short(value: Uint8Array): string {
  return `${value.length} bytes, ${crc32(value)}`;
}

const ADDED = "after the crash";

async function goOn(path: string, open: readonly OpenOptions[]): Promise<void> {
  {
    await using vault = await openAny(path, open);
    await vault.secrets.set(ADDED, "1");
  }
  await assertLevel(path, open);
}

/** Fails unless the anchor names the newest generation: nothing that was acknowledged can be taken away unseen. */
async function assertLevel(path: string, open: readonly OpenOptions[]): Promise<void> {
  // Read before the vault is opened, which might make up for what is missing.
  const anchors = [open.at(-1)!, ...open].map(({ anchor = `${path}.anchor` }) => anchor as string);
  const records = anchors.flatMap((anchor) => {
    try {
      return inspectAnchor(Deno.readFileSync(anchor), anchor);
    } catch {
      return [];
    }
  });
  await using vault = await openAny(path, open);
  const { generation, anchored } = await vault.status();
  if (anchored) {
    assert.equal(Math.max(...records.map((record) => record.generation)), generation, "the anchor is level");
  }
}

function gone(state: string): string {
  const before: Dump = JSON.parse(state);
  const secrets = {
    ...before.secrets,
    [ADDED]: [` undefined undefined undefined`, `1 ${short(new TextEncoder().encode("1"))}`],
  };
  const sorted = Object.fromEntries(
    Object.keys(secrets).sort().map((name) => [name, secrets[name as keyof typeof secrets]]),
  );
  return JSON.stringify({ ...before, secrets: sorted, log: [...before.log, `secret.set,${ADDED}`] });
}
