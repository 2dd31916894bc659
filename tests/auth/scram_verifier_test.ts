import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeBase64, encodeHex, encodeUtf8 } from "../../lib/bytes.ts";
import { InvalidPasswordError, MalformedVerifierError, WeakPasswordParametersError } from "../../lib/auth/errors.ts";
import {
  decodePostgresVerifier,
  decodeRedDbVerifier,
  encodePostgresVerifier,
  encodeRedDbVerifier,
  newScramVerifier,
  scramFromJson,
  scramToJson,
  type ScramVerifier,
  verifyScramPassword,
} from "../../lib/auth/scram_verifier.ts";
import { deriveScramKeys } from "../../lib/crypto/scram_keys.ts";
import { CofferError } from "../../lib/errors.ts";
import { decodeScram, encodeScram } from "../../lib/reddb/fields.ts";
import { patterned } from "../helpers.ts";

const SALT = patterned(16);
const CHEAP = { iterations: 4096 };

/** Written by PostgreSQL 15 for these passwords. */
const POSTGRES: readonly (readonly [password: string, text: string])[] = [
  [
    "pencil",
    "SCRAM-SHA-256$4096:lpwqsyhMSQOK1Kk/GwJV5g==$O02kLklj/Zs3tw1UfvMyRHzM9LSL9ek/4Ks0g+CNnMc=:j5EyiIYIuLU5r1OMXGwIpGIWxCW74ch5iMPsETMObXg=",
  ],
  [
    "p\u00e4ssw\u00f6rd \u{1f511}",
    "SCRAM-SHA-256$4096:64xpUe354Beb8jmf8gAjMw==$1Z8rLSaD7fF0pAANHKNCcssU3DUavW72xneEelGFXdU=:TOXWJ6segst661ZAwbI35lkTknJ+FgUxk4OKvPQMx44=",
  ],
  [
    "\u2168 I\u00adX \ufb01\u00b2\u2026",
    "SCRAM-SHA-256$4096:OhyBJg5uvV1oDrumWrqyfw==$7osYt6Ef4GcIoWy0C3C6Myb53/IvcUs7MnHEQLWC3KY=:olIYS62ptxr7ykcj9VLCT6G7MEjwf3zzmuyVdNe1TzE=",
  ],
];

const KEY = encodeBase64(patterned(32));
const SALT_TEXT = encodeBase64(SALT);

/** Texts that PostgreSQL's decoder refuses as malformed. */
const MALFORMED: readonly string[] = [
  "",
  "SCRAM-SHA-256",
  "md5d41d8cd98f00b204e9800998ecf8427e",
  `SCRAM-SHA-1$4096:${SALT_TEXT}$${KEY}:${KEY}`,
  `scram-sha-256$4096:${SALT_TEXT}$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:${SALT_TEXT}$${KEY}`,
  `SCRAM-SHA-256$4096:${SALT_TEXT}$${KEY}:`,
  `SCRAM-SHA-256$4096:${SALT_TEXT}:${KEY}$${KEY}`,
  `SCRAM-SHA-256$4096$${SALT_TEXT}$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:${SALT_TEXT}$${KEY}:${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:${SALT_TEXT}$${KEY}:${KEY}\n`,
  ` SCRAM-SHA-256$4096:${SALT_TEXT}$${KEY}:${KEY}`,
  `SCRAM-SHA-256$04096:${SALT_TEXT}$${KEY}:${KEY}`,
  `SCRAM-SHA-256$+4096:${SALT_TEXT}$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096.0:${SALT_TEXT}$${KEY}:${KEY}`,
  `SCRAM-SHA-256$99999999999999999999:${SALT_TEXT}$${KEY}:${KEY}`,
  `SCRAM-SHA-256$:${SALT_TEXT}$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:${SALT_TEXT.replace(/=+$/, "")}$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:${SALT_TEXT}$${KEY.replace("=", "")}:${KEY}`,
  `SCRAM-SHA-256$4096:${SALT_TEXT}$${KEY}=:${KEY}`,
  `SCRAM-SHA-256$4096:${SALT_TEXT}$${KEY.replace("=", " =")}:${KEY}`,
  // A stray bit behind the last byte, the other alphabet, keys of 31 and 33 bytes, salts of 7 and 65.
  `SCRAM-SHA-256$4096:${SALT_TEXT}$${"A".repeat(42)}B=:${KEY}`,
  `SCRAM-SHA-256$4096:${SALT_TEXT}$${KEY}:${"-".repeat(43)}=`,
  `SCRAM-SHA-256$4096:${SALT_TEXT}$${encodeBase64(patterned(31))}:${KEY}`,
  `SCRAM-SHA-256$4096:${SALT_TEXT}$${KEY}:${encodeBase64(patterned(33))}`,
  `SCRAM-SHA-256$4096:${encodeBase64(patterned(7))}$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:${encodeBase64(patterned(65))}$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:${"A".repeat(1_000_000)}$${KEY}:${KEY}`,
];

const ITERATIONS = [0, 1, 4095, 10_000_001, 4294967296];

const verifiers = fc.record({
  iterations: fc.integer({ min: 4096, max: 10_000_000 }),
  salt: bytes(8, 64),
  storedKey: bytes(32, 32),
  serverKey: bytes(32, 32),
}, { noNullPrototype: true });

function bytes(minLength: number, maxLength: number) {
  return fc.uint8Array({ minLength, maxLength }).map((array) => Uint8Array.from(array));
}

Deno.test("newScramVerifier() makes a verifier that its password alone fits", async () => {
  for (const password of ["p", "correct horse battery staple", "pässwörd 🔑", "x".repeat(1024)]) {
    const verifier = await newScramVerifier(password, CHEAP);
    assert.ok(await verifyScramPassword(password, verifier));
    assert.ok(!await verifyScramPassword(`${password.slice(1)}?`, verifier));
  }
});

Deno.test("newScramVerifier() hashes 16384 times under a fresh salt of 16 bytes unless told otherwise", async () => {
  const [a, b] = [await newScramVerifier("password"), await newScramVerifier("password")];
  assert.deepEqual([a.iterations, a.salt.length], [16_384, 16]);
  assert.notDeepEqual(a.salt, b.salt);
  assert.deepEqual(a, {
    ...await deriveScramKeys(encodeUtf8("password"), a.salt, 16_384),
    salt: a.salt,
    iterations: 16_384,
  });
  const given = patterned(8);
  const { salt } = await newScramVerifier("password", { ...CHEAP, salt: given });
  given.fill(0);
  assert.deepEqual(salt, patterned(8));
});

Deno.test("newScramVerifier() prepares the password, and takes it as it came where that is refused", async () => {
  for (const [password, form] of [["\u2168\u00ad", "IX"], ["\u0007\u2168", "\u0007\u2168"]] as const) {
    const verifier = await newScramVerifier(password, { ...CHEAP, salt: SALT });
    assert.deepEqual(verifier, {
      ...await deriveScramKeys(encodeUtf8(form), SALT, 4096),
      salt: SALT,
      iterations: 4096,
    });
  }
});

Deno.test("verifyScramPassword() also fits a verifier that was made without preparing the password", async () => {
  // As RedDB makes them.
  const verifier = { ...await deriveScramKeys(encodeUtf8("\u00b2\u2026"), SALT, 4096), salt: SALT, iterations: 4096 };
  assert.ok(await verifyScramPassword("\u00b2\u2026", verifier));
  assert.ok(!await verifyScramPassword("2...", verifier));
});

Deno.test("newScramVerifier() and verifyScramPassword() refuse what is out of bounds", async () => {
  const verifier = await newScramVerifier("p", CHEAP);
  for (const iterations of [...ITERATIONS, 4096.5, NaN, -4096]) {
    await assert.rejects(() => newScramVerifier("p", { iterations }), WeakPasswordParametersError);
    await assert.rejects(() => verifyScramPassword("p", { ...verifier, iterations }), WeakPasswordParametersError);
  }
  for (const size of [0, 7, 65]) {
    await assert.rejects(() => newScramVerifier("p", { ...CHEAP, salt: patterned(size) }), RangeError);
  }
  for (const text of ["", "x".repeat(1025), "\ud800"]) {
    await assert.rejects(() => newScramVerifier(text, CHEAP), InvalidPasswordError);
    await assert.rejects(() => verifyScramPassword(text, verifier), InvalidPasswordError);
  }
});

Deno.test("decodePostgresVerifier() reads what PostgreSQL wrote", async () => {
  for (const [password, text] of POSTGRES) {
    const verifier = decodePostgresVerifier(text);
    assert.ok(await verifyScramPassword(password, verifier), password);
    assert.ok(!await verifyScramPassword(`${password} `, verifier), password);
    assert.equal(encodePostgresVerifier(verifier), text);
  }
});

Deno.test("decodePostgresVerifier() refuses what is not of the one form, and does not repeat it", () => {
  for (const text of MALFORMED) {
    assert.throws(() => decodePostgresVerifier(text), (error) => {
      assert.ok(error instanceof MalformedVerifierError, `${text.slice(0, 200)}: ${error}`);
      assert.equal(error.format, "postgres");
      assert.ok(!error.message.includes(KEY.slice(0, 8)) && error.cause === undefined);
      return true;
    });
  }
  for (const iterations of ITERATIONS) {
    const text = `SCRAM-SHA-256$${iterations}:${SALT_TEXT}$${KEY}:${KEY}`;
    assert.throws(() => decodePostgresVerifier(text), WeakPasswordParametersError);
  }
});

Deno.test("decodeRedDbVerifier() reads the field of RedDB's lines, and refuses what RedDB would not write", async () => {
  const verifier = await newScramVerifier("password", CHEAP);
  const text = encodeRedDbVerifier(verifier);
  assert.equal(text, encodeScram(verifier));
  assert.deepEqual(decodeScram(text, "Line 1"), verifier);
  assert.deepEqual(decodeRedDbVerifier(text), verifier);

  const [salt, , stored, server] = text.split(":");
  const malformed = [
    "",
    text.toUpperCase(),
    `${text}:`,
    ` ${text}`,
    `${text}\n`,
    text.replace(":4096:", ":04096:"),
    text.replace(":4096:", ":+4096:"),
    text.slice(1),
    `${text}0`,
    `${text}00`,
    `${salt}:4096:${stored}`,
    `${encodeHex(patterned(7))}:4096:${stored}:${server}`,
    `${encodeHex(patterned(65))}:4096:${stored}:${server}`,
    `${salt}:4096:${stored!.slice(2)}:${server}`,
    encodePostgresVerifier(verifier),
  ];
  for (const other of malformed) {
    assert.throws(
      () => decodeRedDbVerifier(other),
      (error) => error instanceof MalformedVerifierError && error.format === "reddb",
    );
  }
  assert.throws(() => decodeRedDbVerifier(text.replace(":4096:", ":4095:")), WeakPasswordParametersError);
});

Deno.test("scramFromJson() takes the one form and nothing else", async () => {
  const verifier = await newScramVerifier("password", CHEAP);
  const json = scramToJson(verifier);
  assert.deepEqual(scramFromJson(JSON.parse(JSON.stringify(json))), verifier);
  const malformed = [
    undefined,
    null,
    [],
    "",
    [json],
    {},
    { ...json, extra: 1 },
    { ...json, iterations: "4096" },
    { ...json, iterations: undefined },
    { ...json, salt: 1 },
    { ...json, salt: "" },
    { ...json, salt: "A".repeat(1_000_000) },
    { ...json, stored: json.stored.replace("=", "") },
    { ...json, server: json.server + "AAAA" },
    { ...json, server: [json.server] },
    { iterations: 4096, salt: json.salt, stored: json.stored },
  ];
  for (const other of malformed) assert.throws(() => scramFromJson(other), MalformedVerifierError);
  for (const iterations of [...ITERATIONS, 4096.5, NaN]) {
    assert.throws(() => scramFromJson({ ...json, iterations }), WeakPasswordParametersError);
  }
});

Deno.test("encoding a verifier undoes decoding, and the other way round, in every form", () => {
  fc.assert(fc.property(verifiers, (verifier: ScramVerifier) => {
    assert.deepEqual(decodePostgresVerifier(encodePostgresVerifier(verifier)), verifier);
    assert.deepEqual(decodeRedDbVerifier(encodeRedDbVerifier(verifier)), verifier);
    assert.deepEqual(scramFromJson(scramToJson(verifier)), verifier);
  }));
});

Deno.test("decoders of verifiers give back the same text or refuse it, whatever was changed in it", () => {
  const forms = [
    [`SCRAM-SHA-256$4096:${SALT_TEXT}$${KEY}:${KEY}`, decodePostgresVerifier, encodePostgresVerifier],
    [
      `${encodeHex(SALT)}:4096:${encodeHex(patterned(32))}:${encodeHex(patterned(32))}`,
      decodeRedDbVerifier,
      encodeRedDbVerifier,
    ],
  ] as const;
  const edits = fc.array(fc.tuple(fc.nat(180), fc.nat(3), fc.constantFrom("", ..."$:=0123456789abAB+/-\n é")), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.constantFrom(...forms), edits, ([text, decode, encode], list) => {
      let changed: string = text;
      for (const [at, removed, added] of list) changed = changed.slice(0, at) + added + changed.slice(at + removed);
      try {
        assert.equal(encode(decode(changed)), changed);
      } catch (error) {
        assert.ok(error instanceof CofferError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
