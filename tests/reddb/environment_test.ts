import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { readEnvironment, resolveRedDbCredential } from "../../lib/reddb/environment.ts";
import { patterned, rejectsWith, withFolder } from "../helpers.ts";

const HEX = patterned(32).toHex();
const OTHER = patterned(32, 1).toHex();

/** An environment of these variables. */
function of(variables: Record<string, string>) {
  return (name: string) => variables[name];
}

async function resolved(variables: Record<string, string>, argument?: Parameters<typeof resolveRedDbCredential>[0]) {
  const { kind, secret } = await resolveRedDbCredential(argument, of(variables));
  return [kind, kind === "certificate" ? secret.toHex() : new TextDecoder().decode(secret)];
}

Deno.test("resolveRedDbCredential() takes the certificate, then the vault key, then the argument", async () => {
  const argument = { passphrase: "argument" };
  const both = { REDDB_CERTIFICATE: HEX, REDDB_VAULT_KEY: "key" };
  assert.deepEqual(await resolved(both, argument), ["certificate", HEX]);
  assert.deepEqual(await resolved({ REDDB_VAULT_KEY: "key" }, argument), ["passphrase", "key"]);
  assert.deepEqual(await resolved({}, argument), ["passphrase", "argument"]);
  assert.deepEqual(await resolved({ REDDB_CERTIFICATE: "", REDDB_VAULT_KEY: "" }, { certificate: OTHER }), [
    "certificate",
    OTHER,
  ]);
});

Deno.test("resolveRedDbCredential() reads the file that a variable names, without the line end", () =>
  withFolder(async (folder) => {
    const path = `${folder}/secret`;
    for (const end of ["", "\n", "\r\n"]) {
      await Deno.writeTextFile(path, HEX + end);
      assert.deepEqual(await resolved({ REDDB_CERTIFICATE_FILE: path, REDDB_VAULT_KEY: "key" }), ["certificate", HEX]);
      assert.deepEqual(await resolved({ REDDB_VAULT_KEY_FILE: path }), ["passphrase", HEX]);
    }
    await Deno.writeTextFile(path, " spaces stay \n\n");
    assert.deepEqual(await resolved({ REDDB_VAULT_KEY_FILE: path }), ["passphrase", " spaces stay \n"]);
  }));

Deno.test("resolveRedDbCredential() refuses a variable in both forms", async () => {
  for (const name of ["REDDB_CERTIFICATE", "REDDB_VAULT_KEY"]) {
    const error = await rejectsWith(() => resolved({ [name]: HEX, [`${name}_FILE`]: "/x" }), "conflicting-credentials");
    assert.match(error.message, new RegExp(`${name} and ${name}_FILE`));
  }
});

Deno.test("resolveRedDbCredential() names both variables when there is no credential at all", async () => {
  const error = await rejectsWith(() => resolved({}), "reddb-no-key");
  assert.match(error.message, /REDDB_CERTIFICATE and REDDB_VAULT_KEY/);
});

Deno.test("resolveRedDbCredential() refuses a certificate that is not hex, even with a good argument", async () => {
  await rejectsWith(() => resolved({ REDDB_CERTIFICATE: "not hex" }, { passphrase: "p" }), "reddb-no-key");
});

Deno.test("resolveRedDbCredential() refuses files that are missing, empty, no text or too large", () =>
  withFolder(async (folder) => {
    const path = `${folder}/secret`;
    await rejectsWith(() => resolved({ REDDB_VAULT_KEY_FILE: path }), "file-not-found");
    for (const bytes of [new Uint8Array(0), encodeUtf8("\n"), Uint8Array.of(0xff), patterned(65_537)]) {
      await Deno.writeFile(path, bytes);
      await rejectsWith(() => resolved({ REDDB_VAULT_KEY_FILE: path }), "malformed-credential");
    }
  }));

Deno.test("readEnvironment() gives nothing, and asks nobody, where the environment may not be read", async () => {
  const module = new URL("../../lib/reddb/environment.ts", import.meta.url).href;
  const code = `import { readEnvironment } from ${JSON.stringify(module)}; console.log(readEnvironment("HOME"));`;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/main.ts`, code);
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["run", `${folder}/main.ts`] }).output();
    assert.equal(new TextDecoder().decode(stdout).trim(), "undefined");
    assert.equal(readEnvironment("HOME"), Deno.env.get("HOME"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
