import assert from "node:assert/strict";
import { argon2id } from "hash-wasm";
import { newPasswordHash } from "../../lib/reddb/password.ts";

Deno.test("newPasswordHash() gives salt and hash as hex, with 4 MiB, 3 passes and 1 lane", async () => {
  const [name, salt, hash, ...more] = (await newPasswordHash("pässword")).split("$");
  assert.deepEqual([name, salt!.length, more], ["argon2id", 32, []]);
  const expected = await argon2id({
    password: "pässword",
    salt: Uint8Array.fromHex(salt!),
    memorySize: 4096,
    iterations: 3,
    parallelism: 1,
    hashLength: 32,
    outputType: "hex",
  });
  assert.equal(hash, expected);
});

Deno.test("newPasswordHash() takes another salt each time", async () => {
  assert.notEqual(await newPasswordHash("a"), await newPasswordHash("a"));
});
