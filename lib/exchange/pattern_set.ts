/**
 * Many byte patterns, looked for at once: the automaton of Aho and Corasick ("Efficient string matching", 1975).
 *
 * @module
 */

/** Where the automaton begins. */
export const ROOT = 0;

/** A fixed set of patterns. It takes at most 21 bytes of memory for each of their bytes. */
export class PatternSet {
  /** For each state, how many of the last bytes are the beginning of some pattern; never more than were read. */
  readonly depth: Int32Array;
  /** For each state, the length of the longest pattern that ends there; 0 where none does. */
  readonly matched: Int32Array;
  readonly #fail: Int32Array;
  readonly #firstChild: Int32Array;
  readonly #sibling: Int32Array;
  readonly #byte: Uint8Array;
  /** The children of the root by their byte: where most bytes of a text lead, so it must cost nothing. */
  readonly #fromRoot = new Int32Array(256);
  #states = 1;

  /** Takes patterns of at least one byte; empty ones are passed over. */
  constructor(patterns: Iterable<Uint8Array>) {
    const all = [...patterns].filter(({ length }) => length > 0);
    const most = all.reduce((sum, { length }) => sum + length, 1);
    this.depth = new Int32Array(most);
    this.matched = new Int32Array(most);
    this.#fail = new Int32Array(most);
    this.#firstChild = new Int32Array(most);
    this.#sibling = new Int32Array(most);
    this.#byte = new Uint8Array(most);
    for (const pattern of all) this.#add(pattern);
    this.#link();
  }

  /** The state that a byte leads to. */
  next(state: number, byte: number): number {
    while (state !== ROOT) {
      const child = this.#child(state, byte);
      if (child !== ROOT) return child;
      state = this.#fail[state]!;
    }
    return this.#fromRoot[byte]!;
  }

  #add(pattern: Uint8Array): void {
    let state = ROOT;
    for (const byte of pattern) {
      let child = state === ROOT ? this.#fromRoot[byte]! : this.#child(state, byte);
      if (child === ROOT) {
        child = this.#states++;
        this.#byte[child] = byte;
        this.#sibling[child] = this.#firstChild[state]!;
        this.#firstChild[state] = child;
        this.depth[child] = this.depth[state]! + 1;
        if (state === ROOT) this.#fromRoot[byte] = child;
      }
      state = child;
    }
    this.matched[state] = pattern.length;
  }

  /** Breadth first, so that where a shorter state fails to is known before a longer one asks. */
  #link(): void {
    const queue = new Int32Array(this.#states);
    let last = 0;
    for (const child of this.#fromRoot) if (child !== ROOT) queue[last++] = child;
    for (let first = 0; first < last; first++) {
      const state = queue[first]!;
      // The longest pattern that ends here covers the shorter ones that end here too.
      this.matched[state] ||= this.matched[this.#fail[state]!]!;
      for (let child = this.#firstChild[state]!; child !== ROOT; child = this.#sibling[child]!) {
        this.#fail[child] = this.next(this.#fail[state]!, this.#byte[child]!);
        queue[last++] = child;
      }
    }
  }

  #child(state: number, byte: number): number {
    let child = this.#firstChild[state]!;
    while (child !== ROOT && this.#byte[child] !== byte) child = this.#sibling[child]!;
    return child;
  }
}
