import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import type { ImportEntry } from "../../lib/exchange/entry.ts";
import { planImport, type Present } from "../../lib/exchange/plan.ts";

const DATE = new Date("2027-01-01");

function entry(name: string, value: string, metadata?: ImportEntry["metadata"]): ImportEntry {
  return { name, value: encodeUtf8(value), ...(metadata === undefined ? {} : { metadata }) };
}

function vault(
  secrets: Readonly<Record<string, string | Omit<Present, "value">>>,
): (name: string) => Present | undefined {
  return (name) => {
    const found = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
    if (found === undefined) return undefined;
    return typeof found === "string" ? { value: encodeUtf8(found) } : { value: encodeUtf8("v"), ...found };
  };
}

Deno.test("planImport tells new, same and changed apart, by value and by what the entry notes", () => {
  const noted = { note: "n", tags: ["a", "b"], expires: DATE.getTime(), type: "t" };
  const cases: readonly (readonly [ImportEntry["metadata"], Omit<Present, "value">, "same" | "changed"])[] = [
    [undefined, {}, "same"],
    [undefined, noted, "same"],
    [{}, noted, "same"],
    [{ note: "n", tags: ["b", "a", "a"], expiresAt: DATE, type: "t" }, noted, "same"],
    [{ note: null, tags: null, expiresAt: null, type: null }, {}, "same"],
    [{ note: null }, noted, "changed"],
    [{ note: "m" }, noted, "changed"],
    [{ tags: null }, noted, "changed"],
    [{ tags: ["a"] }, noted, "changed"],
    [{ expiresAt: null }, noted, "changed"],
    [{ expiresAt: new Date(1) }, noted, "changed"],
    [{ type: "u" }, noted, "changed"],
    [{ type: "u" }, {}, "changed"],
  ];
  for (const [metadata, there, expected] of cases) {
    const [planned] = planImport([entry("a", "v", metadata)], vault({ a: there }), "fail");
    assert.equal(planned!.state, expected, JSON.stringify([metadata, there]));
  }
  const states = planImport([entry("a", "1"), entry("b", "1")], vault({ b: "2" }), "fail").map(({ state }) => state);
  assert.deepEqual(states, ["new", "changed"]);
});

Deno.test("planImport does with taken names what it is told", () => {
  const entries = [entry("new", "1"), entry("same", "1"), entry("taken", "1")];
  const there = vault({ same: "1", taken: "2" });
  const targets = (onConflict: "fail" | "skip" | "overwrite" | "rename") =>
    planImport(entries, there, onConflict).map(({ target }) => target);
  assert.deepEqual(targets("fail"), ["new", undefined, undefined]);
  assert.deepEqual(targets("skip"), ["new", undefined, undefined]);
  assert.deepEqual(targets("overwrite"), ["new", undefined, "taken"]);
  assert.deepEqual(targets("rename"), ["new", undefined, "taken-2"]);
});

Deno.test("planImport renames to names that neither the vault nor the file has, and once only", () => {
  const there = vault({ a: "1", "a-2": "2", b: "1" });
  const plan = planImport([entry("a", "x"), entry("a-3", "y"), entry("b", "z"), entry("b-2", "w")], there, "rename");
  assert.deepEqual(plan.map(({ target }) => target), ["a-4", "a-3", "b-3", "b-2"]);
  const [again] = planImport([entry("a", "2")], there, "rename");
  assert.deepEqual([again!.state, again!.target], ["same", undefined]);
});
