/**
 * Does a change cost more in a large vault?
 *
 * Compaction counts: a cycle is the commits from one snapshot to the next. In the small vault many cycles are run whole.
 * In a large one a part of a cycle is run, and the time of one snapshot, measured when the vault was filled, is spread
 * over the commits of a cycle, whose number grows with the snapshot and is counted in the small vault. With `--deep` the
 * vault of 100,000 runs through a whole cycle. The figure's words say which of the two it was. The sizes take turns.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bench, type BenchVault, ms, nameOf, newValue, withSecrets } from "./harness.ts";

const SMALL = 1_000;
const LARGE = 100_000;
/** Commits of one turn. */
const TURN = 100;
/** Turns of a quick run: more than 8^4 commits, so that all but the largest merges of deltas are in it. */
const TURNS = 60;

interface Side {
  readonly bench: BenchVault;
  readonly count: number;
  /** Commits so far, and milliseconds that the counted ones took. */
  commits: number;
  time: number;
}

/** The bench. */
export const bench: Bench = {
  name: "scaling",
  question: "one durable change at 1,000, 100,000 and more secrets, compaction counted in",
  run: async ({ deep }) =>
    await withAll([SMALL, LARGE, deep ? 1_000_000 : 300_000], [], (sides) => measure(sides, deep)),
};

async function measure(sides: readonly Side[], deep: boolean): ReturnType<Bench["run"]> {
  const [small, large] = [sides[0]!, sides[1]!];
  // All start with what a new process has behind it, the small one at the beginning of a cycle.
  for (const side of sides) await turn(side);
  await toSnapshot(small);
  for (const side of sides) side.time = side.commits = 0;
  const before = sides.map(({ bench }) => bench.snapshots());
  const made = (side: Side) => side.bench.snapshots() - before[sides.indexOf(side)]!;

  for (let turns = 0; turns < TURNS || (deep && made(large) === 0); turns++) {
    for (const side of turns % 2 === 0 ? sides : sides.toReversed()) await turn(side);
  }
  await toSnapshot(small);
  const cycle = small.commits / made(small);

  const each: number[] = [];
  const words: string[] = [];
  for (const side of sides) {
    const { bench, count, commits, time } = side;
    assert.equal((await bench.vault.status()).secrets, count);
    const average = time / commits;
    const whole = made(side) > 0;
    const share = whole ? 0 : bench.fillTime / (cycle * count / SMALL);
    each.push(average + share);
    const how = whole
      ? `${made(side)} snapshots in it`
      : `with ${ms(share)} for a share in a snapshot of ${ms(bench.fillTime)}`;
    words.push(`${count.toLocaleString("en")}: ${ms(average + share)} (${commits} commits, ${how})`);
  }
  assert.deepEqual((await small.bench.vault.check()).problems, []);
  return [{
    name: "dearest / cheapest size",
    value: Math.max(...each) / Math.min(...each),
    atMost: 1.3,
    detail: words.join("; "),
  }];
}

/** Makes the vaults one inside the other, so that all are open at once and all are removed. */
async function withAll<T>(
  counts: readonly number[],
  sides: readonly Side[],
  run: (sides: readonly Side[]) => Promise<T>,
): Promise<T> {
  const [count, ...rest] = counts;
  if (count === undefined) return await run(sides);
  return await withSecrets(count, (bench) => withAll(rest, [...sides, { bench, count, commits: 0, time: 0 }], run));
}

async function turn(side: Side, commits = TURN): Promise<void> {
  const { bench: { vault }, count } = side;
  const start = performance.now();
  for (let i = 0; i < commits; i++) await vault.secrets.set(nameOf((side.commits++ * 7919) % count), newValue());
  side.time += performance.now() - start;
}

async function toSnapshot(side: Side): Promise<void> {
  for (const before = side.bench.snapshots(); side.bench.snapshots() === before;) await turn(side, 1);
}
