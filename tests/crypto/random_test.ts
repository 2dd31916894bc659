import assert from "node:assert/strict";
import { encodeHex, isZero } from "../../lib/bytes.ts";
import { randomBytes, wipe } from "../../lib/crypto/random.ts";

Deno.test("randomBytes() fills any length, past what the platform gives at once", () => {
  for (const length of [0, 1, 32, 65536, 65537, 200_000]) {
    const bytes = randomBytes(length);
    assert.equal(bytes.length, length);
    if (length >= 32) assert.ok(!isZero(bytes.subarray(-32)), "the end is filled too");
  }
});

Deno.test("randomBytes() does not repeat itself", () => {
  assert.equal(new Set(Array.from({ length: 1000 }, () => encodeHex(randomBytes(16)))).size, 1000);
});

Deno.test("wipe() overwrites the bytes that it is given and nothing around them", () => {
  const whole = Uint8Array.of(1, 2, 3, 4);
  const other = Uint8Array.of(5);
  wipe(whole.subarray(1, 3), other);
  assert.deepEqual(whole, Uint8Array.of(1, 0, 0, 4));
  assert.deepEqual(other, Uint8Array.of(0));
});
