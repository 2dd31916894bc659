import assert from "node:assert/strict";
import fc from "fast-check";
import { checkName, globMatcher, MAX_NAME_SIZE } from "../../lib/state/names.ts";
import { rejectsWith } from "../helpers.ts";

const GOOD = [
  "a",
  " ",
  "db/url",
  "/",
  "..",
  "__proto__",
  "constructor",
  "é",
  "日本語/キー",
  "🔑",
  "a\u00a0b",
  "\ufeffmark",
  "a".repeat(512),
  "é".repeat(256),
  "🔑".repeat(128),
];

const BAD: readonly [name: string, why: RegExp][] = [
  ["", /empty/],
  ["a".repeat(513), /longer than 512/],
  ["a" + "é".repeat(256), /longer than 512/],
  ["🔑".repeat(128) + "a", /longer than 512/],
  ["a".repeat(10_000_000), /longer than 512/],
  ["a\tb", /control/],
  ["a\nb", /control/],
  ["\0", /control/],
  ["\x1b[31m", /control/],
  ["\x7f", /control/],
  ["\x85", /control/],
  ["\x9f", /control/],
  ["\ud800", /Unicode/],
  ["a\udfff", /Unicode/],
  ["\udd11\ud83d", /Unicode/],
  ["e\u0301", /NFC/],
  ["\u212b", /NFC/],
  ["\u1100\u1161", /NFC/],
];

/** Pattern, names that match, names that do not. */
const GLOBS: readonly [pattern: string, yes: readonly string[], no: readonly string[]][] = [
  ["", [""], ["a"]],
  ["db/url", ["db/url"], ["db/url2", "xdb/url", "DB/URL"]],
  ["*", ["", "a", "abc", ".hidden"], ["a/b", "/"]],
  ["db/*", ["db/url", "db/"], ["db", "db/a/b", "xdb/url"]],
  ["*/url", ["db/url", "/url"], ["url", "a/b/url"]],
  ["**", ["", "a", "a/b/c"], []],
  ["***", ["", "a/b/c"], []],
  ["db/**", ["db/", "db/a", "db/a/b"], ["db", "xdb/a"]],
  ["**/url", ["a/url", "a/b/url", "/url"], ["url", "a/url2"]],
  ["a*b*c", ["abc", "aXbYc", "abbc", "abcbc"], ["ab", "ac", "a/bc", "abcd"]],
  ["?", ["a", "é", "🔑"], ["", "ab", "/"]],
  ["a?c", ["abc"], ["ac", "a/c", "abbc"]],
  ["[abc]", ["a", "c"], ["d", "", "ab"]],
  ["[a-c]x", ["ax", "cx"], ["dx", "-x"]],
  ["[!a-c]x", ["dx", "-x"], ["ax", "x"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["[-a]", ["a", "-"], ["b"]],
  ["[]a]", ["]", "a"], ["b"]],
  ["[!]a]", ["b"], ["]", "a"]],
  ["[", ["["], ["a"]],
  ["[abc", ["[abc"], ["a"]],
  ["\\*", ["*"], ["a", "\\*"]],
  ["\\[a]", ["[a]"], ["a"]],
  ["\\\\", ["\\"], ["\\\\"]],
  ["a\\", ["a\\"], ["a"]],
  ["日*", ["日本"], ["本日"]],
  ["(.+)+$", ["(.+)+$"], ["aaa"]],
];

Deno.test("checkName() takes NFC text of 1 to 512 bytes", () => {
  for (const name of GOOD) assert.equal(checkName(name), name);
});

Deno.test("checkName() refuses what is too long, not NFC, not Unicode, or holds a control character", async () => {
  for (const [name, why] of BAD) assert.match((await rejectsWith(() => checkName(name), "invalid-name")).message, why);
});

Deno.test("checkName() never quotes the name, and calls another type the caller's mistake", async () => {
  const error = await rejectsWith(() => checkName("hunter2\n"), "invalid-name");
  assert.doesNotMatch(error.message, /hunter2/);
  for (const value of [undefined, null, 1, {}, ["a"]]) assert.throws(() => checkName(value as never), TypeError);
});

Deno.test("checkName() gives back the very text, or throws, whatever it is given", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
    let name;
    try {
      name = checkName(text);
    } catch {
      return;
    }
    assert.equal(name, text);
    assert.equal(name, name.normalize("NFC"));
    const size = new TextEncoder().encode(name).length;
    assert.ok(size >= 1 && size <= MAX_NAME_SIZE);
  }));
});

Deno.test("globMatcher() follows the table", () => {
  for (const [pattern, yes, no] of GLOBS) {
    const matches = globMatcher(pattern);
    for (const name of yes) assert.ok(matches(name), `"${pattern}" should match "${name}"`);
    for (const name of no) assert.ok(!matches(name), `"${pattern}" should not match "${name}"`);
  }
});

Deno.test("globMatcher() ends soon for a pattern that would make a regular expression run for ever", () => {
  assert.ok(!globMatcher("*a".repeat(100))("a".repeat(500) + "b"));
  assert.ok(!globMatcher("**a".repeat(100) + "c")("a".repeat(512)));
});

Deno.test("globMatcher() refuses a pattern that is longer than any name could need", async () => {
  await rejectsWith(() => globMatcher("*".repeat(2049)), "invalid-name");
  assert.ok(globMatcher("*".repeat(2048))("a"));
});

Deno.test("globMatcher() compares ranges by character, past U+FFFF too", () => {
  const matches = globMatcher("[\ue000-\u{1f600}]");
  assert.ok(matches("\u{1f511}"));
  assert.ok(!matches("\ud7a3"));
});

Deno.test("globMatcher() takes an escaped name for that name alone", () => {
  fc.assert(fc.property(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (name, other) => {
    const matches = globMatcher(name.replace(/[*?[\]\\!-]/g, "\\$&"));
    assert.ok(matches(name));
    assert.equal(matches(other), other === name);
  }));
});
