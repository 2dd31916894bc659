import assert from "node:assert/strict";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { encodeHex, encodeUtf8 } from "../../lib/bytes.ts";
import { pbkdf2 } from "../../lib/crypto/pbkdf2.ts";
import { deriveScramKeys } from "../../lib/crypto/scram_keys.ts";
import { patterned } from "../helpers.ts";

/** RFC 7914, section 11: the first 32 of the 64 bytes that it prints. */
const KNOWN: readonly (readonly [password: string, salt: string, iterations: number, derived: string])[] = [
  ["passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"],
  ["Password", "NaCl", 80_000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"],
];

Deno.test("pbkdf2() gives the keys that RFC 7914 prints", async () => {
  for (const [password, salt, iterations, derived] of KNOWN) {
    assert.equal(encodeHex(await pbkdf2(encodeUtf8(password), encodeUtf8(salt), iterations)), derived);
  }
});

Deno.test("deriveScramKeys() agrees with RFC 5802 written down another way, and leaves the password alone", async () => {
  for (const password of [patterned(1), patterned(64), patterned(300, 9)]) {
    const before = password.slice();
    const { storedKey, serverKey } = await deriveScramKeys(password, patterned(16), 5000);
    const salted = pbkdf2Sync(password, patterned(16), 5000, 32, "sha256");
    const sign = (text: string) => createHmac("sha256", salted).update(text).digest();
    assert.equal(encodeHex(storedKey), createHash("sha256").update(sign("Client Key")).digest("hex"));
    assert.equal(encodeHex(serverKey), sign("Server Key").toString("hex"));
    assert.deepEqual(password, before);
  }
});
