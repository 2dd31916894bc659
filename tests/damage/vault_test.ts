/**
 * Damage to a vault's file: every bit of it, every length, every page in the place of another.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bytes } from "../../lib/bytes.ts";
import { ChainReader, writeChain } from "../../lib/storage/chain.ts";
import { encodeMetaPage, type MetaPage, metaPageOf, type SegmentEntry } from "../../lib/storage/meta_page.ts";
import { PAGE_SIZE, pagesFor } from "../../lib/storage/page.ts";
import { flipped, printedSeed, randomFrom } from "../helpers.ts";
import { digestOf, diskOf } from "../storage/helpers.ts";
import {
  bitsOf,
  DEEP,
  history,
  metaOf,
  type Moment,
  type Outcome,
  outcomeOf,
  pageAt,
  reportTally,
  type Use,
  usesOf,
  withPage,
} from "./damaged.ts";

const SEED = printedSeed("damage of vaults");
const ANCHORED = await history("mine", true);
const PLAIN = await history("mine", false);
const OTHER = await history("other", true);

reportTally("vault files");

/** Where the format version of a meta page is, and its magic. */
const VERSION = { from: 6, to: 8 } as const;

/** What one bit turned over in a page must come to. */
function assertFlip(outcome: Outcome, use: Use, at: number, moments: readonly Moment[], anchored: boolean): void {
  const what = `byte ${at}, of ${use}: ${JSON.stringify(outcome).slice(0, 300)}`;
  const [before, newest] = [moments.at(-2)!, moments.at(-1)!];
  const opens = (moment: Moment, recovered: boolean, problems: readonly number[] = []) => {
    assert.equal(outcome.code, "opens", what);
    assert.ok(outcome.code === "opens");
    assert.deepEqual([outcome.generation, outcome.recovered], [moment.generation, recovered], what);
    assert.equal(outcome.state, moment.state, what);
    if (problems.length > 0) assert.ok(problems.every((page) => outcome.problems.includes(page)), what);
    else assert.deepEqual(outcome.problems, [], what);
  };
  const inPage = at % PAGE_SIZE;
  const isVersion = use.endsWith("meta") && inPage >= VERSION.from && inPage < VERSION.to;
  if (isVersion) return assert.equal(outcome.code, "unsupported-version", what);
  switch (use) {
    case "newest meta":
    case "newest commit":
      // As a torn commit looks: the one before it stands, unless an anchor knows of the newer one.
      if (anchored) return assert.equal(outcome.code, "rollback-detected", what);
      return opens(before, true);
    case "older meta":
      return opens(newest, true);
    case "state":
      assert.equal(outcome.code, "corrupt-vault", what);
      return assert.equal((outcome as { page?: number }).page, Math.floor(at / PAGE_SIZE), what);
    case "log":
      // Old entries are not read with the state, but for the page where a segment begins: a check finds the damage.
      if (outcome.code === "opens") return opens(newest, false, [Math.floor(at / PAGE_SIZE)]);
      return assert.deepEqual(outcome, { code: "corrupt-vault", page: Math.floor(at / PAGE_SIZE) }, what);
    case "older":
    case "free":
      return opens(newest, false);
  }
}

for (const [moments, anchored] of [[ANCHORED, true], [PLAIN, false]] as const) {
  const which = anchored ? "with" : "without";
  Deno.test(`Vault.open() ${which} an anchor tells each bit that is turned over, or is none the worse for it`, async () => {
    const { file, anchor } = moments.at(-1)!;
    const uses = await usesOf(file);
    for (const use of ["newest meta", "older meta", "newest commit", "state", "log", "free"]) {
      assert.ok(uses.includes(use as Use), `the vault has no page of ${use}`);
    }
    for (const [at, mask] of bitsOf(file, uses, SEED, anchored)) {
      const outcome = await outcomeOf(flipped(file, at, mask), anchored ? anchor : null, `byte ${at}`);
      assertFlip(outcome, uses[Math.floor(at / PAGE_SIZE)]!, at, moments, anchored);
    }
  });
}

/** Lengths of a file to cut it to: all, or those around every boundary. */
function lengthsOf(size: number): number[] {
  if (DEEP) return Array.from({ length: size }, (_, length) => length);
  const boundaries = [
    0,
    6,
    8,
    16,
    48,
    128,
    1408,
    ...Array.from({ length: size / PAGE_SIZE }, (_, page) => page * PAGE_SIZE),
  ];
  const near = boundaries.flatMap((at) => [at - 1, at, at + 1]);
  return [...new Set([...near, size - 1])].filter((length) => length >= 0 && length < size).sort((a, b) => a - b);
}

Deno.test("Vault.open() refuses a vault that is cut short, whatever its length", async () => {
  const { file, anchor } = ANCHORED.at(-1)!;
  for (const length of lengthsOf(file.length)) {
    const expected = length === 0 ? "empty-file" : length < VERSION.from ? "not-a-vault" : "truncated-vault";
    for (const given of length % PAGE_SIZE < 2 ? [anchor, null] : [anchor]) {
      // Without its anchor an anchored vault is refused for that; what is cut short is told before.
      const { code } = await outcomeOf(file.subarray(0, length), given, `length ${length}`);
      assert.equal(code, expected, `length ${length}`);
    }
  }
});

Deno.test("Vault.open() is none the worse for bytes behind the end of a vault", async () => {
  const { file, anchor, state } = ANCHORED.at(-1)!;
  for (const more of [1, 100, PAGE_SIZE, 3 * PAGE_SIZE + 7]) {
    for (const fill of [0, 0xff]) {
      const longer = new Uint8Array(file.length + more).fill(fill);
      longer.set(file);
      const outcome = await outcomeOf(longer, anchor, `${more} bytes more`);
      assert.ok(outcome.code === "opens" && outcome.state === state && !outcome.recovered);
    }
  }
});

/** What may be said of a file that holds parts of others. */
const REFUSALS = ["corrupt-vault", "rollback-detected", "fork-detected", "not-a-vault", "truncated-vault"];

/** With an anchor nothing but the newest state comes out; without one, an older one that is told to be. */
function assertMixed(
  outcome: Outcome,
  moments: readonly Moment[],
  anchored: boolean,
  what: string,
  replaced: boolean,
): void {
  if (outcome.code !== "opens") return assert.ok(REFUSALS.includes(outcome.code), `${what}: ${outcome.code}`);
  const newest = moments.at(-1)!;
  const known = anchored ? [newest] : moments;
  const moment = known.find(({ generation }) => generation === outcome.generation);
  assert.ok(moment !== undefined, `${what}: generation ${outcome.generation}`);
  assert.equal(outcome.state, moment.state, what);
  // Where a valid meta page took the place of the newest, nothing but an anchor could tell.
  assert.ok(moment === newest || outcome.recovered || replaced, `${what}: an older generation is told to be one`);
}

for (const [moments, anchored] of [[ANCHORED, true], [PLAIN, false]] as const) {
  const which = anchored ? "with" : "without";
  const open = async (file: Uint8Array, what: string, replaced = false) => {
    const anchor = anchored ? moments.at(-1)!.anchor : null;
    const outcome = await outcomeOf(file, anchor, what);
    assertMixed(outcome, moments, anchored, what, replaced);
    return outcome.code;
  };

  Deno.test(`Vault.open() ${which} an anchor opens no mixture when pages are swapped, wiped or doubled`, async () => {
    const { file } = moments.at(-1)!;
    const count = file.length / PAGE_SIZE;
    const uses = await usesOf(file);
    const random = randomFrom(SEED);
    const codes = new Set<string>();
    for (let one = 0; one < count; one++) {
      for (let other = 0; other < one; other++) {
        if (!DEEP && uses[one] === "free" && random() < 0.9) continue;
        const swapped = withPage(withPage(file, one, pageAt(file, other)), other, pageAt(file, one));
        codes.add(await open(swapped, `${one} and ${other} swapped`));
        codes.add(await open(withPage(file, one, pageAt(file, other)), `${other} at ${one} too`));
      }
      codes.add(await open(withPage(file, one, new Uint8Array(PAGE_SIZE)), `${one} wiped`));
      codes.add(await open(withPage(file, one, new Uint8Array(PAGE_SIZE).fill(0xff)), `${one} filled`));
    }
    assert.ok(codes.has("opens") && codes.has("corrupt-vault"));
  });

  Deno.test(`Vault.open() ${which} an anchor opens no mixture with pages of older generations, or of another vault`, async () => {
    const { file } = moments.at(-1)!;
    for (const [from, copies] of [["older", moments.slice(0, -1)], ["other", OTHER]] as const) {
      for (const copy of DEEP ? copies : copies.slice(-3)) {
        for (let page = 0; page < file.length / PAGE_SIZE; page++) {
          const what = `page ${page} of ${from} ${copy.generation}`;
          await open(withPage(file, page, pageAt(copy.file, page)), what, page < 2);
        }
        const metas = withPage(withPage(file, 0, pageAt(copy.file, 0)), 1, pageAt(copy.file, 1));
        const outcome = await outcomeOf(metas, anchored ? moments.at(-1)!.anchor : null, "metas");
        if (from === "older") {
          if (anchored) assert.notEqual(outcome.code, "opens", `metas of ${copy.generation}`);
          else assertMixed(outcome, moments, false, `metas of ${copy.generation}`, true);
        } else assert.ok([...REFUSALS, "anchor-foreign", "wrong-credential"].includes(outcome.code), outcome.code);
      }
    }
  });

  Deno.test(`Vault.open() ${which} an anchor opens no vault with segments of another vault, checksums and digests mended`, async () => {
    const { file, generation } = moments.at(-1)!;
    const other = OTHER.at(-1)!;
    const theirs = (await metaOf(other.file, metaPageOf(other.generation)))!;
    for (const [index, entry] of theirs.segments.entries()) {
      const bytes = await new ChainReader(diskOf(other.file), entry, theirs.pageCount).read(0, entry.length);
      for (const forged of await spliced(file, generation, bytes)) {
        const anchor = anchored ? moments.at(-1)!.anchor : null;
        const { code } = await outcomeOf(forged, anchor, `segment ${index}`);
        assert.ok(code === "corrupt-vault" || code === "fork-detected", `segment ${index}: ${code}`);
      }
    }
  });
}

/** The file with a segment, on pages of its own, in the place of each that is read with the state. */
async function spliced(file: Uint8Array, generation: number, segment: Uint8Array): Promise<Bytes[]> {
  const disk = diskOf(file);
  const first = file.length / PAGE_SIZE;
  const count = pagesFor(segment.length);
  await writeChain(disk, [{ first, count }], segment);
  const whole = new Uint8Array(await disk.size());
  await disk.readAt(whole, 0);
  const number = metaPageOf(generation);
  const page = (await metaOf(file, number))!;
  const forged: Bytes[] = [];
  for (const [at, entry] of page.segments.entries()) {
    const head = await new ChainReader(disk, entry, page.pageCount).read(0, 8);
    if (head[5] === 3) continue;
    const grafted: SegmentEntry = { version: entry.version, first, last: first + count - 1, length: segment.length };
    const segments = page.segments.with(at, grafted);
    const pageCount = whole.length / PAGE_SIZE;
    const added = await Promise.all(
      segments.slice(segments.length - page.added).map((one) =>
        new ChainReader(disk, one, pageCount).read(0, one.length)
      ),
    );
    const changed: MetaPage = { ...page, pageCount, segments, addedDigest: digestOf(...added) };
    forged.push(withPage(whole, number, await encodeMetaPage(changed)));
  }
  return forged;
}
