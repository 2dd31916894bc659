import assert from "node:assert/strict";
import { LOWEST_TIER, planAudit, planCommit, SMALL_DELTAS } from "../../lib/state/compaction.ts";
import { MAX_SEGMENTS } from "../../lib/storage/medium.ts";
import { printedSeed, randomFrom } from "../helpers.ts";

const COMMITS = 20_000;

/**
 * A delta: its size, and how often the most travelled record in it was written as part of more than a page. Below that
 * size a commit costs one page whatever it takes along.
 */
interface Delta {
  readonly size: number;
  readonly rewrites: number;
}

interface Outcome {
  readonly mostSegments: number;
  readonly mostRewrites: number;
  readonly written: number;
  readonly added: number;
  readonly snapshots: number;
}

/** Runs commits that only add, so that the snapshot grows by whatever the deltas held. */
function simulate(start: number, commits: number, next: () => number): Outcome {
  let snapshot = start;
  let deltas: Delta[] = [];
  const outcome = { mostSegments: 1, mostRewrites: 0, written: 0, added: 0, snapshots: 0 };
  for (let i = 0; i < commits; i++) {
    const size = next();
    outcome.added += size;
    const plan = planCommit(snapshot, deltas.map((delta) => delta.size), size, MAX_SEGMENTS - 1);
    if (plan.write === "snapshot") {
      snapshot += deltas.reduce((sum, delta) => sum + delta.size, size);
      deltas = [];
      outcome.written += snapshot;
      outcome.snapshots++;
    } else {
      assert.ok(Number.isSafeInteger(plan.absorb) && plan.absorb >= 0 && plan.absorb <= deltas.length);
      const absorbed = deltas.splice(deltas.length - plan.absorb);
      const merged = {
        size: absorbed.reduce((sum, delta) => sum + delta.size, size),
        rewrites: absorbed.reduce((most, delta) => Math.max(most, delta.rewrites), 0),
      };
      if (merged.size > LOWEST_TIER) merged.rewrites++;
      deltas.push(merged);
      outcome.written += Math.max(merged.size, LOWEST_TIER);
      outcome.mostRewrites = Math.max(outcome.mostRewrites, merged.rewrites);
    }
    outcome.mostSegments = Math.max(outcome.mostSegments, deltas.length + 1);
  }
  return outcome;
}

/** How sizes of commits may fall: alike, mixed, mostly small with rare large ones, growing, falling. */
const SIZES: Record<string, (random: () => number) => () => number> = {
  "one byte": () => () => 1,
  "two hundred bytes": () => () => 200,
  "a page": () => () => LOWEST_TIER,
  "a page and a byte": () => () => LOWEST_TIER + 1,
  "any up to 64 KiB": (random) => () => 1 + Math.floor(random() * 65536),
  "any magnitude": (random) => () => Math.ceil(2 ** (random() * 24)),
  "small, rarely large": (random) => () => random() < 0.01 ? 2 ** 20 : 150,
  "large and small in turn": () => {
    let turn = 0;
    return () => turn++ % 2 === 0 ? 40_000 : 100;
  },
  "falling by tiers": () => {
    let turn = 0;
    return () => LOWEST_TIER * 8 ** (6 - (turn++ % 7));
  },
};

Deno.test("planCommit() keeps segments below 48 and rewrites logarithmic, over 20000 commits of any sizes", () => {
  const seed = printedSeed("planCommit()");
  for (const [what, sizes] of Object.entries(SIZES)) {
    for (const start of [0, 100_000, 2 ** 30]) {
      const outcome = simulate(start, COMMITS, sizes(randomFrom(seed)));
      const about = `${what}, snapshot of ${start}: ${JSON.stringify(outcome)}`;
      assert.ok(outcome.mostSegments <= MAX_SEGMENTS, about);
      // Whoever is written again has risen by a tier; tiers are powers of eight.
      const tiers = Math.log(Math.max(outcome.added, LOWEST_TIER) / LOWEST_TIER) / Math.log(8);

      assert.ok(outcome.mostRewrites <= 2 + Math.ceil(tiers), about);
    }
  }
});

Deno.test("planCommit() writes a few times as many bytes as were added, snapshots included", () => {
  const outcome = simulate(0, COMMITS, () => 500);
  assert.ok(outcome.written <= 16 * outcome.added, JSON.stringify(outcome));
  assert.ok(outcome.snapshots < 64, JSON.stringify(outcome));
});

Deno.test("planCommit() writes the one delta alone until a tier is full", () => {
  for (let count = 0; count < 7; count++) {
    assert.deepEqual(planCommit(0, Array(count).fill(100), 100, 47), { write: "delta", absorb: 0 });
  }
  assert.deepEqual(planCommit(0, Array(7).fill(100), 100, 47), { write: "delta", absorb: 7 });
});

Deno.test("planCommit() writes a snapshot when deltas outweigh it, but none for small change", () => {
  assert.deepEqual(planCommit(0, [], SMALL_DELTAS, 47), { write: "delta", absorb: 0 });
  assert.deepEqual(planCommit(0, [], SMALL_DELTAS + 1, 47), { write: "snapshot" });
  assert.deepEqual(planCommit(100_000, [60_000], 40_000, 47), { write: "delta", absorb: 0 });
  assert.deepEqual(planCommit(100_000, [60_000], 40_001, 47), { write: "snapshot" });
});

Deno.test("planCommit() writes a snapshot rather than one delta too many", () => {
  const deltas = [8 ** 6, 8 ** 5, 8 ** 4].map((size) => size * LOWEST_TIER);
  assert.deepEqual(planCommit(2 ** 40, deltas, 1, 4), { write: "delta", absorb: 0 });
  assert.deepEqual(planCommit(2 ** 40, deltas, 1, 3), { write: "snapshot" });
});

Deno.test("planAudit() merges four of a tier, and leaves larger ones alone", () => {
  for (let count = 0; count < 3; count++) assert.equal(planAudit(Array(count).fill(100), 100), 0);
  assert.equal(planAudit([100, 100, 100], 100), 3);
  assert.equal(planAudit([1e6, 100, 100, 100], 100), 3);
  // What they become fills the next tier.
  const next = 8 * LOWEST_TIER;
  assert.equal(planAudit([next, next, next, 1, 1, 1], next), 6);
});

Deno.test("planAudit() keeps few segments and rewrites little over 10,000 snapshots, whatever their sizes", () => {
  const random = randomFrom(printedSeed("planAudit()"));
  const kinds: Readonly<Record<string, () => number>> = {
    "all small": () => 100,
    "all large": () => 5_000_000,
    "of any size": () => Math.ceil(Math.exp(random() * 15)),
    "one by one": () => 1,
  };
  for (const [name, next] of Object.entries(kinds)) {
    const sizes: number[] = [];
    let [written, added, most] = [0, 0, 0];
    for (let i = 0; i < 10_000; i++) {
      const size = next();
      const absorb = planAudit(sizes, size);
      assert.ok(Number.isSafeInteger(absorb) && absorb >= 0 && absorb <= sizes.length, name);
      const taken = sizes.splice(sizes.length - absorb, absorb).reduce((sum, each) => sum + each, size);
      sizes.push(taken);
      added += size;
      written += Math.max(taken, LOWEST_TIER);
      most = Math.max(most, sizes.length);
    }
    assert.ok(most <= 12, `${name}: ${most} segments`);
    assert.equal(sizes.reduce((sum, size) => sum + size, 0), added, name);
    const atLeast = Math.max(added, 10_000 * LOWEST_TIER);
    assert.ok(written < 25 * atLeast, `${name}: ${written} bytes were written for ${atLeast}`);
  }
});
