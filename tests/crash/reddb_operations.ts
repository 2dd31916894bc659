/**
 * What may be done to a RedDB vault, as operations for crashes and faults.
 *
 * @module
 */
import assert from "node:assert/strict";
import { encodeHex, encodeUtf8 } from "../../lib/bytes.ts";
import { type AesKey, open, seal } from "../../lib/crypto/aes_gcm.ts";
import { CofferError } from "../../lib/errors.ts";
import { bootstrapState } from "../../lib/reddb/bootstrap.ts";
import { readSealed } from "../../lib/reddb/chain.ts";
import { checkRedDbFile } from "../../lib/reddb/check.ts";
import { readCommitted } from "../../lib/reddb/committed.ts";
import { deriveKey, requireCredential } from "../../lib/reddb/credential.ts";
import { saveSealed } from "../../lib/reddb/save.ts";
import { FileSidecar } from "../../lib/reddb/sidecar.ts";
import { VaultState } from "../../lib/reddb/state.ts";
import { RedDbVault } from "../../lib/reddb/vault.ts";
import { locked, openPlace } from "../../lib/reddb/where.ts";
import { crc32 } from "node:zlib";
import { foreignFile, foreignPagesOf, shapeOf, stateOf } from "../reddb/helpers.ts";
import type { Operation } from "./crash_points.ts";
import { ROOT } from "./files.ts";

const PATH = `${ROOT}/disk/app.rdb`;
const PAGE_SIZE = 4096;
const FOREIGN = foreignPagesOf(foreignFile(PAGE_SIZE), PAGE_SIZE);
/** What an administrator is bootstrapped with takes a moment to hash: once is enough. */
const FIRST = await bootstrapState("root", "correct horse");
const CREDENTIAL = { certificate: FIRST.pair.certificate };
/** A lock that could not be given up stays until its file is closed: whoever waits for it gives up soon. */
const PATIENCE = { timeout: 300 };
/** What the sealed payload is sealed with, by salt: deriving it takes tens of milliseconds. */
const KEYS = new Map<string, Promise<AesKey>>();

const AAD = encodeUtf8("reddb-vault");
const NO_FILE = "vault-not-found";
const NO_VAULT = "no vault yet";

/** The vault of the path, made with its file when there is none. */
async function openOrMake(): Promise<RedDbVault> {
  try {
    return await RedDbVault.openWithoutEnvironment(PATH, CREDENTIAL, PATIENCE);
  } catch (error) {
    if (!(error instanceof CofferError && error.code === NO_FILE)) throw error;
    return await RedDbVault.create(PATH, CREDENTIAL, { ...PATIENCE, environment: () => undefined });
  }
}

async function bootstrap(): Promise<void> {
  await using vault = await openOrMake();
  await vault.saveFirst(FIRST.state);
}

async function save(change: (vault: RedDbVault) => Promise<unknown>): Promise<void> {
  await using vault = await RedDbVault.openWithoutEnvironment(PATH, CREDENTIAL, PATIENCE);
  await change(vault);
}

async function observe(): Promise<string> {
  let place;
  try {
    place = openPlace(PATH, {});
  } catch (error) {
    assert.ok(error instanceof CofferError, `no error of coffer's: ${error}`);
    if (error.code === NO_FILE) return NO_FILE;
    throw error;
  }
  const { disk } = place;
  const sidecar = new FileSidecar(PATH);
  try {
    const { problems } = await checkRedDbFile(PATH, { sidecar });
    assert.deepEqual(problems.filter(({ harmless }) => !harmless), []);
    return await locked(place, "shared", {}, async (file) => {
      const { header } = await readCommitted(file, sidecar);
      if (header === null) return NO_VAULT;
      const payload = await open(await keyFor(header.salt), await readSealed(file, header), AAD);
      assert.ok(payload !== null, "the payload does not open");
      return textOf(VaultState.deserialize(payload));
    });
  } finally {
    disk.close();
  }
}

async function keyFor(salt: Uint8Array): Promise<AesKey> {
  const name = encodeHex(salt);
  if (!KEYS.has(name)) KEYS.set(name, deriveKey(requireCredential(CREDENTIAL), salt));
  return await KEYS.get(name)!;
}

function textOf(state: VaultState): string {
  const shape = shapeOf(state) as { kv: Record<string, string> };
  const kv = Object.entries(shape.kv).map(([key, value]) => `${key} ${value.length} ${crc32(value)}`);
  return JSON.stringify({ ...shape, kv });
}

const ADDED = "after the crash";

/** Adds a value, as {@linkcode RedDbVault.update} does, but without deriving the key again. */
async function add(): Promise<void> {
  const place = openPlace(PATH, {});
  try {
    await locked(place, "exclusive", {}, async (file) => {
      const committed = await readCommitted(file, place.sidecar);
      const { salt } = committed.header!;
      const key = await keyFor(salt);
      const state = VaultState.deserialize((await open(key, await readSealed(file, committed.header!), AAD))!);
      state.kv.set(ADDED, "1");
      await saveSealed(file, place.sidecar, committed, salt, await seal(key, state.serialize(), AAD));
    });
  } finally {
    place.disk.close();
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch {
    return false;
  }
}

function operation(name: string, given: Pick<Operation, "prepare" | "run" | "session">): Operation {
  const answers = [NO_FILE, NO_VAULT];
  return {
    name: `RedDB ${name}`,
    ...given,
    answers,
    slow: true,
    observe,
    goOn: async (found) => {
      if (answers.includes(found)) await given.run(() => Promise.resolve());
      else await add();
      assert.ok(!isThere(`${PATH}-vault-header`), "the note is left");
    },
    gone: (found, done) => {
      if (answers.includes(found)) return done;
      const state = JSON.parse(found);
      return JSON.stringify({ ...state, kv: [...state.kv, `${ADDED} 1 ${crc32("1")}`] });
    },
  };
}

/** Saves states of several sizes, one after another. */
function saving(sizes: readonly number[]): Pick<Operation, "run" | "session"> {
  const steps = (vault: RedDbVault) => sizes.map((size, index) => () => vault.save(stateOf(size, index + 1)));
  return {
    run: (acknowledged) =>
      save(async (vault) => {
        for (const step of steps(vault)) {
          await step();
          await acknowledged();
        }
      }),
    session: async () => {
      const vault = await RedDbVault.openWithoutEnvironment(PATH, CREDENTIAL, PATIENCE);
      return {
        steps: steps(vault),
        look: async () => textOf((await vault.load())!),
        goOn: () => vault.update((state) => void state.kv.set(ADDED, "1")),
        close: () => vault.close(),
      };
    },
  };
}

/** A file that holds pages of RedDB's own, which stay as they are, and a vault beside them. */
async function amongOthers(): Promise<void> {
  {
    using file = Deno.openSync(PATH, { write: true, createNew: true, mode: 0o600 });
    file.writeSync(foreignFile(PAGE_SIZE));
  }
  await bootstrap();
}

export const REDDB_OPERATIONS: readonly Operation[] = [
  operation("bootstrap", {
    prepare: () => Promise.resolve(),
    run: async (acknowledged) => {
      await bootstrap();
      await acknowledged();
    },
  }),
  operation("save", { prepare: bootstrap, ...saving([100, 30_000, 4_031, 60_000]) }),
  operation("shrink", {
    prepare: async () => {
      await bootstrap();
      await save((vault) => vault.save(stateOf(90_000)));
    },
    ...saving([28, 12_000, 0]),
  }),
  {
    ...operation("save among foreign pages", { prepare: amongOthers, ...saving([25_000, 100, 8_087]) }),
    observe: async () => {
      const state = await observe();
      assert.deepEqual(foreignPagesOf(Deno.readFileSync(PATH), PAGE_SIZE), FOREIGN, "a foreign page was changed");
      return state;
    },
  },
];
