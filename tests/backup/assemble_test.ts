import assert from "node:assert/strict";
import { assemble } from "../../lib/backup/assemble.ts";
import type { Fragment } from "../../lib/backup/fragment.ts";
import { setChange } from "../../lib/state/records.ts";

const ID = new Uint8Array(16);

/** A fragment of generations that sets or removes records of one kind. */
function fragment(
  kind: "snapshot" | "delta",
  [first, last]: readonly [number, number],
  records: Readonly<Record<string, string | null>>,
  parts: Partial<Fragment> = {},
): Fragment {
  const changes: Fragment["changes"] = new Map();
  for (const [key, json] of Object.entries(records)) setChange(changes, "k", key, json);
  const header = { kind, epoch: 1, first, last, id: ID, previous: ID };
  return { header, named: true, whole: true, changes, brokenLines: 0, ...parts };
}

function recordsOf(fragments: readonly Fragment[], newest: number): Record<string, string> {
  return Object.fromEntries([...assemble(fragments, newest).state.records()].map(([, key, json]) => [key, json]));
}

Deno.test("assemble() lays deltas over a whole snapshot in the order of generations, and forgets what is older", () => {
  const fragments = [
    fragment("delta", [5, 6], { a: "new", b: null }),
    fragment("delta", [1, 3], { gone: "1", a: "0" }),
    fragment("snapshot", [4, 4], { a: "1", b: "1" }),
  ];
  assert.deepEqual(recordsOf(fragments, 6), { a: "new" });
  assert.deepEqual(assemble(fragments, 6).missing, []);
});

Deno.test("assemble() fills a damaged snapshot up from older segments, and counts what only they hold", () => {
  const fragments = [
    fragment("snapshot", [2, 2], { a: "old", b: "old" }),
    fragment("snapshot", [9, 9], { a: "new" }, { whole: false }),
    fragment("delta", [10, 10], { c: "1" }),
  ];
  assert.deepEqual(recordsOf(fragments, 10), { a: "new", b: "old", c: "1" });
  const { older, missing } = assemble(fragments, 10);
  assert.deepEqual([older, missing], [1, []]);
});

Deno.test("assemble() names the generations that no segment covers, in between and at the end", () => {
  const fragments = [
    fragment("snapshot", [1, 1], {}),
    fragment("delta", [3, 3], { a: "1" }),
    fragment("delta", [6, 7], { a: "2" }),
  ];
  assert.deepEqual(assemble(fragments, 9).missing, [{ first: 2, last: 2 }, { first: 4, last: 5 }, {
    first: 8,
    last: 9,
  }]);
  const behind = [...fragments.slice(1), fragment("snapshot", [5, 5], { b: "1" }, { whole: false })];
  assert.deepEqual(assemble(behind, 7).missing, [], "a snapshot repeats what came before it");
});

Deno.test("assemble() believes a segment that no meta page names only where nothing named covers its generations", () => {
  const named = [fragment("snapshot", [1, 1], { a: "1" }), fragment("delta", [2, 2], { a: "2" })];
  const stray = { named: false };
  assert.deepEqual(recordsOf([...named, fragment("delta", [2, 2], { a: "x", b: "x" }, stray)], 2), { a: "2" });
  assert.deepEqual(recordsOf([...named, fragment("snapshot", [2, 2], { b: "x" }, stray)], 2), { a: "2" });
  assert.deepEqual(recordsOf([...named, fragment("delta", [3, 3], { b: "3" }, stray)], 3), { a: "2", b: "3" });
  // One that is lost leaves room for what covers it, though named ones follow.
  const gap = [fragment("snapshot", [1, 1], { a: "1" }), fragment("delta", [3, 3], { c: "3" })];
  assert.deepEqual(recordsOf([...gap, fragment("delta", [2, 2], { b: "2" }, stray)], 3), { a: "1", b: "2", c: "3" });
});
