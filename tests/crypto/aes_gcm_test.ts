import assert from "node:assert/strict";
import { concat, decodeHex, encodeHex } from "../../lib/bytes.ts";
import { importAesKey, NONCE_SIZE, open, OVERHEAD, seal, TAG_SIZE } from "../../lib/crypto/aes_gcm.ts";
import { flipped, patterned } from "../helpers.ts";

/** Test cases 13 to 16 of the GCM specification (McGrew and Viega), for 256-bit keys. */
const VECTORS = [
  {
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    plaintext: "",
    aad: "",
    ciphertext: "",
    tag: "530f8afbc74536b9a963b4f1c4cb738b",
  },
  {
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    plaintext: "00".repeat(16),
    aad: "",
    ciphertext: "cea7403d4d606b6e074ec5d3baf39d18",
    tag: "d0d1c8a799996bf0265b98b5d48ab919",
  },
  {
    key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    nonce: "cafebabefacedbaddecaf888",
    plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    ciphertext: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
    tag: "76fc6ece0f4e1768cddf8853bb2d551b",
  },
];

/** Around the size at which the synchronous cipher gives way to Web Crypto, sealed and not. */
const SIZES = [0, 1, 15, 16, 17, 4096, 8192 - OVERHEAD, 8191, 8192, 8193, 100_000];

for (const often of [false, true]) {
  const how = often ? "a key that is used often" : "a plain key";

  Deno.test(`open() gives the plaintexts of the GCM specification, with ${how}`, async () => {
    for (const vector of VECTORS) {
      const key = await importAesKey(decodeHex(vector.key), often);
      const sealed = decodeHex(vector.nonce + vector.ciphertext + vector.tag);
      const opened = await open(key, sealed, decodeHex(vector.aad));
      assert.ok(opened !== null);
      assert.equal(encodeHex(opened), vector.plaintext);
    }
  });

  Deno.test(`open() gives back what seal() took, whatever the size, with ${how}`, async () => {
    const key = await importAesKey(patterned(32), often);
    for (const size of SIZES) {
      const plaintext = patterned(size);
      const sealed = await seal(key, plaintext, patterned(40));
      assert.equal(sealed.length, size + OVERHEAD);
      assert.deepEqual(await open(key, sealed, patterned(40)), plaintext);
    }
  });

  Deno.test(`open() gives null for every byte that is changed, with ${how}`, async () => {
    const key = await importAesKey(patterned(32), often);
    const aad = patterned(20);
    const sealed = await seal(key, patterned(50), aad);
    for (let at = 0; at < sealed.length; at++) {
      assert.equal(await open(key, flipped(sealed, at, 0x80), aad), null, `byte ${at}`);
    }
    for (let at = 0; at < aad.length; at++) {
      assert.equal(await open(key, sealed, flipped(aad, at)), null, `additional byte ${at}`);
    }
    assert.equal(await open(key, sealed, aad.subarray(1)), null);
    assert.equal(await open(await importAesKey(flipped(patterned(32), 31), often), sealed, aad), null);
  });

  Deno.test(`open() gives null for what is cut or lengthened, with ${how}`, async () => {
    const key = await importAesKey(patterned(32), often);
    const sealed = await seal(key, patterned(10), new Uint8Array(0));
    for (let length = 0; length < sealed.length; length++) {
      assert.equal(await open(key, sealed.subarray(0, length), new Uint8Array(0)), null, `${length} bytes`);
    }
    assert.equal(await open(key, concat(sealed, Uint8Array.of(0)), new Uint8Array(0)), null);
    assert.equal(await open(key, sealed.subarray(1), new Uint8Array(0)), null);
  });

  Deno.test(`open() gives null for a changed tag of a large text, with ${how}`, async () => {
    const key = await importAesKey(patterned(32), often);
    const sealed = await seal(key, patterned(20_000), new Uint8Array(0));
    for (const at of [0, NONCE_SIZE, 10_000, sealed.length - TAG_SIZE, sealed.length - 1]) {
      assert.equal(await open(key, flipped(sealed, at), new Uint8Array(0)), null);
    }
  });
}

Deno.test("seal() with either kind of key is opened with the other", async () => {
  const [plain, often] = [await importAesKey(patterned(32)), await importAesKey(patterned(32), true)];
  for (const size of SIZES) {
    const aad = patterned(9);
    assert.deepEqual(await open(plain, await seal(often, patterned(size), aad), aad), patterned(size));
    assert.deepEqual(await open(often, await seal(plain, patterned(size), aad), aad), patterned(size));
  }
});

Deno.test("seal() draws a new nonce each time", async () => {
  const key = await importAesKey(patterned(32), true);
  const nonces = new Set<string>();
  for (let i = 0; i < 500; i++) {
    nonces.add(encodeHex((await seal(key, new Uint8Array(1), new Uint8Array(0))).subarray(0, NONCE_SIZE)));
  }
  assert.equal(nonces.size, 500);
});
