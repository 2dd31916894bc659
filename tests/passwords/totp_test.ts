import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { parseTotp, totpCode } from "../../lib/passwords/totp.ts";
import { rejectsWith } from "../helpers.ts";

/** RFC 6238, appendix B: seconds, and the codes of SHA-1, SHA-256 and SHA-512. */
const VECTORS = [
  [59, "94287082", "46119246", "90693936"],
  [1111111109, "07081804", "68084774", "25091201"],
  [1111111111, "14050471", "67062674", "99943326"],
  [1234567890, "89005924", "91819424", "93441116"],
  [2000000000, "69279037", "90698825", "38618901"],
  [20000000000, "65353130", "77737706", "47863826"],
] as const;

/** RFC 4226, appendix D: the first codes of the secret below, six digits. */
const FIRST = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];

const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

function seed(size: number): Uint8Array<ArrayBuffer> {
  return encodeUtf8("1234567890".repeat(7).slice(0, size));
}

Deno.test("totpCode gives the codes of RFC 6238, appendix B", async () => {
  for (const [seconds, sha1, sha256, sha512] of VECTORS) {
    const codes = [["SHA-1", 20, sha1], ["SHA-256", 32, sha256], ["SHA-512", 64, sha512]] as const;
    for (const [algorithm, size, expected] of codes) {
      const { code } = await totpCode({ secret: seed(size), algorithm, digits: 8, period: 30 }, seconds * 1000 + 999);
      assert.equal(code, expected, `${algorithm} ${seconds}`);
    }
  }
});

Deno.test("totpCode gives the codes of RFC 4226, appendix D, one a period, and the seconds that are left", async () => {
  const totp = parseTotp(SECRET);
  for (const [counter, expected] of FIRST.entries()) {
    const begin = counter * 30_000;
    assert.deepEqual(await totpCode(totp, begin), { code: expected, secondsLeft: 30 });
    assert.deepEqual(await totpCode(totp, begin + 29_999), { code: expected, secondsLeft: 1 });
  }
  const other = parseTotp(`otpauth://totp/x?secret=${SECRET}&period=60`);
  assert.deepEqual(await totpCode(other, 119_000), { code: FIRST[1], secondsLeft: 1 });
});

Deno.test("parseTotp reads addresses and secrets in the forms that are about", () => {
  const usual = { secret: seed(20), algorithm: "SHA-1", digits: 6, period: 30 };
  const forms = [
    SECRET,
    SECRET.toLowerCase(),
    ` ${SECRET.match(/.{4}/g)!.join(" ")}\n`,
    SECRET.match(/.{8}/g)!.join("-"),
    `otpauth://totp/ACME:kim@example.org?secret=${SECRET}&issuer=ACME`,
    `OTPAUTH://TOTP/x?secret=${SECRET.toLowerCase()}&algorithm=sha1&digits=6&period=30`,
    `otpauth://totp/?digits=6&secret=${SECRET}`,
  ];
  for (const form of forms) assert.deepEqual(parseTotp(form), usual, form);
  assert.deepEqual(parseTotp(`otpauth://totp/x?secret=MZXW6YQ=&algorithm=SHA-512&digits=8&period=60`), {
    secret: encodeUtf8("foob"),
    algorithm: "SHA-512",
    digits: 8,
    period: 60,
  });
  assert.equal(parseTotp("otpauth://totp/x?secret=MZXW6&algorithm=SHA256").algorithm, "SHA-256");
  // RFC 4648, section 10.
  const words = { MY: "f", "MZXQ====": "fo", MZXW6: "foo", MZXW6YTB: "fooba", "MZXW6YTBOI======": "foobar" };
  for (const [text, expected] of Object.entries(words)) {
    assert.deepEqual(parseTotp(`otpauth://totp/x?secret=${text}`).secret, encodeUtf8(expected));
  }
  assert.deepEqual(parseTotp(SECRET.slice(0, 16)).secret, seed(10));
});

Deno.test("parseTotp refuses everything else, and repeats nothing of it", async () => {
  const wrong = [
    ...["", "   ", "hunter2!", "MZX", "M", "MZXW6Y", "=", "hunter\u00fc", "hunter2", SECRET.slice(0, 15)],
    ...["https://hunter2.example", "otpauth://hotp/x?secret=HUNTER22&counter=1", "otpauth://totp/hunter2"],
    ...["steam://HUNTER22", "otpauth://totp/x?secret=", "otpauth://totp:hunter2/x?secret=MY"],
    ...["algorithm=MD5", "algorithm=constructor", "digits=5", "digits=11", "digits=6.5", "period=0", "period=-1"]
      .map((parameter) => `otpauth://totp/x?secret=HUNTER22&${parameter}`),
    "A".repeat(9000),
  ];
  for (const text of wrong) {
    const error = await rejectsWith(() => parseTotp(text), "malformed-otp");
    assert.doesNotMatch(`${error.message} ${error.hint} ${error.cause}`, /hunter/i);
  }
});
