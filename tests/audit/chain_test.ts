import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { EMPTY_LOG, extendLog } from "../../lib/audit/chain.ts";
import { decodeEntry, encodeEntry } from "../../lib/audit/entry.ts";
import { CorruptVaultError } from "../../lib/errors.ts";
import { MemoryMedium, MemoryStore } from "../../lib/storage/memory.ts";
import { Vault } from "../../lib/vault.ts";
import { auditLog, readLog } from "../audit_log.ts";
import { CHEAP_KDF, PASSPHRASE, rejectsWith, withVault } from "../helpers.ts";

const DEEP = Deno.env.get("COFFER_DEEP") === "1";
const CHEAP = { passphrase: PASSPHRASE, ...CHEAP_KDF };

Deno.test("extendLog() is SHA-256 of the head before and the entry's text, few or many at once", async () => {
  const texts = Array.from({ length: 40 }, (_, index) => `{"time":${index},"op":"secret.set","name":"é${index}"}`);
  let head = new Uint8Array(32);
  for (const text of texts) head = new Uint8Array(createHash("sha256").update(head).update(text).digest());
  const expected = { length: 40, head };
  assert.deepEqual(await extendLog(EMPTY_LOG, texts), expected);
  let log = EMPTY_LOG;
  for (const text of texts) log = await extendLog(log, [text]);
  assert.deepEqual(log, expected, "one by one");
  assert.deepEqual(await extendLog(EMPTY_LOG, []), EMPTY_LOG);
  const exchanged = await extendLog(EMPTY_LOG, texts.with(3, texts[4]!).with(4, texts[3]!));
  assert.notDeepEqual(exchanged.head, head);
});

Deno.test("decodeEntry() gives back what encodeEntry() was given, and refuses what is not of the form", () => {
  const full = { operation: "secret.rename", name: "a", to: "b", count: 2 } as const;
  const origin = { slot: 3, actor: "kim", reason: "why" };
  assert.deepEqual(decodeEntry(7, encodeEntry(full, origin, 9)), { ...full, ...origin, sequence: 7, time: 9 });
  const bare = encodeEntry({ operation: "vault.create" }, {}, 1);
  assert.equal(bare, '{"time":1,"op":"vault.create"}');
  assert.deepEqual(decodeEntry(1, bare), { sequence: 1, time: 1, operation: "vault.create" });
  for (
    const json of [
      "",
      "{",
      "null",
      "[]",
      "{}",
      '{"time":1}',
      '{"op":"x"}',
      '{"time":"1","op":"x"}',
      '{"time":1.5,"op":"x"}',
      '{"time":1,"op":"x","name":1}',
      '{"time":1,"op":"x","slot":"1"}',
      '{"time":1,"op":"x","count":null}',
    ]
  ) assert.throws(() => decodeEntry(1, json), CorruptVaultError, json);
});

withVault("Vault logs every change once, in order, and its chain ends in the meta", async (test) => {
  const { vault, path } = test;
  const seen = ["vault.create"];
  const logged = async (...operations: string[]) => {
    seen.push(...operations);
    assert.deepEqual((await auditLog(path, test.credential)).map(({ operation }) => operation), seen);
  };
  await logged();
  await vault.secrets.set("a", "1");
  await logged("secret.set");
  await vault.secrets.set("a", "2".repeat(5000), { tags: ["t"] });
  await logged("secret.set");
  await vault.secrets.describe("a", { note: "n" });
  await logged("secret.describe");
  await vault.secrets.restore("a", 1);
  await logged("secret.restore");
  await vault.secrets.rename("a", "b");
  await logged("secret.rename");
  await vault.transaction((tx) => {
    tx.secrets.set("c", "1");
    tx.secrets.set("d", "1");
    tx.secrets.delete("b");
  });
  await logged("secret.set", "secret.set", "secret.delete");
  const slot = await vault.slots.add({ kind: "recovery" }, { onSecret: () => {} });
  await logged("slot.add");
  await vault.slots.remove(slot.id);
  await logged("slot.remove");
  await vault.changePassphrase("another passphrase", CHEAP_KDF);
  test.credential = { passphrase: "another passphrase" };
  await logged("slot.passphrase");
  assert.equal(await vault.secrets.getText("c"), "1");
  await logged();
});

withVault("Vault logs names and never values, also of transactions that share a commit", async ({ vault, path }) => {
  const value = "hunter2-hunter2";
  await Promise.all(Array.from({ length: 20 }, (_, index) => vault.secrets.set(`name/${index}`, value)));
  const log = await auditLog(path);
  assert.deepEqual(log.slice(1).map(({ name }) => name), Array.from({ length: 20 }, (_, index) => `name/${index}`));
  assert.ok((await vault.status()).generation < 21, "some shared a commit");
  assert.ok(!JSON.stringify(log).includes("hunter2"));
});

withVault("Vault logs nothing of a transaction that fails, alone or beside others", async ({ vault, path }) => {
  const failing = () =>
    vault.transaction((tx) => {
      tx.secrets.set("lost", "1");
      throw new RangeError("no");
    });
  await assert.rejects(failing, RangeError);
  await rejectsWith(() => vault.secrets.delete("none"), "secret-not-found");
  assert.equal((await vault.status()).generation, 1);
  await Promise.allSettled([vault.secrets.set("a", "1"), failing(), vault.secrets.set("b", "1")]);
  assert.deepEqual((await auditLog(path)).map(({ name }) => name), [undefined, "a", "b"]);
});

Deno.test("Vault keeps all entries through merges and snapshots, in few audit segments", async () => {
  const store = new MemoryStore();
  await using vault = await Vault.create(new MemoryMedium(store), CHEAP);
  const commits = DEEP ? 10_000 : 1500;
  let mostAudit = 0;
  let snapshots = 0;
  let snapshot = "";
  for (let i = 1; i <= commits; i++) {
    await vault.secrets.set(`name/${i % 7}`, "v".repeat(i % 300));
    if (i % 50 > 0 && i < commits) continue;
    const { entries, generation } = await readLog(new MemoryMedium(store));
    assert.equal(entries.length, i + 1);
    assert.equal(entries.at(-1)!.name, `name/${i % 7}`);
    const kinds = generation.segments.map(({ header }) => header.kind);
    mostAudit = Math.max(mostAudit, kinds.filter((kind) => kind === "audit").length);
    const { id, first } = generation.segments[kinds.indexOf("snapshot")]!.header;
    if (String(id) !== snapshot) snapshots++;
    snapshot = String(id);
    // Up to the snapshot the entries stand in audit segments, and none of them in the state.
    assert.equal(generation.segments[kinds.indexOf("snapshot") - 1]!.header.last, first);
  }
  assert.ok(snapshots > 3, `${snapshots} snapshots were seen`);
  assert.ok(mostAudit >= 1 && mostAudit <= 12, `${mostAudit} audit segments`);
  assert.deepEqual((await vault.check()).problems, []);
});
