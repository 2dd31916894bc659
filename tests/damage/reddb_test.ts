/**
 * Damage to a RedDB file: every bit, every length, pages in the place of others.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CofferError } from "../../lib/errors.ts";
import { checkRedDbFile } from "../../lib/reddb/check.ts";
import { PAGE_HEADER_SIZE, VAULT_PAGE } from "../../lib/reddb/page.ts";
import { MemoryDisk } from "../../lib/storage/disk_memory.ts";
import { withBoundedArrays } from "../fuzz/allocations.ts";
import { flipped, printedSeed, randomFrom } from "../helpers.ts";
import { blankPlace, openMemory, shapeOf, stateOf } from "../reddb/helpers.ts";
import { DEEP, pageAt, reportTally, tally, withPage } from "./damaged.ts";

const SEED = printedSeed("damage of RedDB files");
const PAGE = 4096;
/** Where the salt is: another one asks for another key, which takes tens of milliseconds to derive. */
const SALT = { from: VAULT_PAGE * PAGE + PAGE_HEADER_SIZE + 5, to: VAULT_PAGE * PAGE + PAGE_HEADER_SIZE + 21 } as const;
/** Where the letters stand that make page 2 a header. */
const MAGIC = { from: VAULT_PAGE * PAGE + PAGE_HEADER_SIZE, to: VAULT_PAGE * PAGE + PAGE_HEADER_SIZE + 4 } as const;
const CODES = ["reddb-corrupt", "reddb-decryption", "reddb-page-file", "reddb-legacy", "reddb-unsupported"];

reportTally("RedDB files");

const PLACE = blankPlace();
/** One handle for all files: it keeps the key, which is for the salt that nearly all of them have. */
const VAULT = await openMemory(PLACE);
// The list of free pages has trunks, and a chain goes over them.
for (const size of [12_000, 100, 9_000]) await VAULT.save(stateOf(size, size));
const SOUND = PLACE.file.bytes.slice();
const STATE = JSON.stringify(shapeOf((await VAULT.load())!));
await VAULT.save(stateOf(9_000, 3));
const NEWER = PLACE.file.bytes.slice();
const NEWER_STATE = JSON.stringify(shapeOf((await VAULT.load())!));

/** What loading a file gives: its state, `none` where there is no vault, or a code. Checking it never fails. */
async function load(bytes: Uint8Array, what: string): Promise<string> {
  PLACE.file.bytes = new Uint8Array(bytes);
  const start = performance.now();
  try {
    return await withBoundedArrays(bytes.length, async () => {
      const { problems } = await checkRedDbFile(new MemoryDisk(PLACE.file), { sidecar: PLACE.sidecar });
      const harmful = problems.some(({ harmless }) => !harmless);
      try {
        const state = await VAULT.load();
        return state === null ? "none" : JSON.stringify(shapeOf(state));
      } catch (error) {
        // All but what only the key can tell is told by the check too.
        const told = harmful || (error as CofferError).code === "reddb-decryption";
        assert.ok(told, `${what}: a check finds nothing of ${error}`);
        throw error;
      }
    });
  } catch (error) {
    assert.ok(error instanceof CofferError && CODES.includes(error.code), `${what}: ${error}`);
    return error.code;
  } finally {
    assert.deepEqual(PLACE.file.bytes, new Uint8Array(bytes), `${what}: loading changes nothing`);
    tally.files++;
    tally.slowest = Math.max(tally.slowest, performance.now() - start);
  }
}

Deno.test("RedDbVault.load() with any bit turned over gives the state that was saved, or a code", async () => {
  const random = randomFrom(SEED);
  const seen = new Set<string>();
  for (let at = 0; at < SOUND.length; at++) {
    const isSalt = at >= SALT.from && at < SALT.to;
    const isHeader = at % PAGE < (Math.floor(at / PAGE) === VAULT_PAGE ? 80 : 44);
    if (!DEEP && (isSalt ? at > SALT.from : !isHeader && random() > 0.01)) continue;
    const all = DEEP && isHeader && !isSalt;
    for (const mask of all ? [1, 2, 4, 8, 16, 32, 64, 128] : [1 << Math.floor(random() * 8)]) {
      const what = `byte ${at}`;
      const result = await load(flipped(SOUND, at, mask), what);
      if (result === STATE) tally.opened++;
      else if (at >= MAGIC.from && at < MAGIC.to) assert.equal(result, "reddb-corrupt", what);
      else assert.ok(CODES.includes(result), `${what}: ${result.slice(0, 100)}`);
      seen.add(result === STATE ? "opens" : result);
    }
  }
  for (const one of ["opens", "reddb-corrupt", "reddb-decryption", "reddb-page-file"]) {
    assert.ok(seen.has(one), one);
  }
});

Deno.test("RedDbVault.save() puts nothing in the place of a vault whose letters are damaged", async () => {
  for (let at = MAGIC.from; at < MAGIC.to; at++) {
    const damaged = flipped(SOUND, at);
    PLACE.file.bytes = damaged.slice();
    await assert.rejects(VAULT.save(stateOf(10)), { code: "reddb-corrupt" });
    assert.deepEqual(PLACE.file.bytes, damaged);
  }
});

Deno.test("RedDbVault.load() of a file that is cut short gives a code, or nothing where no vault is left", async () => {
  for (let length = 0; length < SOUND.length; length++) {
    const near = Math.abs((length + 2) % PAGE - 2) <= 2 || Math.abs(length % PAGE - PAGE_HEADER_SIZE) <= 2;
    if (!DEEP && !near) continue;
    const result = await load(SOUND.subarray(0, length), `length ${length}`);
    if (length <= MAGIC.to) assert.ok(result === "none" || CODES.includes(result), `length ${length}`);
    // Pages behind the chain may go without harm.
    else assert.ok(result === STATE || CODES.includes(result), `length ${length}: ${result.slice(0, 100)}`);
  }
});

Deno.test("RedDbVault.load() gives no mixture when pages are swapped, wiped, or of a later save", async () => {
  const count = Math.min(SOUND.length, NEWER.length) / PAGE;
  const judge = (result: string, what: string) =>
    assert.ok([STATE, NEWER_STATE, "none", ...CODES].includes(result), `${what}: ${result.slice(0, 100)}`);
  for (let one = 0; one < count; one++) {
    judge(await load(withPage(SOUND, one, new Uint8Array(PAGE)), `${one} wiped`), `${one} wiped`);
    judge(await load(withPage(SOUND, one, pageAt(NEWER, one)), `${one} of later`), `${one} of later`);
    judge(await load(withPage(NEWER, one, pageAt(SOUND, one)), `${one} of earlier`), `${one} of earlier`);
    for (let other = 0; other < one; other++) {
      const swapped = withPage(withPage(SOUND, one, pageAt(SOUND, other)), other, pageAt(SOUND, one));
      judge(await load(swapped, `${one} and ${other}`), `${one} and ${other}`);
    }
  }
});

globalThis.addEventListener("unload", () => void VAULT.close());
