import assert from "node:assert/strict";
import { decodeEntry } from "../../lib/audit/entry.ts";
import type { Line } from "../../lib/state/lines.ts";
import { Vault } from "../../lib/vault.ts";
import { CHEAP_KDF, gather, PASSPHRASE, rejectsWith, withFolder, withVault } from "../helpers.ts";
import { allLines, logLines, reseal } from "./log_lines.ts";

const options = { passphrase: PASSPHRASE, anchor: null, ...CHEAP_KDF } as const;

/** Hands a function a closed vault with some twenty entries. */
async function withLog(run: (path: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    {
      await using vault = await Vault.create(path, options);
      for (let i = 0; i < 20; i++) await vault.secrets.set(`name-${i}`, "value");
    }
    await run(path);
  });
}

withVault("AuditLog.entries gives what was done, in order, with slot, actor and reason", async ({ vault, path }) => {
  await vault.secrets.set("a", "1");
  await vault.transaction(({ secrets }) => {
    secrets.set("b", "2");
    secrets.rename("a", "c");
  });
  await vault.transaction(({ secrets }) => secrets.delete("never")).catch(() => {});
  {
    await using other = await Vault.open(path, { passphrase: PASSPHRASE, actor: "deploy", reason: "release 4" });
    await other.secrets.delete("b");
  }
  const entries = await gather(vault.audit.entries());
  assert.deepEqual(entries.map(({ time: _, ...entry }) => entry), [
    { sequence: 1, operation: "vault.create", slot: 1 },
    { sequence: 2, operation: "secret.set", name: "a", slot: 1 },
    { sequence: 3, operation: "secret.set", name: "b", slot: 1 },
    { sequence: 4, operation: "secret.rename", name: "a", to: "c", slot: 1 },
    { sequence: 5, operation: "secret.delete", name: "b", slot: 1, actor: "deploy", reason: "release 4" },
  ]);
  assert.equal(await vault.audit.length(), 5);
});

withVault("AuditLog.entries filters by time, operation, name and actor", async ({ vault, path }) => {
  await vault.secrets.set("db/a", "1");
  await vault.secrets.set("web/b", "1");
  await vault.secrets.rename("db/a", "web/a");
  {
    await using other = await Vault.open(path, { passphrase: PASSPHRASE, actor: "deploy" });
    await other.secrets.delete("web/b");
  }
  const sequences = async (filter: Parameters<typeof vault.audit.entries>[0]) =>
    (await gather(vault.audit.entries(filter))).map(({ sequence }) => sequence);
  assert.deepEqual(await sequences({ operation: "secret.set" }), [2, 3]);
  assert.deepEqual(await sequences({ name: "db/*" }), [2, 4]);
  assert.deepEqual(await sequences({ name: "web/a" }), [4]);
  assert.deepEqual(await sequences({ actor: "deploy" }), [5]);
  const [, , , rename] = await gather(vault.audit.entries());
  assert.deepEqual(await sequences({ since: new Date(rename!.time + 60_000) }), []);
  assert.deepEqual(await sequences({ until: new Date(rename!.time + 60_000) }), [1, 2, 3, 4, 5]);
  await assert.rejects(gather(vault.audit.entries({ since: new Date(NaN) })), TypeError);
});

withVault(
  "AuditLog.entries may be left, and the vault changed and compacted, between two entries",
  async ({ vault }) => {
    for (let i = 0; i < 50; i++) await vault.secrets.set(`name-${i}`, "value");
    const seen: number[] = [];
    for await (const { sequence } of vault.audit.entries()) {
      seen.push(sequence);
      // Large enough for snapshots: what is read moves from deltas into audit segments.
      if (sequence % 10 === 0) await vault.secrets.set("large", "x".repeat(40_000 + sequence));
    }
    assert.deepEqual(seen, Array.from({ length: 51 }, (_, index) => index + 1));
    for await (const { sequence } of vault.audit.entries()) if (sequence === 2) break;
    assert.equal((await vault.audit.verify()).length, 56);
  },
);

withVault(
  "AuditLog.verify says how long the log is, and its head changes with every entry",
  async ({ vault, path }) => {
    const before = await vault.audit.verify();
    assert.deepEqual({ ...before, head: "" }, { length: 1, pruned: 0, head: "" });
    await vault.secrets.set("a", "1");
    const after = await vault.audit.verify();
    assert.equal(after.length, 2);
    assert.match(after.head, /^[0-9a-f]{64}$/);
    assert.notEqual(after.head, before.head);
    assert.deepEqual((await logLines(path)).map(([, key]) => key), ["1", "2"]);
  },
);

/** What somebody who holds the key may do to the log, and what is said of it. */
const DAMAGE: Readonly<Record<string, readonly [(log: readonly Line[]) => readonly Line[], RegExp]>> = {
  "cut off at the end": [(log) => log.slice(0, -1), /entry 21 of the audit log is missing/],
  "cut off at the start": [(log) => log.slice(1), /entry 1 of the audit log is missing/],
  "taken out of the middle": [(log) => log.filter((_, index) => index !== 7), /entry 8 of the audit log is missing/],
  "doubled": [(log) => [...log.slice(0, 5), log[4]!, ...log.slice(5)], /entry 5 of the audit log is there twice/],
  "edited": [
    (log) => log.map((line, index): Line => index === 9 ? [line[0], line[1], line[2]!.replace("name", "fame")] : line),
    /entries 1 to 21 of the audit log are not the ones that were written/,
  ],
  "in another order": [(log) => [log[1]!, log[0]!, ...log.slice(2)], /entry 1 of the audit log is missing/],
  "added": [(log) => [...log, ["audit", "22", log[3]![2]!]], /has too many entries/],
  "gone altogether": [() => [], /entry 1 of the audit log is missing/],
  "of another kind": [(log) => [...log, ["secret", "x", "{}"]], /holds something else/],
  "behind a false checkpoint": [
    (log) => [["audit", "0", JSON.stringify({ length: 10, head: "00".repeat(32) })], ...log.slice(10)],
    /entries 11 to 21 of the audit log are not the ones that were written/,
  ],
  "behind a checkpoint that is none": [(log) => [["audit", "0", "[]"], ...log], /checkpoint/],
};

for (const [what, [edit, message]] of Object.entries(DAMAGE)) {
  Deno.test(`Vault.check and AuditLog.verify find entries ${what} in a log that was sealed anew`, async () => {
    await withLog(async (path) => {
      await reseal(path, edit);
      await using vault = await Vault.open(path, { passphrase: PASSPHRASE });
      assert.match((await rejectsWith(() => vault.audit.verify(), "corrupt-vault")).message, message);
      const { problems } = await vault.check();
      assert.equal(problems.length, 1);
      assert.match(problems[0]!.what, message);
      await rejectsWith(() => vault.audit.prune({ before: new Date(Date.now() + 1000) }), "corrupt-vault");
      assert.equal(await vault.secrets.getText("name-3"), "value");
    });
  });
}

Deno.test("AuditLog.verify accepts a log that was sealed anew as it was", async () => {
  await withLog(async (path) => {
    await reseal(path, (log) => log);
    await using vault = await Vault.open(path, { passphrase: PASSPHRASE });
    assert.equal((await vault.audit.verify()).length, 21);
    assert.deepEqual((await vault.check()).problems, []);
  });
});

withVault("AuditLog takes times that go back for no damage", async ({ vault, path }) => {
  const now = Date.now;
  try {
    await vault.secrets.set("a", "1");
    Date.now = () => now() - 86_400_000;
    await vault.secrets.set("b", "1");
  } finally {
    Date.now = now;
  }
  await vault.secrets.set("c", "1");
  const times = (await gather(vault.audit.entries())).map(({ time }) => time);
  assert.ok(times[2]! < times[1]!);
  assert.equal((await vault.audit.verify()).length, 4);
  // Nothing behind the first entry that stays goes, however old it says it is.
  assert.equal(await vault.audit.prune({ before: new Date(times[0]! - 1) }), 0);
  assert.equal((await logLines(path)).length, 4);
});

withVault("The log holds names and never a value, whatever is done", async ({ vault, path }) => {
  const values = ["tops3cret-1", "tops3cret-2", "tops3cret-3"];
  await vault.policies.set("audit-reads", true);
  await vault.secrets.set("a", values[0]!, { note: "tops3cret-note" });
  await vault.secrets.set("a", values[1]!);
  await vault.secrets.getText("a");
  await vault.secrets.restore("a", 1);
  await vault.secrets.describe("a", { note: "tops3cret-other" });
  await vault.transaction(({ secrets }) => secrets.set("b", secrets.get("a")));
  await vault.transaction(({ secrets }) => {
    secrets.set("b", values[2]!);
    throw new Error("tops3cret-error");
  }).catch(() => {});
  await vault.secrets.set("large", "tops3cret".repeat(10_000));
  await vault.changePassphrase("tops3cret-passphrase", CHEAP_KDF);
  await vault.changePassphrase(PASSPHRASE, CHEAP_KDF);
  const lines = await allLines(path);
  const log = lines.filter(([kind]) => kind === "audit");
  assert.ok(log.length > 9);
  for (const [, key, json] of log) {
    assert.doesNotMatch(json!, /tops3cret|dG9wczNjcmV0/);
    decodeEntry(Number(key), json!);
  }
  // The scan would have seen them: the state does hold them.
  assert.ok(lines.some(([, , json]) => json?.includes("dG9wczNjcmV0")));
});

Deno.test("AuditLog stays one chain while several processes change the vault", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await using vault = await Vault.create(path, { passphrase: PASSPHRASE, ...CHEAP_KDF });
    await vault.secrets.set("counter", "0");
    const script = new URL("../increment.ts", import.meta.url).pathname;
    const args = ["run", "--no-check", "--quiet", `--allow-read=${folder}`, `--allow-write=${folder}`, script];
    const children = Array.from(
      { length: 3 },
      () => new Deno.Command(Deno.execPath(), { args: [...args, path, PASSPHRASE, "10"], stdin: "null" }).output(),
    );
    for (const { success, stderr } of await Promise.all(children)) assert.ok(success, new TextDecoder().decode(stderr));
    assert.equal((await vault.audit.verify()).length, 32);
    const entries = await gather(vault.audit.entries({ name: "counter" }));
    assert.deepEqual(entries.map(({ sequence }) => sequence), Array.from({ length: 31 }, (_, index) => index + 2));
  });
});

Deno.test("AuditLog.entries streams 100,000 entries and holds no more of them at the end", async () => {
  await withFolder(async (folder) => {
    await using vault = await Vault.create(`${folder}/app.coffer`, options);
    await vault.secrets.set("a", "1");
    for (let round = 0; round < 10; round++) {
      await vault.transaction(({ secrets }) => {
        for (let i = 0; i < 10_000; i++) secrets.describe("a", { note: String(i) });
      });
    }
    // In a process of its own, where memory can be given back before it is measured.
    const script = new URL("stream.ts", import.meta.url).pathname;
    const args = ["run", "--no-check", "--quiet", "--v8-flags=--expose-gc", "-A", script, `${folder}/app.coffer`];
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const { count, early, late } = JSON.parse(new TextDecoder().decode(stdout));
    assert.equal(count, 100_002);
    // The entries take some 20 MB as objects, and 8 MB as text.
    assert.ok(late - early < 3_000_000, `${early} bytes after 10,000 entries, ${late} after 100,000`);
    assert.equal((await vault.audit.verify()).length, count);
  });
});
