import assert from "node:assert/strict";
import { decodeHex, encodeHex, encodeUtf8 } from "../../lib/bytes.ts";
import { constantTimeEqual } from "../../lib/crypto/constant_time.ts";
import { hmac, importHmacKey, verifyHmac } from "../../lib/crypto/hmac.ts";
import { flipped, patterned } from "../helpers.ts";

/** RFC 4231, sections 4.2 to 4.8; case 5 is cut to 128 bits there and so is left out. */
const VECTORS = [
  {
    key: "0b".repeat(20),
    data: encodeHex(encodeUtf8("Hi There")),
    tag: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  },
  {
    key: encodeHex(encodeUtf8("Jefe")),
    data: encodeHex(encodeUtf8("what do ya want for nothing?")),
    tag: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  },
  {
    key: "aa".repeat(20),
    data: "dd".repeat(50),
    tag: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
  },
  {
    key: "0102030405060708090a0b0c0d0e0f10111213141516171819",
    data: "cd".repeat(50),
    tag: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  },
  {
    key: "aa".repeat(131),
    data: encodeHex(encodeUtf8("Test Using Larger Than Block-Size Key - Hash Key First")),
    tag: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  },
  {
    key: "aa".repeat(131),
    data: encodeHex(encodeUtf8(
      "This is a test using a larger than block-size key and a larger than block-size data. " +
        "The key needs to be hashed before being used by the HMAC algorithm.",
    )),
    tag: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  },
];

Deno.test("hmac() agrees with RFC 4231, from the synchronous crypto and from Web Crypto", async () => {
  for (const { key, data, tag } of VECTORS) {
    for (const imported of [await importHmacKey(decodeHex(key), true), await importHmacKey(decodeHex(key))]) {
      assert.equal(encodeHex(await hmac(imported, decodeHex(data))), tag);
      assert.ok(await verifyHmac(imported, decodeHex(data), decodeHex(tag)));
    }
  }
});

Deno.test("verifyHmac() refuses every changed byte, a shorter tag and a longer one", async () => {
  const key = await importHmacKey(patterned(32));
  const message = patterned(20);
  const tag = await hmac(key, message);
  for (let at = 0; at < tag.length; at++) assert.ok(!await verifyHmac(key, message, flipped(tag, at)));
  for (let at = 0; at < message.length; at++) assert.ok(!await verifyHmac(key, flipped(message, at), tag));
  assert.ok(!await verifyHmac(key, message, tag.subarray(0, 16)));
  assert.ok(!await verifyHmac(key, message, new Uint8Array(0)));
  assert.ok(!await verifyHmac(key, message, Uint8Array.of(...tag, 0)));
});

Deno.test("constantTimeEqual() is equality of bytes", () => {
  assert.ok(constantTimeEqual(new Uint8Array(0), new Uint8Array(0)));
  assert.ok(constantTimeEqual(patterned(64), patterned(64)));
  for (let at = 0; at < 64; at++) assert.ok(!constantTimeEqual(patterned(64), flipped(patterned(64), at, 0x80)));
  assert.ok(!constantTimeEqual(patterned(63), patterned(64)));
});
