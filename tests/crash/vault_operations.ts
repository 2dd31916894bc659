/**
 * What may be done to a vault, as operations for crashes and faults.
 *
 * @module
 */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { repairVault } from "../../lib/backup/repair.ts";
import { salvageVault } from "../../lib/backup/salvage.ts";
import { CofferError } from "../../lib/errors.ts";
import type { ErrorCode } from "../../lib/error_table.ts";
import { inspectAnchor } from "../../lib/sealed/anchor.ts";
import { newKeyFile } from "../../lib/sealed/keyfile.ts";
import { checkStructure } from "../../lib/storage/check.ts";
import { DenoDisk } from "../../lib/storage/disk_deno.ts";
import { withLock } from "../../lib/storage/locking.ts";
import { PAGE_SIZE } from "../../lib/storage/page.ts";
import { type OpenOptions, Vault } from "../../lib/vault.ts";
import { forgeNewest, metaPages } from "../backup/damage.ts";
import { CHEAP_KDF } from "../helpers.ts";
import { filled } from "../storage/helpers.ts";
import type { Operation, Session } from "./crash_points.ts";
import { ROOT } from "./files.ts";

/** The vault of every operation. */
export const PATH = `${ROOT}/disk/app.coffer`;
/** Where an anchor is moved to. */
const OTHER_ANCHOR = `${ROOT}/other/app.anchor`;
/** Where a salvaged vault goes. */
const SALVAGED = `${ROOT}/disk/salvaged.coffer`;
/** Where a backup goes that is restored beside the vault. */
const RESTORED = `${ROOT}/disk/restored.coffer`;
/** Cheap to open with: no key is derived from it slowly. */
const KEY_FILE = newKeyFile();
/** A lock that could not be given up stays until its file is closed: whoever waits for it gives up soon, in milliseconds. */
const PATIENCE = 300;
const CREDENTIAL: OpenOptions = { keyFile: KEY_FILE, timeout: PATIENCE };
/** What a secret may be told beside its note. */
const MORE = { type: "url", expiresAt: new Date("2040-01-01") };
/** What the log says of a crash, and not of what was done. */
const OF_CRASHES = ["anchor.move", "anchor.trust", "unlock.failed"];

/** What a vault holds, all of it. */
interface Dump {
  readonly secrets: Record<string, readonly string[]>;
  readonly log: readonly string[];
  readonly [part: string]: unknown;
}

/** How a vault is done something to. */
interface Steps {
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

async function base(vault: Vault): Promise<void> {
  await vault.transaction(async (tx) => {
    tx.secrets.set("db/url", "postgres://localhost/app", { tags: ["prod"] });
    tx.secrets.set("db/password", filled(500, 1));
    tx.users.create({ tenant: "acme", name: "ci", role: "write" });
    await tx.apiKeys.create({ owner: "acme/ci", name: "deploy", role: "write" });
  });
  await vault.secrets.set("db/password", "hunter2");
}

function operation(given: Steps): Operation {
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
export async function dump(vault: Vault): Promise<string> {
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

/** Deltas that the next commit of some bytes outweighs the snapshot with. */
async function outweigh(vault: Vault): Promise<void> {
  await base(vault);
  for (let i = 0; i < 3; i++) await vault.secrets.set(`large/${i}`, filled(7_000, i));
}

const OLD_PASSPHRASE = { passphrase: "correct horse battery", attempts: false };
const NEW_PASSPHRASE = { passphrase: "new horse battery", attempts: false };

/** A passphrase slot, by which whoever knows it may open the vault too. */
async function withPassphrase(vault: Vault): Promise<void> {
  await base(vault);
  await vault.slots.add({ kind: "passphrase", passphrase: OLD_PASSPHRASE.passphrase, ...CHEAP_KDF });
}

/** A backup beside the vault, and then changes that it lacks. */
function backedUp(rotated = false): Pick<Steps, "prepare" | "then"> {
  return {
    prepare: async (vault) => {
      await base(vault);
      writeFile(BACKUP, (await vault.backup()).bytes);
      if (rotated) await vault.rotate({ credentials: [CREDENTIAL] });
      await vault.secrets.set("after the backup", "1");
    },
  };
}

const BACKUP = `${ROOT}/disk/app.backup`;

async function restore(path: string, rollback: boolean): Promise<void> {
  await using backup = await Vault.open(BACKUP, { ...CREDENTIAL, attempts: false });
  await backup.restoreTo(path, { rollback, timeout: PATIENCE });
}

/** Writes a file as an editor does, and makes it durable. */
function writeFile(path: string, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  file.seekSync(0, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  file.syncSync();
}

/** A commit that was torn before its anchor was written: it was never acknowledged. */
async function tear(): Promise<void> {
  const anchor = Deno.readFileSync(`${PATH}.anchor`);
  {
    await using vault = await Vault.open(PATH, CREDENTIAL);
    await vault.secrets.set("torn", "1");
  }
  writeFile(`${PATH}.anchor`, anchor);
  const bytes = Deno.readFileSync(PATH);
  const [{ number }] = await metaPages(bytes);
  bytes.fill(0x55, number * PAGE_SIZE + 2_000, number * PAGE_SIZE + 2_100);
  writeFile(PATH, bytes);
}

/** Damage of the newest segment that no torn write brings about. */
async function forge(): Promise<void> {
  writeFile(PATH, await forgeNewest(Deno.readFileSync(PATH)));
}

async function repair(older: boolean): Promise<void> {
  await repairVault(PATH, { ...CREDENTIAL, older });
}

/** Runs a step in two processes at a time, as far as one machine has them. */
async function inTurn(work: (first: Vault, second: Vault) => Promise<void>): Promise<void> {
  await using first = await Vault.open(PATH, CREDENTIAL);
  await using second = await Vault.open(PATH, CREDENTIAL);
  await work(first, second);
}

/** All that changes a vault. */
export const VAULT_OPERATIONS: readonly Operation[] = [
  {
    ...operation({
      name: "create",
      run: async (acknowledged) => {
        await (await Vault.create(PATH, CREDENTIAL as { keyFile: Uint8Array })).close();
        await acknowledged();
      },
      answers: ["vault-not-found"],
    }),
    prepare: () => Promise.resolve(),
  },
  operation({
    name: "set",
    steps: [(vault) => vault.secrets.set("db/url", "postgres://db/app", { note: "moved", ...MORE })],
  }),
  operation({
    name: "set, several times",
    steps: [1, 2, 3].map((value) => (vault) => vault.secrets.set("db/password", `${value}`)),
  }),
  operation({ name: "set, many pages", steps: [(vault) => vault.secrets.set("large", filled(30_000, 2))] }),
  operation({ name: "delete", steps: [(vault) => vault.secrets.delete("db/password")] }),
  operation({ name: "rename", steps: [(vault) => vault.secrets.rename("db/password", "db/secret")] }),
  operation({
    name: "transaction of many",
    steps: [(vault) =>
      vault.transaction((tx) => {
        for (let i = 0; i < 60; i++) tx.secrets.set(`many/${i}`, filled(20 * i, i));
        tx.secrets.delete("db/url");
      })],
  }),
  operation({
    name: "transactions of two handles in turn",
    run: (acknowledged) =>
      inTurn(async (first, second) => {
        for (const [index, vault] of [first, second, first].entries()) {
          await vault.secrets.set(`turn/${index}`, filled(100 + 4_000 * index, index));
          await acknowledged();
        }
      }),
  }),
  operation({
    name: "compaction",
    prepare: outweigh,
    steps: [(vault) => vault.secrets.set("large/3", filled(12_000, 9))],
  }),
  operation({
    name: "merging of deltas",
    prepare: async (vault) => {
      await base(vault);
      for (let i = 0; i < 5; i++) await vault.secrets.set(`small/${i}`, "1");
    },
    steps: [5, 6].map((i) => (vault) => vault.secrets.set(`small/${i}`, "1")),
  }),
  operation({
    name: "slot add",
    steps: [
      (vault) => vault.slots.add({ kind: "recovery", label: "paper" }),
      (vault) => vault.slots.add({ kind: "certificate" }),
    ],
  }),
  operation({
    name: "slot remove",
    prepare: withPassphrase,
    steps: [(vault) => vault.slots.remove(2)],
    closedTo: OLD_PASSPHRASE,
  }),
  operation({
    name: "passphrase change",
    prepare: withPassphrase,
    steps: [(vault) => vault.changePassphrase(NEW_PASSPHRASE.passphrase, { slot: 2, ...CHEAP_KDF })],
    open: [OLD_PASSPHRASE, NEW_PASSPHRASE],
    closedTo: OLD_PASSPHRASE,
  }),
  operation({
    name: "rotate",
    steps: [(vault) => vault.rotate({ credentials: [CREDENTIAL] }), (vault) => vault.secrets.set("db/url", "1")],
  }),
  operation({
    name: "rotate, twice, with a recovery code",
    prepare: async (vault) => {
      await base(vault);
      await vault.slots.add({ kind: "recovery" });
    },
    steps: [1, 2].map(() => (vault) => vault.rotate({ credentials: [CREDENTIAL], onRecoveryCode: () => {} })),
  }),
  operation({
    name: "restore to a new path",
    ...backedUp(),
    path: RESTORED,
    run: restoring(RESTORED, false),
    answers: ["vault-not-found"],
  }),
  operation({ name: "restore over the vault", ...backedUp(), run: restoring(PATH, true) }),
  operation({
    name: "restore of a backup from before a rotation",
    ...backedUp(true),
    run: restoring(PATH, true),
  }),
  operation({
    name: "repair of a torn commit",
    then: tear,
    run: repairing(false),
    leavesAnchor: true,
  }),
  operation({
    name: "repair that falls back",
    then: forge,
    run: repairing(true),
    leavesAnchor: true,
    answers: ["corrupt-vault"],
  }),
  operation({
    name: "audit prune",
    steps: [(vault) => vault.audit.prune({ before: new Date(Date.now() + 1_000) })],
  }),
  operation({
    name: "anchor move",
    steps: [(vault) => vault.moveAnchor(OTHER_ANCHOR)],
    open: [CREDENTIAL, { ...CREDENTIAL, anchor: OTHER_ANCHOR }],
  }),
  operation({
    name: "anchor trust",
    then: () => Promise.resolve(Deno.removeSync(`${PATH}.anchor`)),
    run: async (acknowledged) => {
      await (await Vault.open(PATH, { ...CREDENTIAL, trustAnchor: true })).close();
      await acknowledged();
    },
    answers: ["anchor-missing"],
  }),
  operation({
    name: "policy set",
    steps: [(vault) => vault.policies.set("max-secret-age", 90)],
  }),
  operation({
    name: "user create, change and delete",
    steps: [
      (vault) => vault.users.create({ tenant: "acme", name: "bob", role: "read" }),
      (vault) => vault.users.setRole("acme/bob", "admin"),
      (vault) => vault.users.disable("acme/bob"),
      (vault) => vault.users.delete("acme/ci"),
    ],
  }),
  operation({
    name: "API key create and revoke",
    steps: [
      (vault) => vault.apiKeys.create({ owner: "acme/ci", name: "second", role: "read" }),
      async (vault) => vault.apiKeys.revoke((await vault.apiKeys.list())[0]!.id),
    ],
  }),
  operation({
    name: "bootstrap of users",
    steps: [(vault) => vault.auth.bootstrap({ name: "root", onCertificate: () => {} })],
  }),
  operation({
    name: "unlock that fails, and the change after it",
    run: async (acknowledged) => {
      for (let i = 0; i < 2; i++) await failToOpen();
      await using vault = await Vault.open(PATH, CREDENTIAL);
      await vault.secrets.set("db/url", "1");
      await acknowledged();
    },
  }),
  operation({
    name: "salvage",
    path: SALVAGED,
    run: async (acknowledged) => {
      await salvageVault(PATH, SALVAGED, { ...CREDENTIAL });
      await acknowledged();
    },
    answers: ["vault-not-found"],
  }),
];

async function failToOpen(): Promise<void> {
  try {
    await using _ = await Vault.open(PATH, { keyFile: newKeyFile() });
    assert.fail("it opened");
  } catch (error) {
    if (!(error instanceof CofferError && error.code === "wrong-credential")) throw error;
  }
}

function restoring(path: string, rollback: boolean): Operation["run"] {
  return async (acknowledged) => {
    await restore(path, rollback);
    await acknowledged();
  };
}

function repairing(older: boolean): Operation["run"] {
  return async (acknowledged) => {
    await repair(older);
    await acknowledged();
  };
}
