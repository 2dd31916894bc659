import assert from "node:assert/strict";
import { isApiKey, Vault } from "../../mod.ts";
import { newApiKey } from "../../lib/auth/api_key.ts";
import { PASSPHRASE, rejectsWith, type TestVault, withVault } from "../helpers.ts";

/** Every character of a key that could be typed wrong. */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

Deno.test("newApiKey() makes keys that scanners find and that no typing error leaves valid", () => {
  const key = newApiKey();
  assert.match(key, /^coffer_[a-z2-7]{39}$/);
  assert.ok(isApiKey(key));
  for (let at = "coffer_".length; at < key.length; at++) {
    for (const other of ALPHABET) {
      if (other === key[at]) continue;
      assert.ok(!isApiKey(key.slice(0, at) + other + key.slice(at + 1)), `position ${at}`);
    }
  }
  for (let at = "coffer_".length; at + 1 < key.length; at++) {
    if (key[at] === key[at + 1]) continue;
    assert.ok(!isApiKey(key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2)), `swapped at ${at}`);
  }
  for (const text of ["", "coffer_", key.slice(0, -1), `${key}a`, key.toUpperCase(), ` ${key}`, `${key}\n`]) {
    assert.ok(!isApiKey(text), text);
  }
});

Deno.test("newApiKey() draws another key each time, from all of its characters", () => {
  const keys = Array.from({ length: 200 }, () => newApiKey());
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(new Set(keys.join("").replaceAll("coffer_", "")).size, ALPHABET.length);
});

async function withAlice({ vault }: TestVault): Promise<void> {
  await vault.users.create({ tenant: "acme", name: "alice", role: "write" });
}

withVault("ApiKeys.create() shows a key once, and the vault keeps no text of it", async (test) => {
  const { vault, path } = test;
  await withAlice(test);
  const made = await vault.apiKeys.create({ owner: "acme/alice", name: "ci", role: "write" });
  const { key, ...info } = made;
  assert.deepEqual(await vault.apiKeys.list(), [info]);
  assert.match(info.id, /^[0-9a-f]{16}$/);
  const holder = await vault.apiKeys.check(key);
  assert.deepEqual(holder, { tenant: "acme", name: "alice", user: "acme/alice", id: info.id, role: "write" });
  await vault.close();
  await using again = await Vault.open(path, { passphrase: PASSPHRASE });
  assert.equal((await again.apiKeys.check(key)).id, info.id);
  assert.ok((await again.apiKeys.list())[0]!.lastUsedAt instanceof Date);
});

withVault("ApiKeys.check() refuses what is no key, and says only whether it is of the form", async (test) => {
  const { vault } = test;
  // Before there is any user, too.
  assert.match((await rejectsWith(() => vault.apiKeys.check(newApiKey()), "invalid-api-key")).message, /in force/);
  await withAlice(test);
  const { key } = await vault.apiKeys.create({ owner: "acme/alice" });
  const wrong = key.slice(0, -1) + (key.endsWith("a") ? "b" : "a");
  for (const text of ["", "coffer_x", wrong, "x".repeat(257), "x".repeat(10_000_000)]) {
    const error = await rejectsWith(() => vault.apiKeys.check(text), "invalid-api-key");
    assert.match(error.message, /not that of a key/);
    if (text !== "") assert.ok(!`${error.message} ${error.hint}`.includes(text));
  }
  for (const text of [newApiKey(), "rk_0123456789", "\0\0\0\0\0\0\0\0\0"]) {
    assert.match((await rejectsWith(() => vault.apiKeys.check(text), "invalid-api-key")).message, /in force/);
  }
});

withVault("ApiKeys allow no more than their owner does, at any time", async (test) => {
  const { vault } = test;
  await withAlice(test);
  await rejectsWith(() => vault.apiKeys.create({ owner: "acme/alice", role: "admin" }), "role-above-owner");
  const { key } = await vault.apiKeys.create({ owner: "acme/alice", role: "write" });
  const { key: reading } = await vault.apiKeys.create({ owner: "acme/alice" });
  assert.equal((await vault.apiKeys.check(reading)).role, "read");
  await vault.users.setRole("acme/alice", "read");
  assert.equal((await vault.apiKeys.check(key)).role, "read");
  await vault.users.setRole("acme/alice", "admin");
  assert.equal((await vault.apiKeys.check(key)).role, "write");
  await vault.users.disable("acme/alice");
  await rejectsWith(() => vault.apiKeys.check(key), "invalid-api-key");
  await vault.users.enable("acme/alice");
  assert.equal((await vault.apiKeys.check(key)).role, "write");
});

withVault("ApiKeys expire and are revoked", async (test) => {
  const { vault } = test;
  await withAlice(test);
  const soon = new Date(Date.now() + 60_000);
  const made = await vault.apiKeys.create({ owner: "acme/alice", expiresAt: soon });
  assert.equal(made.expiresAt?.getTime(), soon.getTime());
  await vault.apiKeys.check(made.key);
  for (const past of [new Date(Date.now() - 1), new Date(0), new Date(Number.NaN)]) {
    await assert.rejects(vault.apiKeys.create({ owner: "acme/alice", expiresAt: past }), RangeError);
  }
  const { now } = Date;
  try {
    Date.now = () => soon.getTime();
    await rejectsWith(() => vault.apiKeys.check(made.key), "invalid-api-key");
  } finally {
    Date.now = now;
  }
  await vault.apiKeys.revoke(made.id);
  await rejectsWith(() => vault.apiKeys.check(made.key), "invalid-api-key");
  await rejectsWith(() => vault.apiKeys.revoke(made.id), "api-key-not-found");
  // A key in the place of an id is not repeated.
  const error = await rejectsWith(() => vault.apiKeys.revoke(made.key), "api-key-not-found");
  assert.ok(!error.message.includes(made.key));
});

withVault("ApiKeys.create() refuses names that are no plain text", async (test) => {
  const { vault } = test;
  await withAlice(test);
  for (const name of ["a\nb", "\u001b[31m", "x".repeat(129), "\ud800"]) {
    await rejectsWith(() => vault.apiKeys.create({ owner: "acme/alice", name }), "invalid-metadata");
  }
  await assert.rejects(vault.apiKeys.create({ owner: "acme/alice", role: "root" as never }), TypeError);
  assert.deepEqual(await vault.apiKeys.list(), []);
});

withVault("ApiKeys.adopt() lets keys of another system go on, as a hash", async (test) => {
  const { vault } = test;
  await withAlice(test);
  const createdAt = new Date(1_764_000_000_000);
  const info = await vault.apiKeys.adopt({
    owner: "acme/alice",
    key: "rk_abc123def",
    name: "old",
    role: "write",
    createdAt,
  });
  assert.equal(info.createdAt.getTime(), createdAt.getTime());
  assert.ok(!("key" in info));
  assert.equal((await vault.apiKeys.check("rk_abc123def")).id, info.id);
  await rejectsWith(() => vault.apiKeys.adopt({ owner: "acme/alice", key: "rk_abc123def" }), "api-key-exists");
  for (const unfit of [{ createdAt: new Date(NaN) }, { expiresAt: new Date(NaN) }]) {
    await assert.rejects(() => vault.apiKeys.adopt({ owner: "acme/alice", key: "rk_another1", ...unfit }), RangeError);
  }
  assert.equal((await vault.apiKeys.list()).length, 1);
  await rejectsWith(() => vault.apiKeys.adopt({ owner: "acme/alice", key: "short" }), "invalid-api-key");
});

withVault("ApiKeys outlive a new vault key", async (test) => {
  const { vault } = test;
  await withAlice(test);
  const { key, id } = await vault.apiKeys.create({ owner: "acme/alice" });
  await vault.rotate({ credentials: [{ passphrase: PASSPHRASE }] });
  assert.equal((await vault.apiKeys.check(key)).id, id);
});

withVault("ApiKeys.check() sees at once what another process of the vault did, when asked to", async (test) => {
  const { vault, path } = test;
  await withAlice(test);
  const { key, id } = await vault.apiKeys.create({ owner: "acme/alice" });
  await using other = await Vault.open(path, { passphrase: PASSPHRASE });
  await other.apiKeys.check(key);
  await vault.apiKeys.revoke(id);
  await rejectsWith(() => other.apiKeys.check(key, { maxAge: 0 }), "invalid-api-key");
});

withVault("ApiKeys.check() commits nothing by itself; uses are written once, at the close", async (test) => {
  const { vault, path } = test;
  await withAlice(test);
  const { key } = await vault.apiKeys.create({ owner: "acme/alice" });
  const { generation } = await vault.status();
  for (let i = 0; i < 100; i++) await vault.apiKeys.check(key);
  assert.equal((await vault.status()).generation, generation);
  await vault.close();
  await using again = await Vault.open(path, { passphrase: PASSPHRASE });
  assert.equal((await again.status()).generation, generation + 1);
  const entries = [];
  for await (const entry of again.audit.entries({ operation: "apikey.used" })) entries.push(entry.count);
  assert.deepEqual(entries, [1]);
  // A use that is hardly later is no news.
  await again.apiKeys.check(key);
  await again.close();
  await using third = await Vault.open(path, { passphrase: PASSPHRASE });
  assert.equal((await third.status()).generation, generation + 1);
});

withVault("ApiKeys.check() does not ask for the reason that changes need", async (test) => {
  const { vault, path } = test;
  await withAlice(test);
  const { key } = await vault.apiKeys.create({ owner: "acme/alice" });
  await vault.policies.set("require-reason", true);
  await using again = await Vault.open(path, { passphrase: PASSPHRASE });
  await again.apiKeys.check(key);
  await again.close();
  await using third = await Vault.open(path, { passphrase: PASSPHRASE });
  assert.ok((await third.apiKeys.list())[0]!.lastUsedAt !== undefined);
  await rejectsWith(() => third.apiKeys.create({ owner: "acme/alice" }), "reason-required");
});
