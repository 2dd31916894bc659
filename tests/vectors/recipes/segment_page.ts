/**
 * Rules of segment pages and their chains (section 3), one broken at a time under a right checksum.
 *
 * @module
 */
import { viewOf } from "../../../lib/bytes.ts";
import type { SegmentEntry } from "../../../lib/storage/meta_page.ts";
import { PAGE_SIZE } from "../../../lib/storage/page.ts";
import {
  AUDIT_SEGMENT,
  DELTA_4,
  DELTA_5,
  editPage,
  type Identity,
  secret,
  SNAPSHOT,
  type VaultPlan,
} from "../forge.ts";
import { type Recipe, recipesOf, record, RECORDS, type Row } from "./recipe.ts";

const LONG = "x".repeat(7_000);
/** A snapshot of three pages. */
const SNAPSHOT_3 = { ...SNAPSHOT, text: SNAPSHOT.text + secret("long", LONG) };
const SEGMENTS_3 = [AUDIT_SEGMENT, SNAPSHOT_3, DELTA_4, DELTA_5];
const ALL = { ...RECORDS, long: record(LONG) };

/** Changes a page of the snapshot. */
const page = (index: number, edit: (page: Uint8Array, entry: SegmentEntry) => void): Partial<VaultPlan> => ({
  segments: SEGMENTS_3,
  file: (bytes, entries) => editPage(bytes, entries[1]!.first + index, (page) => edit(page, entries[1]!)),
});
const next = (index: number, number: number) =>
  page(index, (bytes, { first }) => viewOf(bytes).setUint32(4, number < 0 ? first - number : number, true));

const ROWS: readonly Row[] = [
  ["three-pages", "a segment of three pages", { segments: SEGMENTS_3 }, { records: ALL }],
  ["scattered", "a segment whose pages are apart", {
    segments: [AUDIT_SEGMENT, { ...SNAPSHOT_3, scatter: [0, 4, 3] }, DELTA_4, DELTA_5],
  }, { records: ALL }],
  ["last-below-first", "a segment that ends before the page on which it begins", {
    segments: [AUDIT_SEGMENT, { ...SNAPSHOT_3, scatter: [2, 1, 0] }, DELTA_4, DELTA_5],
  }, { records: ALL }],
  ["magic", "a page without the magic", page(1, (bytes) => void (bytes[0] = 0))],
  ["checksum", "a checksum that does not fit", {
    segments: SEGMENTS_3,
    file: (bytes, entries) => void (bytes[(entries[1]!.first + 2) * PAGE_SIZE - 1]! ^= 1),
  }],
  ["checksum-of-newest", "the same in the newest segment, which is the only version", {
    file: (bytes, entries) => void (bytes[(entries.at(-1)!.first + 1) * PAGE_SIZE - 1]! ^= 1),
  }],
  ["position", "a page out of its place", page(1, (bytes) => viewOf(bytes).setUint32(8, 2, true))],
  [
    "position-of-first",
    "a first page that says it is the second",
    page(0, (bytes) => viewOf(bytes).setUint32(8, 1, true)),
  ],
  ["next-meta-page", "a next page that is a meta page", next(0, 1)],
  ["next-above-file", "a next page behind the file", next(0, 1_000_000)],
  ["next-itself", "a page that follows itself", next(1, -1)],
  ["next-skips", "a chain that leaves a page out", next(0, -2)],
  ["next-ends-early", "a chain that ends early", next(1, 0)],
  ["next-goes-on", "a chain that goes on behind its end", next(2, 2)],
  ["tail", "a byte behind the end of the segment", page(2, (bytes) => void (bytes[4091] = 1))],
  ["pages-exchanged", "two pages of one segment exchanged", {
    segments: SEGMENTS_3,
    file: (bytes, entries) => {
      const at = entries[1]!.first * PAGE_SIZE;
      const first = bytes.slice(at, at + PAGE_SIZE);
      bytes.copyWithin(at, at + PAGE_SIZE, at + 2 * PAGE_SIZE);
      bytes.set(first, at + PAGE_SIZE);
    },
  }],
  ["page-of-other-segment", "a page of another segment in the place of one", {
    segments: SEGMENTS_3,
    file: (bytes, entries) =>
      void bytes.copyWithin(
        entries[2]!.first * PAGE_SIZE,
        entries[3]!.first * PAGE_SIZE,
        (entries[3]!.first + 1) * PAGE_SIZE,
      ),
  }],
  ["scattered-loop", "a chain that comes back to where it was", {
    segments: [AUDIT_SEGMENT, { ...SNAPSHOT_3, scatter: [0, 4, 3] }, DELTA_4, DELTA_5],
    file: (bytes, entries) =>
      editPage(bytes, entries[1]!.first + 4, (page) => viewOf(page).setUint32(4, entries[1]!.first, true)),
  }],
  ["wiped", "a page of zeros", page(1, (bytes) => void bytes.fill(0))],
];

/** Them all. */
export function segmentPageRecipes(identity: Identity): readonly Recipe[] {
  return recipesOf("segment-page", identity, ROWS);
}
