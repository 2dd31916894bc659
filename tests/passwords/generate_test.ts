import assert from "node:assert/strict";
import { CLASSES, generatePassword, generateWords, uniform } from "../../lib/passwords/generate.ts";

Deno.test("uniform gives every number below the bound equally often, and draws anew what would favour some", () => {
  // All pairs of bytes there are, in order: what is left over after the largest multiple must be passed by.
  for (const bound of [1, 2, 3, 10, 26, 2048, 65536]) {
    const counts = new Array<number>(bound).fill(0);
    let next = 0;
    const draw = uniform(bound, () => Uint8Array.of(next & 0xff, next++ >> 8));
    const whole = 65536 - 65536 % bound;
    for (let i = 0; i < whole; i++) counts[draw()]!++;
    assert.equal(next, whole);
    assert.deepEqual(new Set(counts), new Set([whole / bound]));
  }
  let calls = 0;
  const draw = uniform(10, () => calls++ === 0 ? Uint8Array.of(0xff, 0xff) : Uint8Array.of(7, 0));
  assert.equal(draw(), 7);
  assert.equal(calls, 2);
});

Deno.test("generatePassword has the length, a character of every class, and no other", () => {
  for (const classes of [["digits"], ["lower", "upper"], ["lower", "upper", "digits", "symbols"]] as const) {
    const alphabet = classes.map((name) => CLASSES[name]).join("");
    for (let length = classes.length; length < 40; length++) {
      const { text } = generatePassword(length, classes);
      assert.equal(text.length, length);
      for (const character of text) assert.ok(alphabet.includes(character));
      for (const name of classes) assert.ok([...text].some((character) => CLASSES[name].includes(character)), name);
    }
  }
  assert.notEqual(generatePassword(20, ["lower"]).text, generatePassword(20, ["lower"]).text);
});

Deno.test("generatePassword says how many passwords there could have been", () => {
  assert.equal(generatePassword(4, ["digits"]).entropy, Math.log2(10_000));
  // Two characters of two classes: one of each, in either order.
  assert.equal(generatePassword(2, ["lower", "digits"]).entropy, Math.log2(2 * 26 * 10));
  assert.equal(generatePassword(3, ["lower", "upper", "digits"]).entropy, Math.log2(6 * 26 * 26 * 10));
  const { entropy } = generatePassword(1024, ["lower", "upper", "digits", "symbols"]);
  assert.ok(Math.abs(entropy - 1024 * Math.log2(26 + 26 + 10 + CLASSES.symbols.length)) < 1e-6);
});

Deno.test("generateWords joins so many words, each worth the logarithm of how many there are", () => {
  const words = ["a", "b", "c", "d"];
  const { text, entropy } = generateWords(50, words, " ");
  assert.equal(entropy, 100);
  assert.equal(text.split(" ").length, 50);
  assert.deepEqual([...new Set(text.split(" "))].sort(), words);
});

Deno.test("generatePassword and generateWords refuse what cannot be", () => {
  for (const length of [0, 1.5, 1025, NaN]) assert.throws(() => generatePassword(length, ["lower"]), RangeError);
  assert.throws(() => generatePassword(2, ["lower", "upper", "digits"]), RangeError);
  assert.throws(() => generatePassword(9, []), RangeError);
  for (const count of [0, 129]) assert.throws(() => generateWords(count, ["a"], " "), RangeError);
});
