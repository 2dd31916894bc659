/**
 * Pages that follow one another, so that they are read and written in one call.
 *
 * @module
 */

/** Most pages in a run: a buffer of 4 MiB, or 16 with large pages. */
const LONGEST = 1024;

/** Pages that follow one another. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/** The runs of pages in rising order. */
export function* runsOf(sorted: readonly number[]): Generator<Run> {
  for (let start = 0; start < sorted.length;) {
    let end = start + 1;
    while (end < sorted.length && sorted[end] === sorted[end - 1]! + 1 && end - start < LONGEST) end++;
    yield { first: sorted[start]!, count: end - start };
    start = end;
  }
}
