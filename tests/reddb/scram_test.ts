import assert from "node:assert/strict";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { decodeBase64 } from "../../lib/bytes.ts";
import { newScramVerifier } from "../../lib/reddb/scram.ts";

Deno.test("newScramVerifier() fits the exchange that RFC 7677 prints", async () => {
  const salt = decodeBase64("W22ZaJ0SNY7soEsUEjb6gQ==");
  const { storedKey, serverKey } = await newScramVerifier("pencil", { salt, iterations: 4096 });
  const message = "n=user,r=rOprNGfwEbeRWgbNEkqO," +
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," +
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const sign = (key: Uint8Array) => createHmac("sha256", key).update(message).digest();
  assert.equal(sign(serverKey).toString("base64"), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  // A server takes the proof off the stored key's signature; what is left must hash to the stored key.
  const proof = decodeBase64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  const clientKey = sign(storedKey).map((byte, index) => byte ^ proof[index]!);
  assert.deepEqual(new Uint8Array(createHash("sha256").update(clientKey).digest()), storedKey);
});

Deno.test("newScramVerifier() draws a salt of its own, hashes 16384 times, and refuses fewer than 4096", async () => {
  const [a, b] = [await newScramVerifier("password"), await newScramVerifier("password")];
  assert.equal(a.iterations, 16_384);
  assert.notDeepEqual(a.salt, b.salt);
  const salted = pbkdf2Sync("password", a.salt, 16_384, 32, "sha256");
  assert.deepEqual(a.serverKey, new Uint8Array(createHmac("sha256", salted).update("Server Key").digest()));
  await assert.rejects(() => newScramVerifier("password", { iterations: 4095 }), RangeError);
});
