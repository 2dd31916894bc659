/**
 * Names, values and choices of the model test, all of them drawn from one seed.
 *
 * @module
 */

/** Draws things. */
export class Draw {
  constructor(readonly random: () => number) {}

  below(end: number): number {
    return Math.floor(this.random() * end);
  }

  of<T>(things: readonly T[]): T {
    return things[this.below(things.length)]!;
  }

  name(): string {
    // One comes often, so that it outgrows the versions that are kept.
    if (this.random() < 0.4) return "a";
    return this.of(["b", "c/d", "é", "long/".repeat(20), `n${this.below(12)}`]);
  }

  value(): string {
    const size = this.of([0, 1, 20, 159, 160, 161, 500, 4000, 30_000]);
    return `${this.below(1e6)} `.repeat(Math.ceil(size / 5)).slice(0, size);
  }

  user(): string {
    return this.of(["alice", "bob", "acme/alice", "acme/carol"]);
  }
}
