/**
 * Runs of pages as values: what is free is a sorted list of runs that neither touch nor overlap.
 *
 * @module
 */

/** A run of pages. */
export interface Extent {
  /** Its first page. */
  readonly first: number;
  /** How many pages. */
  readonly count: number;
}

/** Sorts runs and joins those that touch or overlap. */
export function normalize(extents: readonly Extent[]): Extent[] {
  const result: { first: number; count: number }[] = [];
  for (const { first, count } of extents.toSorted((a, b) => a.first - b.first)) {
    if (count === 0) continue;
    const before = result.at(-1);
    if (before === undefined || first > before.first + before.count) result.push({ first, count });
    else before.count = Math.max(before.count, first + count - before.first);
  }
  return result;
}

/** The pages from `start` up to `end` that none of the runs covers. */
export function complement(extents: readonly Extent[], start: number, end: number): Extent[] {
  const result: Extent[] = [];
  let at = start;
  for (const { first, count } of normalize(extents)) {
    if (first > at) result.push({ first: at, count: Math.min(first, end) - at });
    at = Math.max(at, first + count);
    if (at >= end) break;
  }
  if (at < end) result.push({ first: at, count: end - at });
  return result.filter(({ count }) => count > 0);
}

/** How many pages the runs have. */
export function countPages(extents: readonly Extent[]): number {
  return extents.reduce((sum, { count }) => sum + count, 0);
}

/**
 * Takes pages out of free runs: the lowest run that holds them all, else the lowest pages there are.
 *
 * @returns what was taken, in the order of use, and what stays free; null when there are too few
 */
export function allocate(
  free: readonly Extent[],
  count: number,
): { readonly taken: readonly Extent[]; readonly free: readonly Extent[] } | null {
  const whole = free.findIndex((extent) => extent.count >= count);
  if (whole >= 0) {
    const { first, count: size } = free[whole]!;
    const rest = size > count ? [{ first: first + count, count: size - count }] : [];
    return { taken: [{ first, count }], free: free.toSpliced(whole, 1, ...rest) };
  }
  if (countPages(free) < count) return null;
  const taken: Extent[] = [];
  let missing = count;
  for (const [index, extent] of free.entries()) {
    if (extent.count >= missing) {
      taken.push({ first: extent.first, count: missing });
      const rest = { first: extent.first + missing, count: extent.count - missing };
      return { taken, free: [...rest.count > 0 ? [rest] : [], ...free.slice(index + 1)] };
    }
    taken.push(extent);
    missing -= extent.count;
  }
  return null;
}
