import assert from "node:assert/strict";
import type { Transaction } from "../lib/vault.ts";
import { rejectsWith, withVault } from "./helpers.ts";

withVault("Vault.transaction() keeps all of what it changed, or nothing", async ({ vault }) => {
  await vault.transaction((tx) => {
    tx.secrets.set("a", "1");
    tx.secrets.set("b", "2");
  });
  const failing = vault.transaction((tx) => {
    tx.secrets.set("a", "3");
    tx.secrets.delete("b");
    tx.secrets.set("c", "4");
    assert.equal(tx.secrets.getText("a"), "3", "it sees its own changes");
    assert.equal(tx.secrets.has("b"), false);
    throw new RangeError("mine");
  });
  await assert.rejects(failing, new RangeError("mine"));
  assert.deepEqual((await vault.secrets.list()).map(({ name, version }) => [name, version]), [["a", 1], ["b", 1]]);
  assert.equal((await vault.status()).generation, 2, "a failed transaction commits nothing");
});

withVault(
  "Vault.transaction() gives back what its callback gave, and commits nothing when nothing changed",
  async ({ vault }) => {
    assert.equal(await vault.transaction(() => 7), 7);
    assert.equal(await vault.transaction((tx) => Promise.resolve(tx.secrets.list().length)), 0);
    assert.equal((await vault.status()).generation, 1);
  },
);

withVault("Transaction refuses to be used once its callback has ended", async ({ vault }) => {
  const kept: Transaction[] = [];
  await vault.transaction((tx) => void kept.push(tx));
  await vault.transaction((tx) => {
    kept.push(tx);
    throw new Error("mine");
  }).catch(() => {});
  for (const { secrets } of kept) {
    for (
      const use of [
        () => secrets.get("a"),
        () => secrets.has("a"),
        () => secrets.list(),
        () => secrets.set("a", "1"),
        () => secrets.delete("a"),
        () => secrets.rename("a", "b"),
      ]
    ) await rejectsWith(use, "transaction-closed");
  }
});

withVault("Vault.transaction() awaited inside another one ends with BusyError", async ({ vault }) => {
  const outer = vault.transaction(async (tx) => {
    tx.secrets.set("a", "1");
    await rejectsWith(() => vault.transaction(() => {}, { timeout: 20 }), "busy");
    await rejectsWith(() => vault.check({ timeout: 20 }), "busy");
  });
  await outer;
  assert.equal(await vault.secrets.getText("a"), "1");
});

withVault("Secrets read inside a transaction callback sees what is committed, and does not hang", async ({ vault }) => {
  await vault.secrets.set("a", "1");
  await vault.transaction(async (tx) => {
    tx.secrets.set("a", "2");
    assert.equal(await vault.secrets.getText("a"), "1");
    assert.equal((await vault.status()).generation, 2);
    assert.equal(tx.secrets.getText("a"), "2");
  });
  assert.equal(await vault.secrets.getText("a"), "2");
});

withVault("Vault.transaction() shares commits among those that wait together", async ({ vault }) => {
  await Promise.all(Array.from({ length: 64 }, (_, i) => vault.secrets.set(`name/${i}`, `${i}`)));
  const { generation, secrets } = await vault.status();
  assert.equal(secrets, 64);
  assert.ok(generation <= 8, `64 transactions took ${generation - 1} commits`);
});

withVault("Vault.transaction() that throws leaves those alone that share its commit", async ({ vault }) => {
  const results = await Promise.allSettled(Array.from({ length: 64 }, (_, i) =>
    vault.transaction(async (tx) => {
      tx.secrets.set(`name/${i}`, `${i}`);
      tx.secrets.set("last", `${i}`);
      await Promise.resolve();
      if (i % 7 === 3) throw new RangeError(`${i}`);
      return i;
    })));
  for (const [i, result] of results.entries()) {
    assert.equal(result.status, i % 7 === 3 ? "rejected" : "fulfilled");
    assert.equal(await vault.secrets.has(`name/${i}`), i % 7 !== 3);
  }
  assert.equal(await vault.secrets.getText("last"), "63");
});

withVault("Vault.transaction() given up before its turn never runs", async ({ vault }) => {
  const controller = new AbortController();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const first = vault.transaction(() => gate);
  await new Promise((done) => setTimeout(done, 5));
  let ran = false;
  const second = vault.transaction(() => void (ran = true), { signal: controller.signal });
  controller.abort(new RangeError("enough"));
  await assert.rejects(second, new RangeError("enough"));
  open();
  await first;
  await vault.secrets.set("a", "1");
  assert.equal(ran, false);
  await assert.rejects(async () => await vault.transaction(() => {}, { signal: controller.signal }), RangeError);
});

withVault("Vault.transaction() takes more changes than a function takes arguments", async ({ vault }) => {
  await vault.transaction(({ secrets }) => {
    for (let i = 0; i < 150_000; i++) secrets.set(`name/${i}`, "");
  });
  assert.equal((await vault.status()).secrets, 150_000);
});
