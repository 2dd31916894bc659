import assert from "node:assert/strict";
import { type Bytes, decodeUtf8, encodeUtf8 } from "../../lib/bytes.ts";
import { InvalidPasswordError } from "../../lib/auth/errors.ts";
import { checkPassword, passwordFits, withPassword } from "../../lib/auth/password_bytes.ts";

/** Passwords, and the one form that their verifiers share. */
const FORMS: readonly (readonly [password: string, form: string])[] = [
  ["password", "password"],
  [" a\tb\0 ", " a\tb\0 "],
  ["I\u00adX", "IX"],
  ["\u2168", "IX"],
  ["ju\u0308rgen", "j\u00fcrgen"],
  // Refused by SASLprep: taken as they came.
  ["\u0007\u2168", "\u0007\u2168"],
  ["\u{1f511}\u2168", "\u{1f511}\u2168"],
  ["\u06271", "\u06271"],
  // Nothing would be left of it, and every such password would be the same.
  ["\u00ad", "\u00ad"],
];

/** Texts that are no password. */
const REFUSED = ["", "x".repeat(1025), "\u20ac".repeat(342), "x".repeat(10_000_000), "\ud800", "a\udfffb"];

Deno.test("withPassword() hands out the form that all verifiers share, and wipes it", async () => {
  for (const [password, form] of FORMS) {
    let kept: Bytes | undefined;
    const seen = await withPassword(password, (bytes) => {
      kept = bytes;
      return Promise.resolve(decodeUtf8(bytes));
    });
    assert.equal(seen, form);
    assert.deepEqual(kept, new Uint8Array(encodeUtf8(form).length));
  }
});

Deno.test("withPassword() wipes the bytes when what it calls fails", async () => {
  let kept: Bytes | undefined;
  const fail = (bytes: Bytes) => {
    kept = bytes;
    return Promise.reject(new Error("no memory"));
  };
  await assert.rejects(() => withPassword("password", fail), /no memory/);
  assert.deepEqual(kept, new Uint8Array(8));
});

Deno.test("passwordFits() tries the shared form, then the one that was typed, and nothing twice", async () => {
  for (const [password, form] of FORMS) {
    const seen: string[] = [];
    const kept: Bytes[] = [];
    const refuse = (bytes: Bytes) => {
      seen.push(decodeUtf8(bytes));
      kept.push(bytes);
      return Promise.resolve(false);
    };
    assert.ok(!await passwordFits(password, refuse));
    assert.deepEqual(seen, form === password ? [form] : [form, password]);
    for (const bytes of kept) assert.ok(bytes.every((byte) => byte === 0));
    for (const fitting of seen) {
      assert.ok(await passwordFits(password, (bytes) => Promise.resolve(decodeUtf8(bytes) === fitting)));
    }
  }
});

Deno.test("checkPassword() refuses what no password can be, without repeating it", async () => {
  for (const text of REFUSED) {
    assert.throws(() => checkPassword(text), InvalidPasswordError);
    const unused = () => assert.fail("used");
    await assert.rejects(() => withPassword(text, unused), InvalidPasswordError);
    await assert.rejects(() => passwordFits(text, unused), InvalidPasswordError);
  }
  for (const text of ["x".repeat(1024), "\u20ac".repeat(341), "\0"]) checkPassword(text);
});
