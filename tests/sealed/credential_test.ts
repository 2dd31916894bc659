import assert from "node:assert/strict";
import { concat, encodeHex, encodeUtf8 } from "../../lib/bytes.ts";
import { MAX_PASSPHRASE_SIZE, passphraseBytes, resolveCredential } from "../../lib/sealed/credential.ts";
import { MAX_KEY_FILE_SIZE, MIN_KEY_FILE_SIZE, newKeyFile, parseKeyFile } from "../../lib/sealed/keyfile.ts";
import { decodeRecoveryCode, encodeRecoveryCode } from "../../lib/sealed/recovery.ts";
import { patterned, rejectsWith } from "../helpers.ts";

/** From the test vectors of BIP 39 (256 bits). */
const WORDS: readonly [entropy: number, words: string][] = [
  [0x00, "abandon ".repeat(23) + "art"],
  [
    0x7f,
    "legal winner thank year wave sausage worth useful ".repeat(2) + "legal winner thank year wave sausage worth title",
  ],
  [0xff, "zoo ".repeat(23) + "vote"],
];

Deno.test("encodeRecoveryCode() and decodeRecoveryCode() agree with BIP 39", async () => {
  for (const [byte, words] of WORDS) {
    const entropy = new Uint8Array(32).fill(byte);
    assert.equal(await encodeRecoveryCode(entropy), words);
    assert.deepEqual(await decodeRecoveryCode(`\t${words.toUpperCase().replaceAll(" ", " \n")} `), entropy);
  }
});

Deno.test("decodeRecoveryCode() refuses a wrong count, word or checksum, and never quotes a word", async () => {
  const good = WORDS[0]![1];
  // The last one is a code of 128 bits, whose checksum fits.
  const short = "abandon ".repeat(11) + "about";
  const wrong = ["", good.slice(8), `${good} art`, good.replace("art", "zoo"), good.replace("art", "hunter"), short];
  for (const code of wrong) {
    const error = await rejectsWith(() => decodeRecoveryCode(code), "malformed-credential");
    assert.doesNotMatch(`${error.message} ${error.cause}`, /abandon|hunter|zoo/);
  }
});

Deno.test("parseKeyFile() takes coffer's own by its key, and any other by all of its bytes", async () => {
  const contents = newKeyFile();
  const text = new TextDecoder().decode(contents);
  assert.match(text, /^COFFER-KEYFILE-1\n[0-9a-f]{64}\n$/);
  assert.equal(encodeHex(parseKeyFile(contents)), text.split("\n")[1]);
  assert.deepEqual(parseKeyFile(contents.subarray(0, -1)), parseKeyFile(contents), "the last line feed may be missing");
  for (const size of [MIN_KEY_FILE_SIZE, 1000, MAX_KEY_FILE_SIZE]) {
    assert.deepEqual(parseKeyFile(patterned(size)), patterned(size));
  }
  const wrong = [
    new Uint8Array(0),
    patterned(MIN_KEY_FILE_SIZE - 1),
    patterned(MAX_KEY_FILE_SIZE + 1),
    contents.subarray(0, 60),
    concat(contents, encodeUtf8("\n")),
    encodeUtf8(text.replace("-1\n", "-2\n")),
    encodeUtf8(text.toUpperCase()),
    encodeUtf8(text.replaceAll("\n", "\r\n")),
  ];
  for (const bytes of wrong) await rejectsWith(() => parseKeyFile(bytes), "malformed-credential");
  assert.throws(() => parseKeyFile(new TextDecoder().decode(contents) as unknown as Uint8Array), TypeError);
});

Deno.test("passphraseBytes() brings text into NFC, and refuses what is no text or too long", async () => {
  assert.deepEqual(passphraseBytes("e\u0301"), encodeUtf8("\u00e9"));
  assert.equal(passphraseBytes("a".repeat(MAX_PASSPHRASE_SIZE)).length, MAX_PASSPHRASE_SIZE);
  await rejectsWith(() => passphraseBytes("a".repeat(MAX_PASSPHRASE_SIZE + 1)), "malformed-credential");
  await rejectsWith(() => passphraseBytes("\udc00"), "malformed-credential");
});

Deno.test("resolveCredential() asks only for the one that is given", async () => {
  let asked = 0;
  const passphrase = () => (asked++, "a");
  await rejectsWith(() => resolveCredential({ passphrase, certificate: "00" }), "conflicting-credentials");
  assert.equal(asked, 0);
  assert.deepEqual(await resolveCredential({ passphrase, certificate: undefined }), {
    kind: "passphrase",
    secret: encodeUtf8("a"),
  });
  assert.equal(asked, 1);
});
