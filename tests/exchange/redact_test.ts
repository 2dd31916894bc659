import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, encodeUtf8 } from "../../lib/bytes.ts";
import { PatternSet } from "../../lib/exchange/pattern_set.ts";
import { MASK, Redactor } from "../../lib/exchange/redact.ts";

const RUNS = { numRuns: Deno.env.get("COFFER_DEEP") === "1" ? 20_000 : 1_000 };

/** What a stream becomes, by looking at all of it at once and trying every pattern everywhere. */
function reference(patterns: readonly Uint8Array[], text: Uint8Array, most = text.length): Uint8Array {
  const covered = coverage(patterns, text);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < most; at++) {
    if (!covered[at]) parts.push(text.subarray(at, at + 1));
    else if (!covered[at - 1]) parts.push(encodeUtf8(MASK));
  }
  return concat(...parts);
}

/** Which bytes an occurrence covers. */
function coverage(patterns: readonly Uint8Array[], text: Uint8Array): Uint8Array {
  const covered = new Uint8Array(text.length);
  for (const pattern of patterns.filter(({ length }) => length > 0)) {
    for (let at = 0; at + pattern.length <= text.length; at++) {
      if (pattern.every((byte, index) => text[at + index] === byte)) covered.fill(1, at, at + pattern.length);
    }
  }
  return covered;
}

/** How many bytes are decided whatever follows: those before the longest end that begins a pattern, and what is covered. */
function decided(patterns: readonly Uint8Array[], text: Uint8Array): number {
  let at = 0;
  const begins = (from: number) =>
    patterns.some((pattern) =>
      text.length - from <= pattern.length && text.subarray(from).every((byte, index) => pattern[index] === byte)
    );
  while (at < text.length && !begins(at)) at++;
  const covered = coverage(patterns, text);
  while (covered[at]) at++;
  return at;
}

function masked(patterns: readonly Uint8Array[], chunks: readonly Uint8Array[]): Uint8Array {
  const redactor = new Redactor(new PatternSet(patterns));
  return concat(...chunks.map((chunk) => redactor.push(chunk)), redactor.end());
}

/** Two letters make every kind of overlap likely. */
const LETTERS = fc.constantFrom(0x61, 0x62);
const PATTERNS = fc.array(fc.uint8Array({ maxLength: 7 }).map((bytes) => bytes.map((byte) => 0x61 + byte % 2)), {
  maxLength: 5,
});
const CHUNKS = fc.array(fc.array(LETTERS, { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes)), { maxLength: 12 });

Deno.test("Redactor masks what a naive search masks, however the stream is cut", () => {
  fc.assert(
    fc.property(PATTERNS, CHUNKS, (patterns, chunks) => {
      assert.deepEqual(masked(patterns, chunks), reference(patterns, concat(...chunks)));
    }),
    RUNS,
  );
});

Deno.test("Redactor masks as a naive search does among all bytes, with patterns that are in the text", () => {
  const text = fc.uint8Array({ minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(text, fc.array(fc.tuple(fc.nat(), fc.nat(20))), fc.array(fc.nat(200)), (text, places, cuts) => {
      const patterns = places.map(([at, length]) => text.slice(at % text.length, at % text.length + length));
      const sorted = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length].sort((a, b) => a - b);
      const chunks = sorted.slice(1).map((end, index) => text.subarray(sorted[index], end));
      assert.deepEqual(masked(patterns, chunks), reference(patterns, text));
    }),
    RUNS,
  );
});

Deno.test("Redactor passes on after each chunk exactly what no later one can change", () => {
  fc.assert(
    fc.property(PATTERNS, CHUNKS, (patterns, chunks) => {
      const redactor = new Redactor(new PatternSet(patterns));
      let seen = new Uint8Array(0);
      let passed = new Uint8Array(0);
      for (const chunk of chunks) {
        seen = concat(seen, chunk);
        passed = concat(passed, redactor.push(chunk));
        assert.deepEqual(passed, reference(patterns, seen, decided(patterns, seen)));
      }
    }),
    RUNS,
  );
});

/** Pattern, chunks, and what each push gives, then the end. */
const STREAMS: readonly (readonly [readonly string[], readonly string[], readonly string[]])[] = [
  [["hunter2"], ["Password: "], ["Password: ", ""]],
  [["hunter2"], ["has hun", "ger"], ["has ", "hunger", ""]],
  [["hunter2"], ["hun", "ter", "2", "!"], ["", "", "***", "!", ""]],
  [["hunter2"], ["hunter2"], ["***", ""]],
  [["hunter2"], ["hunter"], ["", "hunter"]],
  [["aaa"], ["a", "a", "a", "a", "b"], ["", "", "***", "", "b", ""]],
  [["abcd", "cdef"], ["xabcdefx"], ["x***x", ""]],
  [["abcd", "efgh"], ["abcdefgh"], ["***", ""]],
  [["abcd", "bc"], ["abcx"], ["a***x", ""]],
  [["abcd", "bc"], ["abc", "d"], ["", "***", ""]],
  [["ab", "abcd"], ["ab", "cd", "x"], ["***", "", "x", ""]],
  [["ab", "abcd"], ["ab", "cx"], ["***", "cx", ""]],
  [[""], ["abc"], ["abc", ""]],
  [[], ["abc"], ["abc", ""]],
];

Deno.test("Redactor passes on at once what no pattern can cover any more, and holds back the rest", () => {
  for (const [patterns, chunks, wanted] of STREAMS) {
    const redactor = new Redactor(new PatternSet(patterns.map(encodeUtf8)));
    const given = [...chunks.map((chunk) => redactor.push(encodeUtf8(chunk))), redactor.end()];
    const texts = given.map((bytes) => new TextDecoder().decode(bytes));
    assert.deepEqual(texts, wanted, JSON.stringify([patterns, chunks]));
  }
});
