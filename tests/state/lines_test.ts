import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, encodeUtf8 } from "../../lib/bytes.ts";
import { CorruptVaultError } from "../../lib/errors.ts";
import { encodeLines, type Line, LineDecoder } from "../../lib/state/lines.ts";

const LINES: readonly Line[] = [
  ["secret", "db/url", '{"a":1}'],
  ["secret", "名前/🔑", '"é🔑\u2028"'],
  ["value", "00ff", '""'],
  ["secret", "gone", null],
  ["api-key", "a", "0"],
];

const MALFORMED: Record<string, string> = {
  "no sign": "secret\ta\t1\n",
  "another sign": "*secret\ta\t1\n",
  "an empty line": "\n",
  "no tab": "+secret\n",
  "no kind": "+\ta\t1\n",
  "a kind in capitals": "+Secret\ta\t1\n",
  "a kind that begins with a digit": "+1secret\ta\t1\n",
  "a kind that is too long": `+${"a".repeat(33)}\ta\t1\n`,
  "no key": "+secret\t\t1\n",
  "no key to remove": "-secret\t\n",
  "no value": "+secret\ta\n",
  "an empty value": "+secret\ta\t\n",
  "a value to remove": "-secret\ta\t1\n",
  "an unfinished line": "+secret\ta\t1",
  "a sign only": "+",
};

const NOT_UTF8 = [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff]];

function decode(pieces: Iterable<Uint8Array>, kind: "snapshot" | "delta" = "delta"): Line[] {
  const decoder = new LineDecoder(kind);
  const lines: Line[] = [];
  for (const piece of pieces) lines.push(...decoder.push(piece));
  decoder.end();
  return lines;
}

Deno.test("encodeLines() and LineDecoder agree on every size of piece, in the middle of characters too", () => {
  const whole = concat(...encodeLines(LINES, 1 << 20));
  for (let size = 1; size <= whole.length + 1; size++) {
    const pieces = [...encodeLines(LINES, size)];
    assert.deepEqual(concat(...pieces), whole);
    for (const piece of pieces.slice(0, -1)) assert.equal(piece.length, size);
    assert.ok(pieces.at(-1)!.length >= 1 && pieces.at(-1)!.length <= size);
    assert.deepEqual(decode(pieces), LINES, `pieces of ${size}`);
  }
});

Deno.test("encodeLines() fills pieces exactly around the border of a chunk", () => {
  const size = 1024 * 1024;
  for (const character of ["a", "é", "語", "🔑"]) {
    const width = encodeUtf8(character).length;
    for (const distance of [-width - 1, -width, -1, 0, 1, width, width + 1]) {
      // The border falls before, into and behind the one character that is not ASCII.
      const head = `+secret\tk\t"`;
      const json = `"${"x".repeat(size + distance - head.length - width)}${character}tail"`;
      const lines: Line[] = [["secret", "k", json], ["secret", "l", "1"]];
      const pieces = [...encodeLines(lines, size)];
      assert.deepEqual(pieces.slice(0, -1).map((piece) => piece.length), [size]);
      assert.ok(decode(pieces)[0]![2] === json, `${character} at ${distance}`);
    }
  }
});

Deno.test("encodeLines() ends with a full piece when the text ends at a border", () => {
  const line: Line = ["secret", "a", "1"];
  const size = [...encodeLines([line], 1000)][0]!.length;
  assert.deepEqual([...encodeLines([line, line], size)].map((piece) => piece.length), [size, size]);
  assert.deepEqual([...encodeLines([line, line], size * 2)].map((piece) => piece.length), [size * 2]);
});

Deno.test("encodeLines() gives one empty piece for no lines, and LineDecoder takes it", () => {
  assert.deepEqual([...encodeLines([], 10)], [new Uint8Array(0)]);
  assert.deepEqual(decode([new Uint8Array(0)], "snapshot"), []);
  assert.deepEqual(decode([], "snapshot"), []);
});

Deno.test("LineDecoder refuses text that is not of the form, cut anywhere", () => {
  for (const [what, text] of Object.entries(MALFORMED)) {
    const bytes = encodeUtf8("+secret\tfine\t1\n" + text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.throws(() => decode([bytes.subarray(0, cut), bytes.subarray(cut)]), CorruptVaultError, what);
    }
  }
});

Deno.test("LineDecoder refuses what is not UTF-8, and a character that is not finished", () => {
  for (const wrong of NOT_UTF8) {
    const bytes = concat(encodeUtf8('+secret\ta\t"'), Uint8Array.from(wrong), encodeUtf8('"\n'));
    assert.throws(() => decode([bytes]), CorruptVaultError);
  }
  assert.throws(() => decode([concat(encodeUtf8("+secret\ta\t1\n"), Uint8Array.of(0xe2, 0x82))]), CorruptVaultError);
});

Deno.test("LineDecoder takes removals in a delta only", () => {
  const bytes = encodeUtf8("-secret\ta\n");
  assert.deepEqual(decode([bytes], "delta"), [["secret", "a", null]]);
  assert.throws(() => decode([bytes], "snapshot"), CorruptVaultError);
});

Deno.test("LineDecoder says nothing of the text that it refuses", () => {
  assert.throws(() => decode([encodeUtf8("+secret\thunter2\n")]), (error: Error) => !/hunter2/.test(error.message));
});

Deno.test("LineDecoder keeps a byte order mark that begins a snapshot's bytes from passing", () => {
  assert.throws(() => decode([encodeUtf8("\ufeff+secret\ta\t1\n")]), CorruptVaultError);
});

Deno.test("LineDecoder gives back whatever encodeLines() was given, in whatever pieces", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter((t) => !/\p{Cc}/u.test(t));
  const line = fc.tuple(fc.constantFrom("secret", "value", "a-b"), text, fc.option(fc.json(), { nil: null }));
  fc.assert(fc.property(fc.array(line, { maxLength: 20 }), fc.integer({ min: 1, max: 64 }), (lines, size) => {
    assert.deepEqual(decode(encodeLines(lines, size)), lines);
  }));
});
