import assert from "node:assert/strict";
import * as api from "../../lib/reddb/mod.ts";

/** Everything that users of `@coffer/vault/reddb` may import at run time; a new name is a promise. */
const NAMES = [
  "CofferError",
  "DEFAULT_SCRAM_ITERATIONS",
  "ERROR_TABLE",
  "KeyPair",
  "MIN_SCRAM_ITERATIONS",
  "ROLES",
  "RedDbCorruptError",
  "RedDbDecryptionError",
  "RedDbEncryptionError",
  "RedDbLegacyError",
  "RedDbNoKeyError",
  "RedDbPageFileError",
  "RedDbUnsupportedError",
  "RedDbVault",
  "VaultState",
  "bootstrapState",
  "checkRedDbFile",
  "isSameUser",
  "newPasswordHash",
  "newScramVerifier",
  "resolveRedDbCredential",
  "sealLogicalExport",
  "unsealLogicalExport",
];

Deno.test("lib/reddb/mod.ts exports these names and no others", () => {
  assert.deepEqual(Object.keys(api).sort(), NAMES);
});

Deno.test("lib/reddb imports nothing of coffer's own container, sealing, state or commands", async () => {
  const folder = new URL("../../lib/reddb/", import.meta.url);
  const allowed =
    /^\.\.\/(bytes|errors|error_table|mutex|crypto\/\w+|storage\/(disk|disk_deno|create|crc32|system_errors))\.ts$/;
  for await (const { name } of Deno.readDir(folder)) {
    const text = await Deno.readTextFile(new URL(name, folder));
    for (const [, path] of text.matchAll(/from "(\.\.\/[^"]+)"/g)) {
      assert.match(path!, allowed, `${name} imports ${path}`);
    }
  }
});
