/**
 * Everything that still opens of a damaged file.
 *
 * @module
 */
import type { Disk } from "../storage/disk.ts";
import { type Fragment, openFragment, type SalvageFailure } from "./fragment.ts";
import { guessHeaders } from "./headers.ts";
import { findSegments, namedSegments } from "./scan.ts";
import { authenticMeta, type MetaCandidate, type Ring, type Source } from "./source.ts";

/** What a file still gives. */
export interface Gathered {
  /** Segments of which something opened. */
  readonly fragments: readonly Fragment[];
  /** What did not open. */
  readonly failures: readonly SalvageFailure[];
  /** Segments of kinds that hold no records, such as audit segments. */
  readonly others: number;
  /** The newest generation that anything authentic speaks of. */
  readonly newest: number;
}

/** How to look. */
export interface GatherOptions {
  /** Looks at every page, also for segments that no meta page names. */
  readonly deep?: boolean;
  /** Is told how many pages of how many were read in a deep search. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Opens every segment that can be found. The caller holds a lock. */
export async function gather(
  disk: Disk,
  source: Source,
  rings: readonly Ring[],
  { deep = false, onProgress }: GatherOptions = {},
): Promise<Gathered> {
  const fragments: Fragment[] = [];
  const failures: SalvageFailure[] = [];
  const seen = new Map<number, number>();
  let others = 0;
  let newest = 0;
  for (const candidate of source.candidates) {
    const meta = await authenticMeta(candidate, rings);
    newest = Math.max(newest, meta?.generation ?? 0);
    for (const [index, segment] of candidateSegments(disk, candidate).entries()) {
      // Both meta pages name most segments. A length that differs is another segment in pages used again.
      if (seen.get(segment.first) === segment.length) continue;
      seen.set(segment.first, segment.length);
      const guesses = meta === undefined ? [] : await guessHeaders(disk, candidate.page!, meta, index);
      const opened = await openFragment(segment, rings, guesses);
      if (opened.fragment !== undefined) fragments.push(opened.fragment);
      if (opened.other) others++;
      failures.push(...opened.failures);
    }
  }
  if (deep) {
    for await (const { lengths } of findSegments(disk, new Set(seen.keys()), onProgress)) {
      let best: Fragment | undefined;
      let other = false;
      for (const candidate of lengths) {
        const opened = await openFragment(candidate, rings);
        other ||= opened.other;
        // Chunks before the last one open at any length; only the right one opens all.
        if (opened.fragment !== undefined && (best === undefined || opened.fragment.whole)) best = opened.fragment;
        if (best?.whole || other) break;
      }
      // What no meta page names was mostly replaced long ago: that it does not open any more is no loss to speak of.
      if (best !== undefined) fragments.push(best);
      if (other) others++;
    }
  }
  for (const { header } of fragments) newest = Math.max(newest, header.last);
  return { fragments, failures, others, newest };
}

function candidateSegments(disk: Disk, { page }: MetaCandidate): ReturnType<typeof namedSegments> {
  return page === undefined ? [] : namedSegments(disk, page);
}
