import assert from "node:assert/strict";
import fc from "fast-check";
import {
  concat,
  decodeBase64,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeHex,
  encodeUtf8,
  equalBytes,
  isZero,
  readU64,
  viewOf,
  writeU64,
} from "../lib/bytes.ts";

/** RFC 4648, section 10. */
const BASE64 = [
  ["", ""],
  ["f", "Zg=="],
  ["fo", "Zm8="],
  ["foo", "Zm9v"],
  ["foob", "Zm9vYg=="],
  ["fooba", "Zm9vYmE="],
  ["foobar", "Zm9vYmFy"],
] as const;

const NOT_BASE64 = ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm 9v", "Zm9v=", "Zm9v-_==", "Zg==Zg=="];
const NOT_HEX = ["0", "0g", "0x00", " 00", "00 ", "é0"];
const NOT_UTF8 = [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]];

Deno.test("encodeBase64() and decodeBase64() agree with RFC 4648", () => {
  for (const [text, encoded] of BASE64) {
    assert.equal(encodeBase64(encodeUtf8(text)), encoded);
    assert.equal(decodeUtf8(decodeBase64(encoded)), text);
  }
});

Deno.test("decodeBase64() refuses whatever would not encode to the same text", () => {
  for (const text of NOT_BASE64) assert.throws(() => decodeBase64(text), SyntaxError, JSON.stringify(text));
});

Deno.test("decodeHex() takes either case and refuses everything else", () => {
  assert.deepEqual(decodeHex("00fFAb"), Uint8Array.of(0, 255, 171));
  assert.equal(encodeHex(Uint8Array.of(0, 255, 171)), "00ffab");
  for (const text of NOT_HEX) assert.throws(() => decodeHex(text), SyntaxError, JSON.stringify(text));
});

Deno.test("decodeUtf8() refuses bytes that are not UTF-8 and keeps a byte order mark", () => {
  for (const bytes of NOT_UTF8) assert.throws(() => decodeUtf8(Uint8Array.from(bytes)), TypeError);
  assert.equal(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "\ufeffa");
});

Deno.test("the encodings come back as they went in, whatever the bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assert.ok(equalBytes(decodeHex(encodeHex(bytes)), bytes));
    assert.ok(equalBytes(decodeBase64(encodeBase64(bytes)), bytes));
  }));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(decodeUtf8(encodeUtf8(text)), text.toWellFormed());
  }));
});

Deno.test("concat() joins views that are part of larger buffers", () => {
  const whole = Uint8Array.of(1, 2, 3, 4);
  assert.deepEqual(concat(whole.subarray(1, 3), new Uint8Array(0), whole.subarray(3)), Uint8Array.of(2, 3, 4));
  assert.deepEqual(concat(), new Uint8Array(0));
});

Deno.test("equalBytes() and isZero() look at every byte and at the length", () => {
  assert.ok(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  assert.ok(!equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  assert.ok(!equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0)));
  assert.ok(isZero(new Uint8Array(0)));
  assert.ok(!isZero(Uint8Array.of(0, 0, 1)));
});

Deno.test("writeU64() takes 0 to 2^53 - 1, and readU64() gives undefined above that", () => {
  const bytes = new Uint8Array(12);
  const view = viewOf(bytes.subarray(2));
  for (const value of [0, 1, 2 ** 32, 2 ** 53 - 1]) {
    writeU64(view, 1, value);
    assert.equal(readU64(view, 1), value);
  }
  writeU64(view, 1, 0x0102);
  assert.deepEqual([...bytes.subarray(3, 5)], [2, 1], "little-endian");
  for (const value of [-1, 0.5, 2 ** 53, NaN, Infinity]) assert.throws(() => writeU64(view, 1, value), RangeError);
  view.setBigUint64(1, 2n ** 53n, true);
  assert.equal(readU64(view, 1), undefined);
});
