/**
 * Where a commit's segments go.
 *
 * @module
 */
import { sha256 } from "../crypto/sha256.ts";
import { allocate, countPages, type Extent, normalize } from "./extents.ts";
import type { Commit } from "./medium.ts";
import type { MetaPage, SegmentEntry } from "./meta_page.ts";
import { pagesFor } from "./page.ts";

/** A file grows by an eighth, and by so many pages at least and at most unless one commit needs more. */
export const GROWTH = { least: 16, most: 256 } as const;
/** Which pages a commit may use. */
export interface Space {
  /** Reached by neither meta page. */
  readonly free: readonly Extent[];
  /** Reached by the older meta page only: free once that is overwritten. */
  readonly pending: readonly Extent[];
  /** Pages of the file. */
  readonly pages: number;
}

/** What the meta page of a commit says. */
export async function metaPageFor(
  { meta, append }: Commit,
  { version, origin }: Pick<MetaPage, "version" | "origin">,
  pageCount: number,
  segments: readonly SegmentEntry[],
): Promise<MetaPage> {
  const addedDigest = await sha256(...append);
  return { version, origin, pageCount, segments, added: append.length, addedDigest, meta: new Uint8Array(meta) };
}

/** Finds pages for new segments, growing the file when the free ones do not suffice. */
export function placeSegments(
  space: Space,
  append: readonly { readonly length: number }[],
  version: number,
): {
  readonly runs: readonly (readonly Extent[])[];
  readonly entries: readonly SegmentEntry[];
  readonly free: readonly Extent[];
  readonly pages: number;
  /** Pages past the old end that no segment of this commit fills. */
  readonly unwritten: Extent;
} {
  const needed = append.reduce((sum, { length }) => sum + pagesFor(length), 0);
  let { free, pages } = space;
  if (countPages(free) < needed) {
    const count = Math.max(needed, Math.min(Math.max(pages >> 3, GROWTH.least), GROWTH.most));
    free = normalize([...free, { first: pages, count }]);
    pages += count;
  }
  const runs: (readonly Extent[])[] = [];
  const entries: SegmentEntry[] = [];
  let end = space.pages;
  for (const { length } of append) {
    const allocated = allocate(free, pagesFor(length));
    if (allocated === null) throw new RangeError("There are fewer free pages than were counted");
    free = allocated.free;
    runs.push(allocated.taken);
    const last = allocated.taken.at(-1)!;
    entries.push({ version, first: allocated.taken[0]!.first, last: last.first + last.count - 1, length });
    for (const { first, count } of allocated.taken) end = Math.max(end, first + count);
  }
  return { runs, entries, free, pages, unwritten: { first: end, count: pages - end } };
}
