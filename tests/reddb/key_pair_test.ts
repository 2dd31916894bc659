import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { KeyPair } from "../../lib/reddb/key_pair.ts";
import { flipped, patterned } from "../helpers.ts";

Deno.test("KeyPair.generate() gives another secret of 32 bytes each time", async () => {
  const [a, b] = [await KeyPair.generate(), await KeyPair.generate()];
  assert.equal(a.masterSecret.length, 32);
  assert.equal(a.certificate.length, 32);
  assert.notDeepEqual(a.masterSecret, b.masterSecret);
  assert.notDeepEqual(a.masterSecret, a.certificate);
});

Deno.test("KeyPair.fromMasterSecret() gives the same certificate for the same secret", async () => {
  const secret = patterned(32);
  const [a, b] = [await KeyPair.fromMasterSecret(secret), await KeyPair.fromMasterSecret(secret)];
  assert.deepEqual(a.certificate, b.certificate);
  assert.notDeepEqual(a.certificate, (await KeyPair.fromMasterSecret(patterned(32, 1))).certificate);
});

Deno.test("KeyPair.fromMasterSecret() copies the secret and refuses other lengths", async () => {
  const secret = patterned(32);
  const pair = await KeyPair.fromMasterSecret(secret);
  secret.fill(0);
  assert.deepEqual(pair.masterSecret, patterned(32));
  for (const length of [0, 31, 33]) await assert.rejects(() => KeyPair.fromMasterSecret(patterned(length)), RangeError);
});

Deno.test("KeyPair.certificateHex is the certificate as 64 lower-case digits", async () => {
  const pair = await KeyPair.generate();
  assert.match(pair.certificateHex, /^[0-9a-f]{64}$/);
  assert.deepEqual(Uint8Array.fromHex(pair.certificateHex), pair.certificate);
});

Deno.test("KeyPair.verify() takes what sign() made, and nothing that differs in a bit or in length", async () => {
  const pair = await KeyPair.fromMasterSecret(patterned(32));
  const data = encodeUtf8("session:abc123");
  const signature = await pair.sign(data);
  assert.ok(await pair.verify(data, signature));
  // Every byte counts, wherever it stands: the comparison does not end at the first difference.
  for (let at = 0; at < signature.length; at++) assert.ok(!await pair.verify(data, flipped(signature, at)), `${at}`);
  assert.ok(!await pair.verify(data, signature.subarray(0, 31)));
  assert.ok(!await pair.verify(encodeUtf8("session:abc124"), signature));
  assert.ok(!await (await KeyPair.generate()).verify(data, signature));
});
