/**
 * Rules of the meta page (`docs/format.md`, section 2), one broken at a time under a right digest.
 *
 * @module
 */
import { viewOf } from "../../../lib/bytes.ts";
import type { SegmentEntry } from "../../../lib/storage/meta_page.ts";
import { PAGE_SIZE } from "../../../lib/storage/page.ts";
import { type Identity, setU64, type VaultPlan } from "../forge.ts";
import { BEFORE, type Recipe, recipesOf, RECORDS, type Row } from "./recipe.ts";

const TABLE = 128;
const ENTRY = 24;

const u16 = (at: number, value: number): Partial<VaultPlan> => ({
  page: (bytes) => viewOf(bytes).setUint16(at, value, true),
});
const u32 = (at: number, value: number): Partial<VaultPlan> => ({
  page: (bytes) => viewOf(bytes).setUint32(at, value, true),
});
const u64 = (at: number, value: bigint): Partial<VaultPlan> => ({ page: (bytes) => setU64(bytes, at, value) });
const byte = (at: number): Partial<VaultPlan> => ({ page: (bytes) => void (bytes[at] = 1) });
const recovered = { records: BEFORE, recovered: true };

/** Changes one entry of the table. */
const entry = (index: number, change: (entry: SegmentEntry) => Partial<SegmentEntry>): Partial<VaultPlan> => ({
  table: (entries) => entries.with(index, { ...entries.at(index)!, ...change(entries.at(index)!) }),
});

const ROWS: readonly Row[] = [
  ["page-size", "a page size of 8192", u32(8, 8192)],
  ["page-size-zero", "a page size of 0", u32(8, 0)],
  ["meta-length-zero", "a sealed meta of no bytes", u32(12, 0)],
  ["meta-length-above", "a sealed meta of 2689 bytes", u32(12, 2689)],
  ["meta-length-max", "a sealed meta of 4 GiB", u32(12, 2 ** 32 - 1)],
  ["version-zero", "version 0", u64(48, 0n)],
  ["version-above", "a version of 2^53", u64(48, 2n ** 53n)],
  ["version-of-other-page", "a version that belongs on the other page", u64(48, 6n)],
  ["in-other-page", "a meta page in the place of the other", {
    file: (bytes) => {
      bytes.copyWithin(PAGE_SIZE, 0, PAGE_SIZE);
      bytes.fill(0, 0, PAGE_SIZE);
    },
  }],
  ["page-count-one", "a page count of 1", u32(56, 1)],
  ["page-count-above-file", "a page count above what the file holds", u32(56, 100), "truncated-vault"],
  ["page-count-below-segments", "a page count below the pages of the segments", u32(56, 4)],
  ["segment-count-above", "49 segments", u16(60, 49)],
  ["segment-count-more", "a segment more than the table has", u16(60, 5)],
  ["segment-count-less", "a segment less than the table has", u16(60, 3)],
  ["segment-count-zero", "no segment at all", { table: () => [], added: () => 0 }],
  ["added-above-count", "more segments added than there are", u16(62, 5)],
  ["added-too-many", "one more segment added than has the version", u16(62, 2)],
  ["added-none", "none added, though one has the version", u16(62, 0)],
  ["added-digest", "another digest of what was added", byte(64)],
  ["origin-one", "the origin 1, which is written as 0", u64(96, 1n)],
  ["origin-above-version", "an origin above the version", u64(96, 6n)],
  ["origin-above", "an origin of 2^53", u64(96, 2n ** 53n)],
  ["gap-after-origin", "a byte in the gap behind the origin", byte(127)],
  ["unused-entry", "a byte in an unused entry of the table", byte(TABLE + 47 * ENTRY)],
  ["gap-after-table", "a byte in the gap behind the table", byte(1280)],
  ["behind-sealed-meta", "a byte behind the sealed meta", byte(4095)],
  ["digest", "a digest that does not fit", { file: (bytes) => void (bytes[4 * 1024] = 1, bytes[16]! ^= 1) }],
  ["version-0-of-format", "format version 0", { file: (bytes) => void (bytes[6] = 0) }, "unsupported-version"],
  ["entry-version-zero", "a segment of version 0", entry(0, () => ({ version: 0 }))],
  ["entry-version-falls", "versions that fall in the table", entry(1, () => ({ version: 2 }))],
  ["entry-version-above", "a segment of a version above the commit's", entry(0, () => ({ version: 6 }))],
  ["entry-first-page-one", "a segment that begins on a meta page", entry(1, () => ({ first: 1 }))],
  ["entry-first-page-above", "a segment that begins behind the file", entry(1, () => ({ first: 1000, last: 1000 }))],
  ["entry-last-page-zero", "a segment that ends on a meta page", entry(1, () => ({ last: 0 }))],
  ["entry-last-page-above", "a segment that ends behind the file", entry(1, () => ({ last: 1000 }))],
  ["entry-length-zero", "a segment of no bytes", entry(1, () => ({ length: 0 }))],
  ["entry-length-above-file", "a segment longer than the file", entry(1, () => ({ length: 2 ** 40 }))],
  ["entry-length-above", "a length of 2^53", u64(TABLE + ENTRY + 16, 2n ** 53n)],
  ["entry-length-one-less", "a length of one byte less", entry(1, ({ length }) => ({ length: length - 1 }))],
  ["entry-length-one-more", "a length of one byte more", entry(1, ({ length }) => ({ length: length + 1 }))],
  ["entry-one-page-two-ends", "one page with two ends", entry(1, ({ first }) => ({ last: first + 1 }))],
  ["entry-shared-page", "two segments on one page", entry(2, () => ({ first: 3, last: 3 }))],
  ["entries-exchanged", "two segments exchanged", {
    table: ([audit, snapshot, third, fourth]) => [
      { ...snapshot!, version: audit!.version },
      { ...audit!, version: snapshot!.version },
      third!,
      fourth!,
    ],
  }],
  ["newest-torn", "the newest of two metas torn: the one before it counts", {
    both: true,
    file: (bytes) => void bytes.fill(0, 2048, PAGE_SIZE),
  }, recovered],
  ["newest-taken-back", "the newest of two metas all zero", {
    both: true,
    file: (bytes) => void bytes.fill(0, 0, PAGE_SIZE),
  }, recovered],
  ["newest-foreign", "the newest of two metas without the magic", {
    both: true,
    file: (bytes) => void (bytes[0] = 0),
  }, recovered],
  ["newest-breaks-rule", "the newest of two metas breaks a rule under a right digest", {
    both: true,
    ...u32(8, 8192),
  }, recovered],
  ["newest-segment-lost", "the newest of two metas names a segment that was never written", {
    both: true,
    file: (bytes, entries) => void bytes.fill(0, entries.at(-1)!.first * PAGE_SIZE),
  }, recovered],
  ["newest-cut-off", "the newest of two metas counts pages that are not there", {
    both: true,
    pageCount: (count) => count + 4,
  }, recovered],
  ["newest-future", "the newest of two metas is of a later format: nothing falls back", {
    both: true,
    file: (bytes) => void (bytes[6] = 2),
  }, "unsupported-version"],
  ["older-torn", "the older of two metas torn", {
    both: true,
    file: (bytes) => void bytes.fill(0x55, PAGE_SIZE + 100, 2 * PAGE_SIZE),
  }, { records: RECORDS, recovered: true }],
  ["older-wiped", "the older of two metas all zero, though the file began before it", {
    both: true,
    file: (bytes) => void bytes.fill(0, PAGE_SIZE, 2 * PAGE_SIZE),
  }, { records: RECORDS, recovered: true }],
  ["same-page-twice", "the newest meta page in both places", {
    both: true,
    file: (bytes) => void bytes.copyWithin(PAGE_SIZE, 0, PAGE_SIZE),
  }, { records: RECORDS, recovered: true }],
  ["cut-within-page", "cut within the last page", { file: (bytes) => bytes.slice(0, -100) }, "truncated-vault"],
  ["both-foreign", "the magic in neither page", {
    both: true,
    file: (bytes) => void (bytes[0] = 0, bytes[PAGE_SIZE] = 0),
  }, "not-a-vault"],
  ["older-segment-damaged", "a segment of an earlier commit damaged: no reason to fall back", {
    both: true,
    file: (bytes, entries) => void (bytes[entries[1]!.first * PAGE_SIZE + 50]! ^= 1),
  }],
];

/** Them all. */
export function metaPageRecipes(identity: Identity): readonly Recipe[] {
  return recipesOf("meta-page", identity, ROWS);
}
