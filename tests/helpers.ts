/**
 * Vaults for tests: cheap to open, in a folder of their own, and always checked at the end.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CofferError } from "../lib/errors.ts";
import type { ErrorCode } from "../lib/error_table.ts";
import { checkStructure } from "../lib/storage/check.ts";
import { DenoDisk } from "../lib/storage/disk_deno.ts";
import { type CreateOptions, type OpenOptions, Vault } from "../lib/vault.ts";

/** A key derivation that takes no time and protects nothing. */
export const CHEAP_KDF = { memory: 8, passes: 1, allowWeakKdf: true } as const;
/** The passphrase of vaults that tests make. */
export const PASSPHRASE = "correct horse battery staple";

/** What a test with a vault gets. */
export interface TestVault {
  /** Open, with one passphrase slot. */
  readonly vault: Vault;
  /** Its file. */
  readonly path: string;
  /** The folder of the file, removed afterwards. */
  readonly folder: string;
  /** What the final check opens the vault with; a test that changes the slots sets it anew. */
  credential: OpenOptions;
}

/**
 * Declares a test that works on a fresh vault. At its end the file is opened anew and every page and every seal of it is
 * checked, so that no test must remember to.
 */
export function withVault(
  name: string,
  run: (test: TestVault) => void | Promise<void>,
  options: Partial<CreateOptions> & Pick<Deno.TestDefinition, "ignore"> = {},
): void {
  const { ignore = false, ...create } = options;
  Deno.test({
    name,
    ignore,
    fn: () =>
      withFolder(async (folder) => {
        const path = `${folder}/app.coffer`;
        await using vault = await Vault.create(path, { passphrase: PASSPHRASE, ...CHEAP_KDF, ...create });
        const test: TestVault = { vault, path, folder, credential: { passphrase: PASSPHRASE } };
        await run(test);
        await vault.close();
        await checkWhole(path, test.credential);
      }),
  });
}

/** Hands a new folder to a function and removes it afterwards. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "coffer-test-" });
  try {
    return await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Opens a vault anew, and fails unless every page and every seal of it is sound. */
export async function checkWhole(path: string, credential: OpenOptions = { passphrase: PASSPHRASE }): Promise<void> {
  const disk = DenoDisk.open(path, {});
  try {
    const lock = await disk.lock("shared");
    const structure = await checkStructure(disk);
    lock.release();
    assert.deepEqual(structure.problems, []);
  } finally {
    disk.close();
  }
  await using vault = await Vault.open(path, credential);
  assert.deepEqual((await vault.check()).problems, []);
}

/** Fails unless the work throws an error of coffer's with the given code. Gives the error. */
export async function rejectsWith(work: () => unknown, code: ErrorCode): Promise<CofferError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof CofferError, `expected a CofferError, got ${error}`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  assert.fail(`expected an error with code "${code}", got none`);
}

/** A generator of numbers from 0 up to 1 that can be repeated from its seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed from the clock, or the one in `COFFER_SEED`; it is printed, so that a failure can be repeated. */
export function printedSeed(what: string): number {
  const given = Deno.env.get("COFFER_SEED");
  const seed = given === undefined ? Date.now() % 2 ** 31 : Number(given);
  // deno-lint-ignore no-console
  console.info(`${what}: COFFER_SEED=${seed}`);
  return seed;
}

/** Bytes that repeat with a period that is no power of two, so that a displaced piece shows. */
export function patterned(size: number, first = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, index) => (index + first) % 251);
}

/** A copy with one bit of one byte turned over. */
export function flipped(bytes: Uint8Array, at: number, mask = 1): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  copy[at]! ^= mask;
  return copy;
}

/** The pieces one after another, as an asynchronous source. */
export async function* piecesOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** Everything that a source gives. */
export async function gather<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const piece of source) all.push(piece);
  return all;
}
