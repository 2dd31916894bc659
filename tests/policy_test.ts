import assert from "node:assert/strict";
import type { PolicyName, PolicyValues } from "../lib/state/policies.ts";
import { newKeyFile } from "../lib/sealed/keyfile.ts";
import { FileMedium } from "../lib/storage/file.ts";
import { MemoryMedium } from "../lib/storage/memory.ts";
import { Vault } from "../lib/vault.ts";
import { CHEAP_KDF, gather, PASSPHRASE, rejectsWith, withFolder, withVault } from "./helpers.ts";

const credential = { passphrase: PASSPHRASE };
const WRONG = { passphrase: "another" };

withVault("Policies.list gives the defaults of a vault where nothing was set", async ({ vault }) => {
  assert.deepEqual(await vault.policies.list(), {
    "audit-reads": false,
    "plaintext-export": "allow",
    "require-reason": false,
    "max-secret-age": null,
  });
});

Deno.test("Vault.create() takes a policy that is undefined for one that was not given", async () => {
  const policies = { "audit-reads": undefined, "require-reason": true } as unknown as { "require-reason": boolean };
  const medium = new MemoryMedium();
  await using vault = await Vault.create(medium, { keyFile: newKeyFile(), policies, reason: "begin" });
  const { "audit-reads": reads, "require-reason": reason } = await vault.policies.list();
  assert.deepEqual([reads, reason], [false, true]);
});

withVault("Policies.set keeps a value, and the log says which", async ({ vault, path }) => {
  await vault.policies.set("max-secret-age", 90);
  await vault.policies.set("plaintext-export", "forbid");
  await using other = await Vault.open(path, credential);
  assert.equal(await other.policies.get("max-secret-age"), 90);
  assert.equal(await other.policies.get("plaintext-export"), "forbid");
  const entries = await gather(other.audit.entries({ operation: "policy.set" }));
  assert.deepEqual(entries.map(({ name, to }) => [name, to]), [["max-secret-age", "90"], [
    "plaintext-export",
    "forbid",
  ]]);
});

withVault("Policies refuse names and values that there are not", async ({ vault }) => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ["audit-reads", "on"],
    ["plaintext-export", true],
    ["require-reason", 1],
    ["max-secret-age", 0],
    ["max-secret-age", 1.5],
    ["max-secret-age", undefined],
    ["no-such", true],
    ["toString", true],
  ];
  for (const [name, value] of wrong) {
    await assert.rejects(vault.policies.set(name as PolicyName, value as never), TypeError, name);
  }
  await assert.rejects(vault.policies.get("toString" as PolicyName), TypeError);
  assert.equal(await vault.audit.length(), 1);
});

/** Each restriction, and how it goes. */
const LIFTS: readonly (readonly [PolicyName, unknown, unknown])[] = [
  ["audit-reads", true, false],
  ["require-reason", true, false],
  ["plaintext-export", "forbid", "allow"],
];

for (const [name, on, off] of LIFTS) {
  withVault(`Policies.set asks for a credential again before it lifts ${name}`, async ({ vault, path }) => {
    await vault.policies.set(name, on as never);
    await using other = await Vault.open(path, { ...credential, reason: "audit" });
    await rejectsWith(() => other.policies.set(name, off as never), "no-credential");
    await rejectsWith(() => other.policies.set(name, off as never, { credential: WRONG }), "wrong-credential");
    await rejectsWith(() => other.policies.set(name, off as never, { credential: {} }), "no-credential");
    assert.equal(await other.policies.get(name), on);
    let asked = 0;
    const passphrase = () => (asked++, PASSPHRASE);
    // To set it once more takes nothing away.
    await other.policies.set(name, on as never, { credential: { passphrase } });
    assert.equal(asked, 0);
    await other.policies.set(name, off as never, { credential: { passphrase } });
    assert.equal(asked, 1);
    assert.equal(await other.policies.get(name), off);
  });
}

withVault("Policies.set refuses a credential whose slot went while it was asked for", async ({ vault, path }) => {
  await vault.policies.set("audit-reads", true);
  await vault.slots.add({ kind: "passphrase", passphrase: "second", ...CHEAP_KDF });
  await using other = await Vault.open(path, credential);
  const passphrase = async () => {
    await other.slots.remove(2);
    return "second";
  };
  await rejectsWith(
    () => vault.policies.set("audit-reads", false, { credential: { passphrase } }),
    "wrong-credential",
  );
  assert.equal(await vault.policies.get("audit-reads"), true);
});

withVault("Policies.set does not count a credential whose slot goes before the commit", async ({ vault, path }) => {
  await vault.policies.set("audit-reads", true);
  await vault.slots.add({ kind: "passphrase", passphrase: "second", ...CHEAP_KDF });
  const medium = await FileMedium.open(path);
  await using other = await Vault.open(medium, credential);
  const lock = medium.lock.bind(medium);
  medium.lock = async (mode, options) => {
    if (mode === "exclusive" && (await vault.slots.list()).length === 2) await vault.slots.remove(2);
    return await lock(mode, options);
  };
  await rejectsWith(
    () => other.policies.set("audit-reads", false, { credential: { passphrase: "second" } }),
    "conflict",
  );
  assert.equal(await vault.policies.get("audit-reads"), true);
}, { anchor: null });

withVault("Vault.create takes policies that hold from the start, in the first commit", async ({ vault }) => {
  assert.equal(await vault.policies.get("audit-reads"), true);
  assert.equal((await vault.status()).generation, 1);
  const entries = await gather(vault.audit.entries());
  assert.deepEqual(entries.map(({ operation, name, to }) => ({ operation, name, to })), [
    { operation: "vault.create", name: undefined, to: undefined },
    { operation: "policy.set", name: "audit-reads", to: "true" },
  ]);
}, { policies: { "audit-reads": true } });

Deno.test("Vault.create refuses a policy that cannot have its value, and makes no file", async () => {
  await withFolder(async (folder) => {
    const policies = { "audit-reads": "yes" } as unknown as Partial<PolicyValues>;
    await assert.rejects(Vault.create(`${folder}/a`, { ...credential, ...CHEAP_KDF, policies }), TypeError);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  });
});

withVault("Secrets.get commits that a value was read before it gives it, and nothing else does", async ({ vault }) => {
  await vault.secrets.set("a", "1");
  await vault.secrets.set("a", "2");
  const before = await vault.audit.length();
  await vault.secrets.info("a");
  await vault.secrets.has("a");
  await vault.secrets.list();
  await vault.secrets.history("a");
  assert.equal(await vault.audit.length(), before);
  assert.equal(await vault.secrets.getText("a"), "2");
  assert.equal(await vault.secrets.getText("a", { version: 1 }), "1");
  await rejectsWith(() => vault.secrets.get("missing"), "secret-not-found");
  await vault.transaction(({ secrets }) => secrets.getText("a"));
  await vault.secrets.restore("a", 1);
  const operations = (await gather(vault.audit.entries())).slice(before).map(({ operation }) => operation);
  assert.deepEqual(operations, ["secret.read", "secret.read", "secret.read", "secret.restore"]);
}, { policies: { "audit-reads": true } });

withVault("Secrets.get shares one commit among reads that wait together", async ({ vault }) => {
  await vault.secrets.set("a", "1");
  const { generation } = await vault.status();
  const values = await Promise.all(Array.from({ length: 20 }, () => vault.secrets.getText("a")));
  assert.deepEqual(new Set(values), new Set(["1"]));
  assert.ok((await vault.status()).generation - generation <= 2);
  assert.equal((await gather(vault.audit.entries({ operation: "secret.read" }))).length, 20);
}, { policies: { "audit-reads": true } });

withVault("A transaction that read and then failed has its reads in the log, and nothing else", async ({ vault }) => {
  await vault.secrets.set("a", "1");
  const failing = vault.transaction(({ secrets }) => {
    secrets.set("b", secrets.getText("a"));
    throw new RangeError("no");
  });
  await assert.rejects(failing, RangeError);
  const [last] = (await gather(vault.audit.entries())).slice(-1);
  assert.deepEqual([last!.operation, last!.name], ["secret.read", "a"]);
  assert.equal(await vault.secrets.has("b"), false);
}, { policies: { "audit-reads": true } });

Deno.test("Secrets.get gives no value when the read cannot be committed, and says why", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const policies = { "audit-reads": true };
    await (await Vault.create(path, { ...credential, ...CHEAP_KDF, anchor: null, policies })).close();
    const medium = await FileMedium.open(path);
    await using vault = await Vault.open(medium, credential);
    await vault.secrets.set("a", "1");
    const commit = medium.commit.bind(medium);
    medium.commit = () => Promise.reject(new Error("refused"));
    await assert.rejects(vault.secrets.getText("a"), /refused/);
    const failing = vault.transaction(({ secrets }) => {
      secrets.getText("a");
      throw new RangeError("no");
    });
    await assert.rejects(failing, /refused/);
    medium.commit = commit;
    assert.equal(await vault.secrets.getText("a"), "1");
  });
});

Deno.test("A backup of a vault that notes reads is read without a note", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const policies = { "audit-reads": true };
    await using vault = await Vault.create(path, { ...credential, ...CHEAP_KDF, policies });
    await vault.secrets.set("a", "1");
    const { bytes } = await vault.backup();
    await Deno.writeFile(`${folder}/backup`, bytes, { mode: 0o600 });
    const medium = await FileMedium.open(`${folder}/backup`);
    const lock = medium.lock.bind(medium);
    // One that may only be read is a backup too.
    medium.lock = (mode, options) => (assert.equal(mode, "shared"), lock(mode, options));
    await using backup = await Vault.open(medium, credential);
    assert.equal(await backup.secrets.getText("a"), "1");
    // What made the vault, what set the value, and that a backup was made, noted before it was.
    assert.equal(await backup.audit.length(), 4);
  });
});

withVault("require-reason refuses every change without a reason, and no read", async ({ vault, path }) => {
  await vault.secrets.set("a", "1");
  await vault.policies.set("require-reason", true);
  const length = await vault.audit.length();
  const refused = [
    () => vault.secrets.set("a", "2"),
    () => vault.secrets.delete("a"),
    () => vault.slots.add({ kind: "recovery" }),
    () => vault.policies.set("max-secret-age", 3),
    () => vault.transaction(({ secrets }) => secrets.rename("a", "b")),
    () => vault.rotate({ credentials: [credential] }),
    () => vault.audit.prune({ before: new Date(Date.now() + 1000) }),
  ];
  for (const change of refused) {
    const error = await rejectsWith(change, "reason-required");
    assert.equal(error.exitCode, 11);
  }
  assert.equal(await vault.audit.length(), length);
  assert.equal(await vault.secrets.getText("a"), "1");
  await using other = await Vault.open(path, { ...credential, reason: "" });
  await rejectsWith(() => other.secrets.set("a", "2"), "reason-required");
  await using third = await Vault.open(path, { ...credential, reason: "because" });
  await third.secrets.set("a", "2");
  const [entry] = (await gather(vault.audit.entries())).slice(-1);
  assert.equal(entry!.reason, "because");
});

withVault("Reads are noted without a reason where both policies are on", async ({ vault }) => {
  await rejectsWith(() => vault.secrets.set("a", "1"), "reason-required");
  await rejectsWith(() => vault.secrets.get("a"), "secret-not-found");
}, { policies: { "audit-reads": true, "require-reason": true } });

withVault(
  "Policies.overdue names secrets whose value is too old, whatever was changed beside it",
  async ({ vault }) => {
    const now = Date.now;
    try {
      Date.now = () => now() - 10 * 86_400_000;
      await vault.secrets.set("old", "1");
      await vault.secrets.set("renewed", "1");
    } finally {
      Date.now = now;
    }
    await vault.secrets.set("renewed", "2");
    await vault.secrets.describe("old", { note: "still the same value" });
    assert.deepEqual(await vault.policies.overdue(), []);
    await vault.policies.set("max-secret-age", 9);
    assert.deepEqual(await vault.policies.overdue(), ["old"]);
    await vault.policies.set("max-secret-age", 11);
    assert.deepEqual(await vault.policies.overdue(), []);
    await vault.policies.set("max-secret-age", null);
    assert.deepEqual(await vault.policies.overdue(), []);
  },
);
