import assert from "node:assert/strict";
import { decodeUtf8, encodeUtf8 } from "../../lib/bytes.ts";
import type { ImportEntry } from "../../lib/exchange/entry.ts";
import { formatJson, parseJson } from "../../lib/exchange/json.ts";
import { Vault } from "../../lib/vault.ts";
import { CHEAP_KDF, gather, PASSPHRASE, rejectsWith, withVault } from "../helpers.ts";

const AUDITED = { policies: { "audit-reads": true } } as const;

function entry(name: string, value: string, rest: Partial<ImportEntry> = {}): ImportEntry {
  return { name, value: encodeUtf8(value), ...rest };
}

async function operations(vault: Vault): Promise<string[]> {
  const entries = await gather(vault.audit.entries());
  return entries.map(({ operation, name, count }) =>
    [operation, name, count].filter((part) => part !== undefined).join(" ")
  );
}

withVault("Vault.exportSecrets gives what is chosen, and the log has it before", async ({ vault }) => {
  await vault.transaction(({ secrets }) => {
    for (const name of ["a", "app/b", "app/c/d", "apple"]) secrets.set(name, name, { tags: ["t"] });
  });
  const names = async (options: { globs?: string[]; under?: string }) =>
    (await vault.exportSecrets({ plaintext: false, ...options })).map(({ name }) => name);
  assert.deepEqual(await names({}), ["a", "app/b", "app/c/d", "apple"]);
  assert.deepEqual(await names({ globs: ["a*", "app/*"] }), ["a", "app/b", "apple"]);
  assert.deepEqual(await names({ under: "app" }), ["b", "c/d"]);
  assert.deepEqual(await names({ under: "app/", globs: ["**/d"] }), ["c/d"]);
  const [secret] = await vault.exportSecrets({ plaintext: true, globs: ["a"] });
  assert.deepEqual({ value: decodeUtf8(secret!.value), tags: secret!.tags, version: secret!.version }, {
    value: "a",
    tags: ["t"],
    version: 1,
  });
  assert.deepEqual((await operations(vault)).slice(5), [
    "export.encrypted 4",
    "export.encrypted 3",
    "export.encrypted 2",
    "export.encrypted 1",
    "export.plaintext 1",
  ]);
});

withVault("Vault.exportSecrets notes every read where the policy says so", async ({ vault }) => {
  await vault.transaction(({ secrets }) => void ["x/a", "x/b"].forEach((name) => secrets.set(name, "v")));
  await vault.exportSecrets({ plaintext: false, under: "x" });
  assert.deepEqual((await operations(vault)).slice(-3), ["export.encrypted 2", "secret.read x/a", "secret.read x/b"]);
}, AUDITED);

withVault(
  "Vault.exportSecrets refuses plaintext where the policy forbids it, and then tells nothing",
  async ({ vault }) => {
    await vault.secrets.set("a", "1");
    const before = await operations(vault);
    const refused = await rejectsWith(() => vault.exportSecrets({ plaintext: true }), "export-refused");
    assert.equal(refused.exitCode, 11);
    assert.deepEqual(await operations(vault), before);
    assert.equal((await vault.exportSecrets({ plaintext: false })).length, 1);
  },
  { policies: { "plaintext-export": "forbid" } },
);

withVault("Vault.exportSecrets reads a backup without a note", async ({ vault, folder }) => {
  await vault.secrets.set("a", "1");
  await Deno.writeFile(`${folder}/backup`, (await vault.backup()).bytes, { mode: 0o600 });
  await using backup = await Vault.open(`${folder}/backup`, { passphrase: PASSPHRASE });
  assert.equal((await backup.exportSecrets({ plaintext: true })).length, 1);
  await rejectsWith(() => backup.importSecrets([entry("b", "1")]), "backup-read-only");
}, AUDITED);

withVault(
  "An export as JSON, imported elsewhere, is the same vault again, history and times included",
  async ({ vault, folder }) => {
    for (let version = 1; version <= 12; version++) await vault.secrets.set("many", `v${version}`);
    const binary = Uint8Array.from({ length: 1000 }, (_, index) => index % 256);
    await vault.secrets.set("binary", binary, { note: "n\nm", tags: ["b", "a"], expiresAt: new Date(99), type: "t" });
    await vault.secrets.set("empty", "");
    const first = formatJson(await vault.exportSecrets({ plaintext: false, history: true }));
    await using other = await Vault.create(`${folder}/other`, { passphrase: PASSPHRASE, ...CHEAP_KDF });
    const report = await other.importSecrets(parseJson(first).finish());
    assert.deepEqual(report, { new: ["binary", "empty", "many"], same: [], changed: [], skipped: [], renamed: [] });
    assert.equal(formatJson(await other.exportSecrets({ plaintext: false, history: true })), first);
    assert.equal(await other.secrets.getText("many", { version: 3 }), "v3");
    assert.deepEqual((await other.check({ deep: true })).problems, []);
    const again = await other.importSecrets(parseJson(first).finish());
    assert.deepEqual(again.same, ["binary", "empty", "many"]);
    await other.secrets.set("many", "v13");
    assert.equal((await other.secrets.info("many")).version, 13);
  },
);

withVault("Vault.importSecrets makes one commit, or none when a name is taken", async ({ vault }) => {
  await vault.secrets.set("b", "1", { note: "kept" });
  const { generation } = await vault.status();
  const entries = [entry("a", "1"), entry("b", "2"), entry("c", "3")];
  const error = await rejectsWith(() => vault.importSecrets(entries), "import-conflict");
  assert.match(error.message, /: "b"$/);
  assert.equal((await vault.status()).generation, generation);
  assert.deepEqual(await vault.importSecrets(entries, { onConflict: "overwrite" }), {
    new: ["a", "c"],
    same: [],
    changed: ["b"],
    skipped: [],
    renamed: [],
  });
  assert.equal((await vault.status()).generation, generation + 1);
  const { version, note } = await vault.secrets.info("b");
  assert.deepEqual({ version, note, value: await vault.secrets.getText("b") }, {
    version: 2,
    note: "kept",
    value: "2",
  });
  assert.deepEqual((await operations(vault)).slice(-3), ["secret.set a", "secret.set b", "secret.set c"]);
});

withVault(
  "Vault.importSecrets changes what is noted without a new version when the value is the same",
  async ({ vault }) => {
    await vault.secrets.set("a", "1", { note: "n" });
    await vault.importSecrets([entry("a", "1", { metadata: { note: null, type: "t" } })], { onConflict: "overwrite" });
    const { version, note, type } = await vault.secrets.info("a");
    assert.deepEqual({ version, note, type }, { version: 1, note: undefined, type: "t" });
    assert.equal((await operations(vault)).at(-1), "secret.describe a");
  },
);

withVault("Vault.importSecrets commits nothing for a dry run, nor when all is the same", async ({ vault }) => {
  await vault.secrets.set("a", "1");
  const { generation } = await vault.status();
  const report = await vault.importSecrets([entry("a", "2"), entry("b", "1")], { dryRun: true, onConflict: "rename" });
  assert.deepEqual(report.renamed, [{ name: "a", to: "a-2" }]);
  await vault.importSecrets([entry("a", "1")]);
  assert.equal((await vault.status()).generation, generation);
  assert.deepEqual((await vault.secrets.list()).map(({ name }) => name), ["a"]);
});

withVault("Vault.importSecrets asks for a reason where the policy does, and judges names before", async ({ vault }) => {
  await rejectsWith(() => vault.importSecrets([entry("a", "1"), entry("b\u0000", "1")]), "invalid-name");
  await rejectsWith(() => vault.importSecrets([entry("a", "1", { metadata: { type: "\u0000" } })]), "invalid-metadata");
  await rejectsWith(() => vault.importSecrets([entry("a", "1")]), "reason-required");
}, { policies: { "require-reason": true } });
