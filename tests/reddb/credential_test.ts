import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { deriveKeyBytes, requireCredential, takeCredential } from "../../lib/reddb/credential.ts";
import { RedDbNoKeyError } from "../../lib/reddb/errors.ts";
import { patterned, rejectsWith } from "../helpers.ts";

const HEX = patterned(32).toHex();

Deno.test("takeCredential() takes a passphrase as text or bytes, and copies it", () => {
  const bytes = encodeUtf8("pass ✓");
  const taken = takeCredential({ passphrase: bytes })!;
  assert.deepEqual(taken, takeCredential({ passphrase: "pass ✓" }));
  bytes.fill(0);
  assert.deepEqual(taken, { kind: "passphrase", secret: encodeUtf8("pass ✓") });
});

Deno.test("takeCredential() takes a certificate as hex of either case, or as bytes", () => {
  const expected = { kind: "certificate", secret: patterned(32) };
  assert.deepEqual(takeCredential({ certificate: HEX }), expected);
  assert.deepEqual(takeCredential({ certificate: HEX.toUpperCase() }), expected);
  assert.deepEqual(takeCredential({ certificate: patterned(32) }), expected);
});

Deno.test("takeCredential() refuses a certificate that is no 64 hex digits, and gives it not away", async () => {
  for (const certificate of ["not hex", "", HEX.slice(2), `${HEX}00`, ` ${HEX}`, `zz${HEX.slice(2)}`, patterned(31)]) {
    const error = await rejectsWith(() => takeCredential({ certificate }), "reddb-no-key");
    assert.doesNotMatch(error.message + error.hint, /zz|not hex|0001/);
  }
});

Deno.test("takeCredential() finds nothing in nothing and in an empty passphrase, which requireCredential() refuses", () => {
  for (const input of [undefined, {}, { passphrase: "" }, { passphrase: new Uint8Array(0) }]) {
    assert.equal(takeCredential(input), undefined);
    assert.throws(() => requireCredential(input), RedDbNoKeyError);
  }
});

Deno.test("takeCredential() refuses a passphrase together with a certificate", async () => {
  await rejectsWith(() => takeCredential({ passphrase: "a", certificate: HEX }), "conflicting-credentials");
});

Deno.test("deriveKeyBytes() takes the salt for a passphrase, and one of its own for a certificate", async () => {
  const [a, b] = [patterned(16), patterned(16, 1)];
  const passphrase = requireCredential({ passphrase: "p" });
  assert.notDeepEqual(await deriveKeyBytes(passphrase, a), await deriveKeyBytes(passphrase, b));
  const certificate = requireCredential({ certificate: HEX });
  assert.deepEqual(await deriveKeyBytes(certificate, a), await deriveKeyBytes(certificate, b));
});
