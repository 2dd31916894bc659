import assert from "node:assert/strict";
import { checkDeep } from "../../lib/state/deep.ts";
import { Draft, State } from "../../lib/state/records.ts";
import { addVersion, putSecret, SECRET, type StoredSecret, VALUE } from "../../lib/state/secret.ts";

const KEY = "0".repeat(32);

/** A state of one small and one large secret, changed before it is looked at. */
function stateOf(change: (state: State, draft: Draft) => void = () => {}): State {
  const state = new State();
  const draft = new Draft(state);
  for (const [name, size, now] of [["small", 3, 1], ["large", 500, 1], ["large", 600, 2]] as const) {
    putSecret(draft, name, addVersion(draft, name, new Uint8Array(size), now));
  }
  state.apply(draft.changes);
  const second = new Draft(state);
  change(state, second);
  state.apply(second.changes);
  return state;
}

function secretOf(state: State, name: string): StoredSecret {
  return JSON.parse(state.get(SECRET, name)!);
}

Deno.test("checkDeep() decodes every version of every secret, and tells how far it is", () => {
  const told: [number, number][] = [];
  const found = checkDeep(stateOf(), (done, total) => told.push([done, total]));
  assert.deepEqual(found, { values: 3, problems: [], notes: [] });
  assert.deepEqual(told, [[0, 2], [1, 2], [2, 2]]);
});

Deno.test("checkDeep() reports values that are missing, shared, not base64, or not of their size", () => {
  const damaged = (change: (state: State, draft: Draft, ref: string) => void) => {
    const state = stateOf((state, draft) => change(state, draft, secretOf(state, "large").versions[0]!.ref!));
    return checkDeep(state).problems.map((what) => what.replace("The vault is damaged: ", ""));
  };
  assert.deepEqual(damaged((_, draft, ref) => draft.remove(VALUE, ref)), ["a value is missing"]);
  assert.deepEqual(damaged((_, draft, ref) => draft.put(VALUE, ref, '"%"')), ["a value is not base64"]);
  assert.deepEqual(damaged((_, draft, ref) => draft.put(VALUE, ref, '"AAAA"')), ["a value is not of its size"]);
  assert.deepEqual(damaged((_, draft) => draft.put(SECRET, "bad", "{}")), [
    "the record of a secret is not of its form",
  ]);
  assert.deepEqual(
    damaged((state, draft) => putSecret(draft, "twin", secretOf(state, "large"))),
    ["two versions share a value", "two versions share a value"],
  );
});

Deno.test("checkDeep() notes what no writer may write, without a name", () => {
  const noted = (change: (state: State, draft: Draft) => void) => {
    const { notes, problems } = checkDeep(stateOf(change));
    assert.deepEqual(problems, []);
    return notes;
  };
  const small = (state: State) => secretOf(state, "small");
  assert.deepEqual(noted((_, draft) => draft.put(VALUE, KEY, '"AA=="')), ["Values that no secret names: 1"]);
  assert.deepEqual(noted((_, draft) => draft.put(VALUE, "x", '"AA=="')), [
    "A value's key is not 32 hex digits",
    "Values that no secret names: 1",
  ]);
  assert.deepEqual(noted((state, draft) => putSecret(draft, "e\u0301", small(state))), [
    "Invalid name: it is not in Unicode form NFC",
  ]);
  assert.deepEqual(noted((state, draft) => putSecret(draft, "t", { ...small(state), tags: ["b", "a"] })), [
    "Tags are not sorted, or stand twice",
  ]);
  assert.deepEqual(noted((state, draft) => putSecret(draft, "t", { ...small(state), tags: ["a", "a"] })), [
    "Tags are not sorted, or stand twice",
  ]);
  assert.deepEqual(noted((state, draft) => putSecret(draft, "t", { ...small(state), note: "" })), [
    "An empty member was not left out",
  ]);
  const large = { version: 1, created: 1, size: 300, value: new Uint8Array(300).toBase64() };
  assert.deepEqual(noted((state, draft) => putSecret(draft, "t", { ...small(state), versions: [large] })), [
    "A value does not stand where one of its size belongs",
  ]);
  assert.match(noted((state, draft) => putSecret(draft, "t", { ...small(state), type: "a".repeat(65) }))[0]!, /type/);
  assert.match(noted((state, draft) => putSecret(draft, "t", { ...small(state), note: "a".repeat(5000) }))[0]!, /note/);
  assert.match(noted((state, draft) => putSecret(draft, "t", { ...small(state), tags: ["a b\n"] }))[0]!, /tag/);
});
