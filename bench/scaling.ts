/**
 * Does a change cost more in a large vault?
 *
 * Compaction counts: a cycle is the commits from one snapshot to the next. Where a cycle fits into the time there is, it
 * is run whole; else the commits of a part of it are averaged, and the time of one snapshot, measured when the vault was
 * filled, is spread over the commits of a cycle. Their number grows with the snapshot, so it is taken from the smallest
 * vault, in which a cycle was counted. The figure's words say which of the two it was.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bench, type BenchVault, ms, nameOf, newValue, withSecrets } from "./harness.ts";

/** Most commits of a quick run: more than 8^4, so that all but the largest merges of deltas are in it. */
const QUICK = 5_000;
/** Commits before the clock starts. */
const WARM = 200;

interface Cost {
  readonly each: number;
  readonly how: string;
}

/** The bench. */
export const bench: Bench = {
  name: "scaling",
  question: "one durable change at 1,000, 100,000 and more secrets, compaction counted in",
  run: async ({ deep }) => {
    let cycle = 0;
    const small = await withSecrets(1_000, async (bench) => {
      cycle = await runCycle(bench, 1_000);
      const [start, first] = [performance.now(), bench.snapshots()];
      let commits = 0;
      while (commits < QUICK || bench.snapshots() - first < 3) commits += await runCycle(bench, 1_000);
      return { each: (performance.now() - start) / commits, how: `measured over ${commits} commits in whole cycles` };
    });
    const costs = new Map<number, Cost>([[1_000, small]]);
    for (const count of [100_000, deep ? 1_000_000 : 300_000]) {
      const measure = (bench: BenchVault) => deep && count === 100_000 ? whole(bench, count) : part(bench, count);
      costs.set(count, await withSecrets(count, measure));
    }

    function part(bench: BenchVault, count: number): Promise<Cost> {
      return estimate(bench, count, cycle * count / 1_000);
    }

    const each = [...costs.values()].map((cost) => cost.each);
    const words = [...costs].map(([count, { each, how }]) => `${count.toLocaleString("en")}: ${ms(each)} (${how})`);
    return [{
      name: "dearest / cheapest size",
      value: Math.max(...each) / Math.min(...each),
      atMost: 1.3,
      detail: words.join("; "),
    }];
  },
};

/** Changes secrets until a snapshot was committed; gives the number of commits. */
async function runCycle({ vault, snapshots }: BenchVault, count: number): Promise<number> {
  const before = snapshots();
  let commits = 0;
  while (snapshots() === before) {
    await vault.secrets.set(nameOf((commits++ * 7919) % count), newValue());
  }
  return commits;
}

async function whole(bench: BenchVault, count: number): Promise<Cost> {
  const start = performance.now();
  const commits = await runCycle(bench, count);
  return { each: (performance.now() - start) / commits, how: `measured over one cycle of ${commits} commits` };
}

async function estimate({ vault, snapshots, fillTime }: BenchVault, count: number, cycle: number): Promise<Cost> {
  const change = (index: number) => vault.secrets.set(nameOf((index * 7919) % count), newValue());
  for (let i = 0; i < WARM; i++) await change(i);
  const before = snapshots();
  const start = performance.now();
  for (let i = 0; i < QUICK; i++) await change(WARM + i);
  const average = (performance.now() - start) / QUICK;
  assert.equal(snapshots(), before, "a snapshot fell into the part that should have none");
  assert.equal((await vault.status()).secrets, count);
  const share = fillTime / cycle;
  const how = `${ms(average)} over ${QUICK} commits + a snapshot of ${ms(fillTime)} / ${Math.round(cycle)} commits`;
  return { each: average + share, how };
}
