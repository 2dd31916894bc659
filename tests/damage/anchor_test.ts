/**
 * Damage to an anchor, and to the record of failed tries: what guards a vault is no way to break it, nor to get in.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Attempts, type AttemptsStore } from "../../lib/attempts.ts";
import type { Bytes } from "../../lib/bytes.ts";
import { CofferError, WrongCredentialError } from "../../lib/errors.ts";
import { ANCHOR_SIZE } from "../../lib/sealed/anchor.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { Vault } from "../../lib/vault.ts";
import { flipped, patterned, printedSeed, randomFrom } from "../helpers.ts";
import { MemoryAnchor } from "../memory_anchor.ts";
import { CREDENTIAL, DEEP, history, outcomeOf, reportTally, stateOf } from "./damaged.ts";

const SEED = printedSeed("damage of anchors");
const MINE = await history("mine", true);
const OTHER = await history("other", true);
const RECORD_SIZE = 104;
const RECORD_AT = [0, 512] as const;

reportTally("anchors");

/** What may be said of a damaged anchor. One whose record says that there is a later key is taken at its word. */
const VERDICTS = ["opens", "rollback-detected", "unsupported-version"];

function* bits(): Generator<[number, number]> {
  const random = randomFrom(SEED);
  for (let at = 0; at < ANCHOR_SIZE; at++) {
    const isRecord = RECORD_AT.some((start) => at >= start && at < start + RECORD_SIZE);
    if (DEEP) { for (let mask = 1; mask < 256; mask <<= 1) yield [at, mask]; }
    else if (isRecord || random() < 0.02) yield [at, 1 << Math.floor(random() * 8)];
  }
}

Deno.test("Vault.open() with any bit of its anchor turned over opens as it was, or says what is wrong", async () => {
  const { file, anchor, state } = MINE.at(-1)!;
  const codes = new Set<string>();
  for (const [at, mask] of bits()) {
    const outcome = await outcomeOf(file, flipped(anchor, at, mask), `byte ${at}`);
    assert.ok(VERDICTS.includes(outcome.code), `byte ${at}: ${outcome.code}`);
    if (outcome.code === "opens") assert.equal(outcome.state, state, `byte ${at}`);
    codes.add(outcome.code);
  }
  assert.deepEqual([...codes].sort(), [...VERDICTS].sort());
});

Deno.test("Vault.open() with any bit of its anchor turned over takes no vault that is two commits older", async () => {
  const { anchor } = MINE.at(-1)!;
  const { file } = MINE.at(-3)!;
  for (const [at, mask] of bits()) {
    const { code } = await outcomeOf(file, flipped(anchor, at, mask), `byte ${at}`);
    assert.ok(code === "rollback-detected" || code === "unsupported-version", `byte ${at}: ${code}`);
  }
});

Deno.test("Vault.open() refuses an anchor that is cut short or too long, whatever its length", async () => {
  const { file, anchor } = MINE.at(-1)!;
  for (let length = 0; length < 2 * ANCHOR_SIZE; length++) {
    const near = [0, RECORD_SIZE, 512, 512 + RECORD_SIZE, ANCHOR_SIZE].some((at) => Math.abs(at - length) < 3);
    if (length === ANCHOR_SIZE || (!DEEP && !near)) continue;
    const cut = new Uint8Array(length);
    cut.set(anchor.subarray(0, length));
    assert.equal((await outcomeOf(file, cut, `length ${length}`)).code, "anchor-damaged", `length ${length}`);
  }
});

Deno.test("Vault.open() tells an anchor of another vault, an older one and one that is wiped", async () => {
  const { file, anchor, state } = MINE.at(-1)!;
  assert.equal((await outcomeOf(file, OTHER.at(-1)!.anchor, "foreign")).code, "anchor-foreign");
  assert.equal((await outcomeOf(file, new Uint8Array(ANCHOR_SIZE), "wiped")).code, "anchor-damaged");
  const older = MINE.at(-4)!;
  // An anchor that is behind is what a crash leaves: the vault opens, and the next change moves the anchor up.
  const behind = await outcomeOf(file, older.anchor, "behind");
  assert.ok(behind.code === "opens" && behind.state === state);
  assert.equal((await outcomeOf(older.file, anchor, "rolled back")).code, "rollback-detected");
  const swapped = new Uint8Array(ANCHOR_SIZE);
  swapped.set(anchor.subarray(512), 0);
  swapped.set(anchor.subarray(0, 512), 512);
  const outcome = await outcomeOf(file, swapped, "swapped");
  assert.ok(outcome.code === "opens" && outcome.state === state);
});

Deno.test("Vault with a damaged anchor that opens takes a commit, and its anchor is sound afterwards", async () => {
  const { file, anchor, generation } = MINE.at(-1)!;
  for (const at of [...RECORD_AT, ...RECORD_AT.map((start) => start + RECORD_SIZE - 1), 300]) {
    const store = new MemoryAnchor(flipped(anchor, at));
    const disk = new MemoryFile(file);
    for (let commit = 1; commit <= 2; commit++) {
      await using vault = await Vault.open(new FileMedium(new MemoryDisk(disk)), { ...CREDENTIAL, anchor: store });
      await vault.secrets.set("after", `${commit}`);
      assert.ok(store.generation >= generation + commit, `byte ${at}: the anchor is level`);
      assert.ok((await stateOf(vault)).includes('"after"'));
    }
    await assert.rejects(
      Vault.open(new FileMedium(new MemoryDisk(new MemoryFile(file))), { ...CREDENTIAL, anchor: store }),
      { code: "rollback-detected" },
    );
  }
});

/** The record of failed tries, in memory. */
class MemoryAttempts implements AttemptsStore {
  readonly path = "memory.attempts";

  constructor(public bytes: Bytes | undefined) {}

  read(): Promise<Bytes | undefined> {
    return Promise.resolve(this.bytes);
  }

  async update(change: (bytes: Bytes | undefined) => Promise<Bytes | undefined>): Promise<void> {
    this.bytes = await change(this.bytes) ?? this.bytes;
  }
}

const VAULT_ID = patterned(16);

/** The bytes after so many failures, by a clock that stands. */
async function afterFailures(count: number, now: number): Promise<Bytes> {
  const store = new MemoryAttempts(undefined);
  const attempts = new Attempts(store, VAULT_ID, () => now);
  for (let i = 0; i < count; i++) await attempts.failed(new WrongCredentialError());
  return store.bytes!;
}

/** What a try at a time comes to: the wait in seconds, 0 for none, or the code of another error. */
async function tryAt(store: MemoryAttempts, now: number): Promise<number | string> {
  try {
    await new Attempts(store, VAULT_ID, () => now).assertMayTry();
    return 0;
  } catch (error) {
    assert.ok(error instanceof CofferError, String(error));
    return error.code === "too-many-attempts" ? (error as unknown as { retryAfter: number }).retryAfter : error.code;
  }
}

Deno.test("Attempts that are damaged anywhere, or cut to any length, never let a guess through that had to wait, nor lock out for good", async () => {
  const now = 1_700_000_000_000;
  for (const failures of [1, 7]) {
    const sound = await afterFailures(failures, now);
    const damaged: (readonly [string, Bytes])[] = [];
    for (let at = 0; at < sound.length; at++) {
      for (let mask = 1; mask < 256; mask <<= 1) damaged.push([`byte ${at}`, flipped(sound, at, mask)]);
    }
    for (let length = 0; length < sound.length; length++) damaged.push([`length ${length}`, sound.slice(0, length)]);
    for (const more of [1, 80, 4096]) {
      const longer = new Uint8Array(sound.length + more);
      longer.set(sound);
      damaged.push([`${more} more`, longer]);
    }
    for (const [what, bytes] of damaged) {
      const store = new MemoryAttempts(bytes);
      const first = await tryAt(store, now);
      // Damage counts as ten failures; the wait passes.
      assert.equal(first, 32_000, `${what} after ${failures}`);
      assert.equal(await tryAt(store, now + 10_000), 22_000, `${what}: the wait goes on from where it was`);
      assert.equal(await tryAt(store, now + 32_000), 0, `${what}: and ends`);
    }
  }
});
