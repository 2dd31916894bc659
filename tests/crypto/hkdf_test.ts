import assert from "node:assert/strict";
import { decodeHex, encodeHex, encodeUtf8 } from "../../lib/bytes.ts";
import { hkdf } from "../../lib/crypto/hkdf.ts";
import { patterned } from "../helpers.ts";

/**
 * RFC 5869, appendix A, cases 1 and 3: the first 32 of their bytes of output. The function takes its label as text, so
 * only the case without one can go through it; the other one holds this test's own HKDF to the same document.
 */
const VECTORS = [
  {
    material: "0b".repeat(22),
    salt: "000102030405060708090a0b0c",
    info: "f0f1f2f3f4f5f6f7f8f9",
    okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
  },
  {
    material: "0b".repeat(22),
    salt: "",
    info: "",
    okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
  },
];

Deno.test("hkdf() agrees with RFC 5869", async () => {
  for (const { material, salt, info, okm } of VECTORS) {
    const expand = await expandByHmac(decodeHex(material), decodeHex(salt), decodeHex(info));
    assert.equal(encodeHex(expand), okm);
    if (info === "") assert.equal(encodeHex(await hkdf(decodeHex(material), decodeHex(salt), "")), okm);
  }
});

Deno.test("hkdf() is extract and expand by HMAC, with the label as its info", async () => {
  for (const label of ["", "coffer/v1/key/data", "ä label 🔑"]) {
    const expected = await expandByHmac(patterned(32), patterned(16, 3), encodeUtf8(label));
    assert.deepEqual(await hkdf(patterned(32), patterned(16, 3), label), expected);
  }
});

Deno.test("hkdf() gives another key for another label, salt or material", async () => {
  const keys = await Promise.all([
    hkdf(patterned(32), patterned(16), "a"),
    hkdf(patterned(32), patterned(16), "b"),
    hkdf(patterned(32), patterned(16, 1), "a"),
    hkdf(patterned(32, 1), patterned(16), "a"),
  ]);
  assert.equal(new Set(keys.map(encodeHex)).size, keys.length);
  assert.ok(keys.every((key) => key.length === 32));
});

/** RFC 5869, section 2, for one block of output. */
async function expandByHmac(
  material: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
  info: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const pseudorandom = await sign(salt.length === 0 ? new Uint8Array(32) : salt, material);
  return await sign(pseudorandom, Uint8Array.of(...info, 1));
}

async function sign(
  raw: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
}
