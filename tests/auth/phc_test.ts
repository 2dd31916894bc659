import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { argon2id, argon2idPortable } from "../../lib/crypto/argon2.ts";
import { CofferError } from "../../lib/errors.ts";
import { InvalidPasswordError, MalformedVerifierError, WeakPasswordParametersError } from "../../lib/auth/errors.ts";
import { encodePhc, hashPassword, needsRehash, parsePhc, verifyPassword } from "../../lib/auth/phc.ts";
import { patterned } from "../helpers.ts";

/** Costs nothing and protects nothing. */
const CHEAP = { memory: 8, passes: 1, lanes: 1, allowWeakKdf: true } as const;

/** Printed by Debian's `argon2` (`argon2 SALT -id -t T -k M -p P -l L -e`), of passwords in UTF-8. */
const PRINTED: readonly (readonly [password: string, phc: string])[] = [
  [
    "password",
    "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ$qLml5cbqFAO6YxVHhrSBHP0UWdxrIxkNcM8aMX3blzU",
  ],
  [
    "password",
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$K13EBUiG7JV+9ZxztmHFTdb7J0WQsnj2V8bZaqyPptE",
  ],
  [
    "correct horse battery staple",
    "$argon2id$v=19$m=64,t=1,p=4$YSBtdWNoIGxvbmdlciBzYWx0LCBvZiAzOCBieXRlcyBpbiBhbGw$k2SiVwbm1ohbYXhF80gVj/ylpGneX3IS1VrwwyT2PFnNiR1drsrRGAj5QxLyi4FyObtBQ3oGJ3jEXoskKxnV7g",
  ],
  [
    "pässwörd 🔑",
    "$argon2id$v=19$m=256,t=2,p=2$c2FsdHNhbHQ$Wqvbb5SZPB3sH3u2h2PrIQ",
  ],
];

const SALT = "c29tZXNhbHRzb21lc2FsdA";
const HASH = "A".repeat(43);

/** Strings that are refused as malformed. */
const MALFORMED: readonly string[] = [
  "",
  "$",
  "argon2id",
  `argon2id$v=19$m=19456,t=2,p=1$${SALT}$${HASH}`,
  `$argon2i$v=19$m=19456,t=2,p=1$${SALT}$${HASH}`,
  `$argon2d$v=19$m=19456,t=2,p=1$${SALT}$${HASH}`,
  `$Argon2id$v=19$m=19456,t=2,p=1$${SALT}$${HASH}`,
  `$argon2id$v=16$m=19456,t=2,p=1$${SALT}$${HASH}`,
  `$argon2id$m=19456,t=2,p=1$${SALT}$${HASH}`,
  `$argon2id$v=19$t=2,m=19456,p=1$${SALT}$${HASH}`,
  `$argon2id$v=19$m=19456,t=2$${SALT}$${HASH}`,
  `$argon2id$v=19$m=19456,t=2,p=1,keyid=AA$${SALT}$${HASH}`,
  `$argon2id$v=19$m=019456,t=2,p=1$${SALT}$${HASH}`,
  `$argon2id$v=19$m=+19456,t=2,p=1$${SALT}$${HASH}`,
  `$argon2id$v=19$m=19456,t=0,p=1$${SALT}$${HASH}`,
  `$argon2id$v=19$m=19456,t=2,p=-1$${SALT}$${HASH}`,
  `$argon2id$v=19$m=1e4,t=2,p=1$${SALT}$${HASH}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$`,
  `$argon2id$v=19$m=19456,t=2,p=1$$${HASH}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${HASH}$`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${HASH}\n`,
  ` $argon2id$v=19$m=19456,t=2,p=1$${SALT}$${HASH}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}==$${HASH}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${HASH}=`,
  // Stray bits behind the last byte, and a length that no bytes have.
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${"A".repeat(42)}B`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${"A".repeat(45)}`,
  `$argon2id$v=19$m=19456,t=2,p=1$c29tZS-_$${HASH}`,
  // Salts of 7 and 65 bytes, hashes of 15 and 65.
  `$argon2id$v=19$m=19456,t=2,p=1$${"A".repeat(10)}$${HASH}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${"A".repeat(87)}$${HASH}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${"A".repeat(20)}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${"A".repeat(87)}`,
  `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${"A".repeat(512)}`,
];

/** Parameters that are refused before any work. */
const REFUSED: readonly (readonly [memory: number, passes: number, lanes: number])[] = [
  [2 * 1024 * 1024 + 1, 1, 1],
  [9007199254740993, 1, 1],
  [1024, 65, 1],
  [1024, 99999999999999, 1],
  [1024, 1, 17],
  [7, 1, 1],
  [127, 1, 16],
];

Deno.test("hashPassword() makes a string that its password alone fits", async () => {
  for (const password of ["p", "correct horse battery staple", "pässwörd 🔑", "x".repeat(1024)]) {
    const phc = await hashPassword(password, CHEAP);
    assert.match(phc, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    assert.ok(await verifyPassword(password, phc));
    assert.ok(await verifyPassword(password, parsePhc(phc)));
    assert.ok(!await verifyPassword(`${password.slice(1)}?`, phc));
  }
});

Deno.test("hashPassword() takes 19 MiB, 2 passes, 1 lane and a fresh salt unless told otherwise", async () => {
  const [a, b] = [await hashPassword("password"), await hashPassword("password")];
  assert.match(a, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.notEqual(a, b);
  assert.ok(await verifyPassword("password", a));
  const { salt, hash, ...parameters } = parsePhc(a);
  assert.deepEqual(await argon2id(encodeUtf8("password"), salt, parameters), hash);
  assert.deepEqual(parsePhc(await hashPassword("password", { ...CHEAP, salt: patterned(64) })).salt, patterned(64));
});

Deno.test("hashPassword() and verifyPassword() take different spellings of a password for the same", async () => {
  const phc = await hashPassword("j\u00fcrgen\u2168", CHEAP);
  for (const same of ["ju\u0308rgenIX", "j\u00fc\u00adrgen\u2168"]) assert.ok(await verifyPassword(same, phc), same);
  assert.ok(!await verifyPassword("jurgenIX", phc));
});

Deno.test("verifyPassword() also fits what another program hashed without preparing it", async () => {
  for (const password of ["\u00b2\u2026", "ju\u0308rgen", "\u0007\u00b2"]) {
    const salt = patterned(16);
    const hash = await argon2id(encodeUtf8(password), salt, CHEAP);
    const phc = encodePhc({ memory: 8, passes: 1, lanes: 1, salt, hash });
    assert.ok(await verifyPassword(password, phc));
    assert.ok(!await verifyPassword(`${password}x`, phc));
  }
});

Deno.test("verifyPassword() fits strings that the argon2 program printed", async () => {
  for (const [password, phc] of PRINTED) {
    assert.ok(await verifyPassword(password, phc), phc);
    assert.ok(!await verifyPassword(`${password} `, phc), phc);
    assert.equal(encodePhc(parsePhc(phc)), phc);
  }
});

Deno.test("verifyPassword() and hashPassword() refuse what cannot be a password", async () => {
  const phc = await hashPassword("p", CHEAP);
  for (const text of ["", "x".repeat(1025), "\u20ac".repeat(342), "\ud800", "a\udfff"]) {
    await assert.rejects(() => verifyPassword(text, phc), InvalidPasswordError);
    await assert.rejects(() => hashPassword(text, CHEAP), InvalidPasswordError);
  }
});

Deno.test("parsePhc() refuses what is not of the one form, and does not repeat it", () => {
  for (const text of MALFORMED) {
    assert.throws(() => parsePhc(text), (error) => {
      assert.ok(error instanceof MalformedVerifierError, text);
      assert.equal(error.format, "phc");
      assert.ok(!error.message.includes("c29t") && !error.message.includes("AAAA") && error.cause === undefined);
      return true;
    });
  }
});

Deno.test("parsePhc(), hashPassword() and verifyPassword() refuse hostile parameters before any work", async () => {
  for (const [memory, passes, lanes] of REFUSED) {
    const text = `$argon2id$v=19$m=${memory},t=${passes},p=${lanes}$${SALT}$${HASH}`;
    assert.throws(() => parsePhc(text), WeakPasswordParametersError);
    await assert.rejects(() => verifyPassword("p", text), WeakPasswordParametersError);
    const phc = { memory, passes, lanes, salt: patterned(16), hash: patterned(32) };
    await assert.rejects(() => verifyPassword("p", phc), WeakPasswordParametersError);
    await assert.rejects(() => hashPassword("p", { ...phc, allowWeakKdf: true }), WeakPasswordParametersError);
  }
});

Deno.test("hashPassword() refuses parameters below the floor, and salts that are too short or too long", async () => {
  for (const weak of [{ memory: 19455 }, { passes: 1 }, { memory: 8, passes: 1 }]) {
    await assert.rejects(() => hashPassword("p", weak), WeakPasswordParametersError);
  }
  for (const size of [0, 7, 65]) {
    await assert.rejects(() => hashPassword("p", { ...CHEAP, salt: patterned(size) }), RangeError);
  }
});

Deno.test("verifyPassword() does not take a hash of no bytes for that of every password", async () => {
  const phc = { memory: 8, passes: 1, lanes: 1, salt: patterned(16), hash: new Uint8Array(0) };
  await assert.rejects(() => verifyPassword("p", phc), MalformedVerifierError);
});

Deno.test("needsRehash() tells hashes that are weaker than wanted", () => {
  const phc = { memory: 19456, passes: 2, lanes: 1, salt: patterned(16), hash: patterned(32) };
  assert.ok(!needsRehash(phc));
  assert.ok(!needsRehash(encodePhc(phc)));
  assert.ok(!needsRehash({ ...phc, memory: 65536, passes: 3 }));
  assert.ok(!needsRehash(phc, { memory: 8, passes: 1 }));
  assert.ok(needsRehash(phc, { memory: 19457 }));
  assert.ok(needsRehash(phc, { passes: 3 }));
  for (const weaker of [{ memory: 4096 }, { passes: 1 }, { salt: patterned(8) }, { hash: patterned(31) }]) {
    assert.ok(needsRehash({ ...phc, ...weaker }));
  }
});

Deno.test("encodePhc() undoes parsePhc(), and the other way round", () => {
  const phcs = fc.record({
    memory: fc.integer({ min: 128, max: 2 * 1024 * 1024 }),
    passes: fc.integer({ min: 1, max: 64 }),
    lanes: fc.integer({ min: 1, max: 16 }),
    salt: fc.uint8Array({ minLength: 8, maxLength: 64 }).map((bytes) => Uint8Array.from(bytes)),
    hash: fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => Uint8Array.from(bytes)),
  }, { noNullPrototype: true });
  fc.assert(fc.property(phcs, (phc) => {
    const text = encodePhc(phc);
    assert.deepEqual(parsePhc(text), phc);
    assert.equal(encodePhc(parsePhc(text)), text);
  }));
});

Deno.test("parsePhc() gives back the same text or refuses it, whatever was changed in it", () => {
  const text = `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${HASH}`;
  const edits = fc.array(fc.tuple(fc.nat(text.length), fc.nat(3), fc.constantFrom(..."$,=mtpv0123459Az+/-\n é")), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(edits, (list) => {
      let changed = text;
      for (const [at, removed, added] of list) changed = changed.slice(0, at) + added + changed.slice(at + removed);
      try {
        assert.equal(encodePhc(parsePhc(changed)), changed);
      } catch (error) {
        assert.ok(error instanceof CofferError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("argon2id() gives results of other sizes, the same ones everywhere", async () => {
  for (const size of [16, 31, 64]) {
    const native = await argon2id(encodeUtf8("p"), patterned(16), CHEAP, size);
    assert.equal(native.length, size);
    assert.deepEqual(await argon2idPortable(encodeUtf8("p"), patterned(16), CHEAP, size), native);
  }
});
