/**
 * Masking patterns in a stream of bytes.
 *
 * A byte goes when any occurrence of any pattern covers it, also where occurrences overlap, and what is next to each
 * other becomes one mask. A byte that no occurrence can cover any more is passed on at once: what is held back is never
 * more than the beginning of a pattern that the bytes so far end with.
 *
 * @module
 */
import { type Bytes, concat, encodeUtf8 } from "../bytes.ts";
import { type PatternSet, ROOT } from "./pattern_set.ts";

/** What stands where something was masked. */
export const MASK = "***";

const MASK_BYTES = encodeUtf8(MASK);

/** Masks one stream. Its memory is bounded by the longest pattern and the largest chunk. */
export class Redactor {
  readonly #patterns: PatternSet;
  #state = ROOT;
  /** What was not passed on yet. */
  #held: Bytes = new Uint8Array(0);
  /** Where the held bytes are covered: pairs of begin and end, in order, apart from each other. */
  #covered: [number, number][] = [];
  /** Whether the last byte that was dealt with was masked. */
  #masking = false;

  /** Several streams may share a set. */
  constructor(patterns: PatternSet) {
    this.#patterns = patterns;
  }

  /** Takes the next bytes of the stream, and gives what can be passed on. */
  push(chunk: Uint8Array): Bytes {
    const before = this.#held.length;
    this.#held = concat(this.#held, chunk);
    let state = this.#state;
    for (let at = before; at < this.#held.length; at++) {
      state = this.#patterns.next(state, this.#held[at]!);
      const length = this.#patterns.matched[state]!;
      if (length > 0) this.#cover(at + 1 - length, at + 1);
    }
    this.#state = state;
    return this.#release(this.#decided(this.#held.length - this.#patterns.depth[state]!));
  }

  /** Ends the stream, and gives what was held back. */
  end(): Bytes {
    this.#state = ROOT;
    return this.#release(this.#held.length);
  }

  /** Of an occurrence that begins before what is held, all that is not held was masked already. */
  #cover(begin: number, end: number): void {
    let from = Math.max(begin, 0);
    for (let last = this.#covered.at(-1); last !== undefined && last[1] >= begin; last = this.#covered.at(-1)) {
      from = Math.min(from, last[0]);
      this.#covered.pop();
    }
    this.#covered.push([from, end]);
  }

  /** How many of the held bytes are decided, when so many cannot be covered by what comes: what is covered stays so. */
  #decided(count: number): number {
    let decided = Math.max(count, 0);
    for (const [begin, end] of this.#covered) if (begin <= decided) decided = Math.max(decided, end);
    return decided;
  }

  /** Passes on, or masks, so many of the held bytes. */
  #release(count: number): Bytes {
    const parts: Uint8Array[] = [];
    let at = 0;
    for (const [begin, end] of this.#covered) {
      if (begin >= count) break;
      if (begin > at) this.#pass(parts, at, begin);
      if (!this.#masking) parts.push(MASK_BYTES);
      this.#masking = true;
      at = Math.min(end, count);
    }
    if (at < count) this.#pass(parts, at, count);
    this.#covered = this.#covered
      .filter(([, end]) => end > count)
      .map(([begin, end]) => [Math.max(begin - count, 0), end - count]);
    const released = concat(...parts);
    this.#held = this.#held.slice(count);
    return released;
  }

  #pass(parts: Uint8Array[], from: number, to: number): void {
    parts.push(this.#held.subarray(from, to));
    this.#masking = false;
  }
}
