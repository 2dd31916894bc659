import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeLines } from "../../lib/state/lines.ts";
import { changeLines, hasChanges, readChanges, readSnapshot } from "../../lib/state/changes.ts";
import { type Changes, Draft, mergeChanges, type RecordReader, setChange, State } from "../../lib/state/records.ts";
import { piecesOf } from "../helpers.ts";

const KINDS = ["secret", "value", "user"];
/** Few, so that changes meet; among them names that objects would choke on. */
const KEYS = ["a", "b", "c", "__proto__", "constructor", "toString", "hasOwnProperty"];

type Step = { readonly kind: string; readonly key: string; readonly json: string | null };

const step = fc.record({
  kind: fc.constantFrom(...KINDS),
  key: fc.constantFrom(...KEYS),
  json: fc.option(fc.constantFrom("0", "1", '"two"'), { nil: null }),
});
const steps = fc.array(step, { maxLength: 30 });

function changesOf(all: readonly Step[]): Changes {
  const changes: Changes = new Map();
  for (const { kind, key, json } of all) setChange(changes, kind, key, json);
  return changes;
}

function applied(model: ReadonlyMap<string, string>, all: readonly Step[]): Map<string, string> {
  const result = new Map(model);
  for (const { kind, key, json } of all) {
    if (json === null) result.delete(`${kind}\t${key}`);
    else result.set(`${kind}\t${key}`, json);
  }
  return result;
}

function contents(records: RecordReader): Map<string, string> {
  const result = new Map<string, string>();
  for (const kind of KINDS) {
    for (const key of records.keys(kind)) {
      assert.ok(!result.has(`${kind}\t${key}`), "each key comes once");
      result.set(`${kind}\t${key}`, records.get(kind, key)!);
    }
  }
  return result;
}

Deno.test("State holds what a Map holds after the same changes", () => {
  fc.assert(fc.property(fc.array(steps, { maxLength: 6 }), (commits) => {
    const state = new State();
    let model = new Map<string, string>();
    for (const commit of commits) {
      state.apply(changesOf(commit));
      model = applied(model, commit);
      assert.deepEqual(contents(state), model);
      for (const kind of KINDS) {
        assert.equal(state.count(kind), [...model.keys()].filter((key) => key.startsWith(`${kind}\t`)).length);
      }
      assert.equal([...state.records()].length, model.size);
    }
  }));
});

Deno.test("Draft shows the base with its own changes over it, and leaves the base alone", () => {
  fc.assert(fc.property(steps, steps, steps, (before, outer, inner) => {
    const state = new State();
    state.apply(changesOf(before));
    const base = contents(state);
    const draft = new Draft(state);
    for (const { kind, key, json } of outer) json === null ? draft.remove(kind, key) : draft.put(kind, key, json);
    const middle = applied(base, outer);
    assert.deepEqual(contents(draft), middle);
    const nested = new Draft(draft);
    for (const { kind, key, json } of inner) json === null ? nested.remove(kind, key) : nested.put(kind, key, json);
    assert.deepEqual(contents(nested), applied(middle, inner));
    assert.deepEqual(contents(draft), middle, "the view below does not change");
    draft.absorb(nested.changes);
    assert.deepEqual(contents(draft), applied(middle, inner));
    assert.deepEqual(contents(state), base, "the base does not change");
    state.apply(draft.changes);
    assert.deepEqual(contents(state), applied(middle, inner));
  }));
});

Deno.test("Draft.absorb() copies: what is done to the absorbed view afterwards does not show", () => {
  const draft = new Draft(new State());
  const nested = new Draft(draft);
  nested.put("secret", "a", "1");
  draft.absorb(nested.changes);
  nested.put("secret", "a", "2");
  nested.put("secret", "b", "3");
  assert.deepEqual([...draft.keys("secret")].map((key) => draft.get("secret", key)), ["1"]);
});

Deno.test("mergeChanges() gives one delta that does what its parts did one after another", () => {
  fc.assert(fc.property(steps, steps, steps, (before, first, second) => {
    const [apart, together] = [new State(), new State()];
    for (const state of [apart, together]) state.apply(changesOf(before));
    apart.apply(changesOf(first));
    apart.apply(changesOf(second));
    const merged = changesOf(first);
    mergeChanges(merged, changesOf(second));
    together.apply(merged);
    assert.deepEqual(contents(together), contents(apart));
    // Whoever applied the parts already may apply the whole over them.
    apart.apply(merged);
    assert.deepEqual(contents(apart), contents(together));
  }));
});

Deno.test("readChanges() and readSnapshot() read what was written as lines", async () => {
  await fc.assert(fc.asyncProperty(steps, async (all) => {
    const changes = changesOf(all);
    assert.deepEqual(await readChanges(piecesOf(...encodeLines(changeLines(changes), 7))), changes);
    const state = new State();
    state.apply(changes);
    const read = await readSnapshot(piecesOf(...encodeLines(state.records(), 7)));
    assert.deepEqual(contents(read), contents(state));
  }));
});

Deno.test("hasChanges() is false for kinds without records, and true for a removal", () => {
  assert.ok(!hasChanges(new Map()));
  assert.ok(!hasChanges(new Map([["secret", new Map()]])));
  assert.ok(hasChanges(new Map([["secret", new Map([["a", null]])]])));
});
