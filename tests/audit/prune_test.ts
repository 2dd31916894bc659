import assert from "node:assert/strict";
import { Vault } from "../../lib/vault.ts";
import { CHEAP_KDF, gather, PASSPHRASE, rejectsWith, withFolder, withVault } from "../helpers.ts";
import { logLines, reseal } from "./log_lines.ts";

const LATER = () => new Date(Date.now() + 60_000);

/** Runs work as if at another time. */
async function at(time: number, work: () => Promise<unknown>): Promise<void> {
  const now = Date.now;
  try {
    Date.now = () => time;
    await work();
  } finally {
    Date.now = now;
  }
}

withVault("AuditLog.prune lets old entries go, notes how many, and the rest verifies", async ({ vault, path }) => {
  const start = Date.now() + 1000;
  for (let i = 0; i < 10; i++) await at(start + i, () => vault.secrets.set(`name-${i}`, "value"));
  const generation = (await vault.status()).generation;
  assert.equal(await vault.audit.prune({ before: new Date(start + 4) }), 5);
  assert.equal((await vault.status()).generation, generation + 1);

  const entries = await gather(vault.audit.entries());
  assert.deepEqual(entries.map(({ sequence }) => sequence), [6, 7, 8, 9, 10, 11, 12]);
  const { time: _, ...last } = entries.at(-1)!;
  assert.deepEqual(last, { sequence: 12, operation: "audit.prune", count: 5, slot: 1 });
  const { length, pruned } = await vault.audit.verify();
  assert.deepEqual({ length, pruned }, { length: 12, pruned: 5 });
  assert.equal(await vault.audit.length(), 12);
  assert.equal((await logLines(path))[0]![1], "0");
  assert.equal(await vault.secrets.getText("name-2"), "value");

  await using again = await Vault.open(path, { passphrase: PASSPHRASE });
  assert.deepEqual((await again.check()).problems, []);
  assert.equal((await gather(again.audit.entries())).length, 7);
});

withVault("AuditLog.prune may be done again, and the log goes on after it", async ({ vault, path }) => {
  for (let i = 0; i < 5; i++) await vault.secrets.set(`name-${i}`, "value");
  assert.equal(await vault.audit.prune({ before: LATER() }), 6);
  assert.deepEqual((await gather(vault.audit.entries())).map(({ operation }) => operation), ["audit.prune"]);
  // Through compactions too, which merge the segment that begins with the checkpoint.
  for (let i = 0; i < 30; i++) await vault.secrets.set("large", "x".repeat(50_000 + i));
  assert.deepEqual((await vault.check()).problems, []);
  assert.equal(await vault.audit.prune({ before: LATER() }), 31);
  const { length, pruned } = await vault.audit.verify();
  assert.deepEqual({ length, pruned }, { length: 38, pruned: 37 });
  assert.deepEqual((await logLines(path)).map(([, key]) => key), ["0", "38"]);
});

withVault("AuditLog.prune commits nothing when no entry is old enough", async ({ vault }) => {
  const { generation } = await vault.status();
  assert.equal(await vault.audit.prune({ before: new Date(0) }), 0);
  assert.equal((await vault.status()).generation, generation);
  await assert.rejects(vault.audit.prune({ before: new Date(NaN) }), TypeError);
});

withVault("AuditLog.prune is seen by other open vaults, also while they read the log", async ({ vault, path }) => {
  for (let i = 0; i < 5; i++) await vault.secrets.set(`name-${i}`, "value");
  await using other = await Vault.open(path, { passphrase: PASSPHRASE });
  const reader = other.audit.entries();
  assert.equal((await reader.next()).value!.sequence, 1);
  await vault.audit.prune({ before: LATER() });
  for await (const { sequence } of reader) assert.ok(sequence <= 6);
  assert.deepEqual((await gather(other.audit.entries())).map(({ sequence }) => sequence), [7]);
  await other.secrets.set("after", "value");
  assert.equal((await vault.audit.verify()).length, 8);
});

withVault("AuditLog.entries goes on where it was when older entries are pruned meanwhile", async ({ vault }) => {
  const start = Date.now() + 1000;
  for (let i = 0; i < 6; i++) await at(start + i, () => vault.secrets.set(`name-${i}`, "value"));
  const seen: number[] = [];
  for await (const { sequence } of vault.audit.entries()) {
    seen.push(sequence);
    if (sequence === 5) assert.equal(await vault.audit.prune({ before: new Date(start + 2) }), 3);
  }
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("A log that was pruned and then cut is found out", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await using vault = await Vault.create(path, { passphrase: PASSPHRASE, anchor: null, ...CHEAP_KDF });
    for (let i = 0; i < 5; i++) await vault.secrets.set(`name-${i}`, "value");
    await vault.audit.prune({ before: LATER() });
    await vault.secrets.set("after", "value");
    await reseal(path, ([checkpoint, , ...rest]) => [checkpoint!, ...rest]);
    const { message } = await rejectsWith(() => vault.audit.verify(), "corrupt-vault");
    assert.match(message, /entry 7 of the audit log is missing/);
    await reseal(path, (log) => log.slice(1));
    assert.match((await rejectsWith(() => vault.audit.verify(), "corrupt-vault")).message, /entry 1 of the audit log/);
  });
});

withVault("AuditLog.prune needs a reason where the policy asks for one", async ({ vault, path }) => {
  await vault.policies.set("require-reason", true);
  await rejectsWith(() => vault.audit.prune({ before: LATER() }), "reason-required");
  await using other = await Vault.open(path, { passphrase: PASSPHRASE, reason: "kept for a year" });
  assert.equal(await other.audit.prune({ before: LATER() }), 2);
  const [entry] = await gather(vault.audit.entries());
  assert.equal(entry!.reason, "kept for a year");
});
