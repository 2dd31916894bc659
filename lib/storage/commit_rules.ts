/**
 * What a caller may ask of any medium.
 *
 * @module
 */
import { type Commit, MAX_META_SIZE, MAX_SEGMENTS } from "./medium.ts";

/** What of a commit has bounds. */
type CommitSizes = Pick<Commit, "meta" | "retain"> & { readonly append: readonly { readonly length: number }[] };

/**
 * Refuses a commit that no medium takes, so that a mistake shows on the one in memory as it does on a file.
 *
 * @throws {RangeError} when the meta, a segment or the number of segments is out of bounds
 */
export function assertCommit({ meta, append, retain }: CommitSizes): void {
  if (meta.length < 1 || meta.length > MAX_META_SIZE) {
    throw new RangeError(`A meta has 1 to ${MAX_META_SIZE} bytes, got ${meta.length}`);
  }
  if (append.length + retain.length > MAX_SEGMENTS) {
    throw new RangeError(`A version names at most ${MAX_SEGMENTS} segments, got ${append.length + retain.length}`);
  }
  if (append.some(({ length }) => length === 0)) throw new RangeError("A segment must not be empty");
}
