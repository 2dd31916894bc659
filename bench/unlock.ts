/**
 * What does unlocking with a passphrase cost, against the `argon2` program?
 *
 * @module
 */
import assert from "node:assert/strict";
import { decodeHex, encodeUtf8 } from "../lib/bytes.ts";
import { argon2id } from "../lib/crypto/argon2.ts";
import { Vault } from "../mod.ts";
import { type Bench, interleaved, ms, timed, withFolder } from "./harness.ts";

const PASSPHRASE = "correct horse battery staple";
const SALT = "0123456789abcdef0123456789abcdef";
const KDF = { memory: 256 * 1024, passes: 3, lanes: 1 };

/** The bench. */
export const bench: Bench = {
  name: "unlock",
  question: "Vault.open with Argon2id of 256 MiB, 3 passes, 1 lane, against the argon2 program",
  run: async () => {
    if (!(await hasProgram())) return "there is no argon2 program (apt-get install argon2)";
    return await withFolder(async (folder) => {
      const path = `${folder}/bench.coffer`;
      await (await Vault.create(path, { passphrase: PASSPHRASE, ...KDF })).close();
      const open = async () => await (await Vault.open(path, { passphrase: PASSPHRASE })).close();

      const [info] = (await Vault.inspect(path)).slots;
      assert.deepEqual(info?.kdf, KDF);
      assert.deepEqual(decodeHex(await derive()), await argon2id(encodeUtf8(PASSPHRASE), encodeUtf8(SALT), KDF));

      const times = await interleaved(7, { coffer: () => timed(open), program: () => timed(derive) });
      return [{
        name: "unlock / argon2 program",
        value: times.coffer / times.program,
        atMost: 1.3,
        detail: `${ms(times.coffer)} / ${ms(times.program)}`,
      }];
    });
  },
};

async function derive(): Promise<string> {
  const cost = [
    "-id",
    "-t",
    `${KDF.passes}`,
    "-k",
    `${KDF.memory}`,
    "-p",
    `${KDF.lanes}`,
    "-l",
    "32",
    "-v",
    "13",
    "-r",
  ];
  const child = new Deno.Command("argon2", { args: [SALT, ...cost], stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(PASSPHRASE));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout).trim();
}

async function hasProgram(): Promise<boolean> {
  try {
    await new Deno.Command("argon2", { args: ["-h"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
