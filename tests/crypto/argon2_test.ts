import assert from "node:assert/strict";
import { decodeHex, encodeHex, encodeUtf8 } from "../../lib/bytes.ts";
import { argon2id, argon2idNative, argon2idPortable, type Argon2Parameters } from "../../lib/crypto/argon2.ts";
import { patterned } from "../helpers.ts";

/** Parameters on which both implementations must agree: least memory, several passes, lanes, odd amounts of memory. */
const PARAMETERS: readonly Argon2Parameters[] = [
  { memory: 8, passes: 1, lanes: 1 },
  { memory: 32, passes: 3, lanes: 4 },
  { memory: 37, passes: 2, lanes: 1 },
  { memory: 67, passes: 2, lanes: 4 },
  { memory: 128, passes: 1, lanes: 16 },
  { memory: 1024, passes: 4, lanes: 2 },
];

/** Passwords that differ in length: short, text beyond ASCII, longer than a block of the hash. */
const PASSWORDS = [encodeUtf8("p"), encodeUtf8("pässwörd 🔑"), patterned(300)];

/** Of the reference implementation's own `test.c`, for Argon2id version 0x13. */
const KNOWN: readonly (Argon2Parameters & { password: string; salt: string; tag: string })[] = [
  {
    password: "password",
    salt: "somesalt",
    memory: 65536,
    passes: 2,
    lanes: 1,
    tag: "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7",
  },
  {
    password: "password",
    salt: "somesalt",
    memory: 256,
    passes: 2,
    lanes: 1,
    tag: "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
  },
  {
    password: "password",
    salt: "somesalt",
    memory: 256,
    passes: 2,
    lanes: 2,
    tag: "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
  },
  {
    password: "differentpassword",
    salt: "somesalt",
    memory: 65536,
    passes: 2,
    lanes: 1,
    tag: "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde",
  },
];

Deno.test("argon2idNative() and argon2idPortable() give the same bytes", async () => {
  const salt = patterned(32, 7);
  for (const parameters of PARAMETERS) {
    for (const password of PASSWORDS) {
      const native = await argon2idNative(password, salt, parameters);
      assert.ok(native !== null, "this runtime should have Argon2id");
      assert.equal(encodeHex(native), encodeHex(await argon2idPortable(password, salt, parameters)));
    }
  }
});

Deno.test("argon2id() gives the tags of the reference implementation (version 0x13)", async () => {
  for (const { password, salt, tag, ...parameters } of KNOWN) {
    const derived = await argon2id(encodeUtf8(password), encodeUtf8(salt), parameters);
    assert.deepEqual(derived, decodeHex(tag));
    assert.deepEqual(await argon2idPortable(encodeUtf8(password), encodeUtf8(salt), parameters), derived);
  }
});

Deno.test("argon2id() depends on every one of its inputs", async () => {
  const base = { memory: 16, passes: 2, lanes: 1 };
  const [password, salt] = [encodeUtf8("password"), patterned(32)];
  const tags = await Promise.all([
    argon2id(password, salt, base),
    argon2id(encodeUtf8("passwore"), salt, base),
    argon2id(password, patterned(32, 1), base),
    argon2id(password, salt, { ...base, memory: 24 }),
    argon2id(password, salt, { ...base, passes: 3 }),
    argon2id(password, salt, { ...base, lanes: 2 }),
  ]);
  assert.equal(new Set(tags.map(encodeHex)).size, tags.length);
});

const program = await hasArgon2();
if (!program) {
  // deno-lint-ignore no-console
  console.warn("SKIPPED: the comparison with the argon2 program; install the package argon2 to run it");
}

Deno.test({
  name: "argon2id() agrees with the argon2 program",
  ignore: !program,
  async fn() {
    for (const { memory, passes, lanes } of PARAMETERS) {
      const salt = "a salt of its own";
      const password = "pässwörd 🔑";
      const args = [salt, "-id", "-v", "13", "-k", `${memory}`, "-t", `${passes}`, "-p", `${lanes}`, "-l", "32", "-r"];
      const child = new Deno.Command("argon2", { args, stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(encodeUtf8(password));
      await writer.close();
      const { success, stdout } = await child.output();
      assert.ok(success);
      const derived = await argon2id(encodeUtf8(password), encodeUtf8(salt), { memory, passes, lanes });
      assert.equal(new TextDecoder().decode(stdout).trim(), encodeHex(derived));
    }
  },
});

async function hasArgon2(): Promise<boolean> {
  try {
    await new Deno.Command("argon2", { args: ["-h"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}
