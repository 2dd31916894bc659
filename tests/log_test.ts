import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { BusyError, Vault, WrongCredentialError } from "../mod.ts";
import { logger } from "../lib/log.ts";
import { metaPageOf } from "../lib/storage/meta_page.ts";
import { PAGE_SIZE } from "../lib/storage/page.ts";
import { CHEAP_KDF, PASSPHRASE, withFolder } from "./helpers.ts";

const OPEN = { passphrase: PASSPHRASE };
const CREATE = { ...OPEN, ...CHEAP_KDF };

/** LogTape is loaded by the tests that listen, and not before. */
async function listening(work: () => Promise<void>, level: "debug" | "info" = "debug"): Promise<LogRecord[]> {
  const { configure, reset } = await import("@logtape/logtape");
  const records: LogRecord[] = [];
  await configure({
    sinks: { all: (record) => void records.push(record) },
    loggers: [
      { category: "coffer", lowestLevel: level, sinks: ["all"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["all"] },
    ],
  });
  try {
    await work();
  } finally {
    await reset();
  }
  return records;
}

/** An entry as it would be read: level, category, message with its properties in it. */
function line({ level, category, message }: LogRecord): string {
  return `${level} ${category.join(".")}: ${message.join("")}`;
}

Deno.test("the library logs nothing, and loads no LogTape, while nobody listens", () =>
  withFolder(async (folder) => {
    await using vault = await Vault.create(`${folder}/a`, CREATE);
    await vault.secrets.set("name", "value");
    await assert.rejects(Vault.open(`${folder}/none`, OPEN));
    assert.equal(logger("vault", "error"), undefined);
    assert.ok(!(Symbol.for("logtape.rootLogger") in globalThis));
  }));

Deno.test("logger() keeps entries from before LogTape is loaded, in their order", async () => {
  const records = await listening(async () => {
    logger("vault", "info")?.("First {number}", { number: 1 });
    logger("storage", "warning")?.("Second {number}", { number: 2 });
    await new Promise((resolve) => setTimeout(resolve, 0));
  });
  assert.deepEqual(records.map(line), ["info coffer.vault: First 1", "warning coffer.storage: Second 2"]);
});

Deno.test("the log tells of openings, commits, slots and failures", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a`;
    const records = await listening(async () => {
      await using vault = await Vault.create(path, CREATE);
      await vault.secrets.set("name", "value");
      const { id } = await vault.slots.add({ kind: "recovery" });
      await vault.changePassphrase("another passphrase", CHEAP_KDF);
      await vault.slots.remove(id);
      await assert.rejects(Vault.open(path, OPEN), WrongCredentialError);
    });
    const lines = records.map(line).map((text) => text.replace(/ of \d+ bytes/, " of N bytes"));
    assert.deepEqual(lines, [
      `info coffer.vault: Opened ${path} at generation 1 with slot 1`,
      "debug coffer.vault: Committed generation 2: a delta of N bytes",
      "debug coffer.vault: Committed generation 3: a delta of N bytes",
      "info coffer.auth: Added slot 2, of kind recovery",
      "debug coffer.vault: Committed generation 4: a delta of N bytes",
      "info coffer.auth: Replaced slot 1, of kind passphrase",
      "debug coffer.vault: Committed generation 5: a delta of N bytes",
      "info coffer.auth: Removed slot 2, of kind recovery",
      "error coffer.auth: Failed to unlock: wrong-credential",
      "error coffer.vault: Failed to open: wrong-credential",
    ]);
  }));

Deno.test("the log tells of waiting for a lock, and of giving up", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a`;
    await using vault = await Vault.create(path, CREATE);
    const held = await Deno.open(path, { read: true, write: true });
    const records = await listening(async () => {
      await held.lock(true);
      await assert.rejects(Vault.open(path, { ...OPEN, timeout: 1 }), BusyError);
      const waiting = vault.secrets.list();
      setTimeout(() => held.close(), 5);
      await waiting;
    });
    const [failed, waited] = records.map(line);
    assert.equal(failed, "error coffer.vault: Failed to open: busy");
    assert.match(waited!, /^debug coffer\.storage: Waited \d+ ms for the lock of /);
    assert.equal(records.length, 2);
  }));

Deno.test("the log tells when segments are compacted, and of a torn commit", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a`;
    const compacting = await listening(async () => {
      // An anchor would tell a commit that was torn after it was answered from a crash.
      await using vault = await Vault.create(path, { ...CREATE, anchor: null });
      for (let i = 0; i < 12; i++) await vault.secrets.set("name", `value ${i}`);
    });
    assert.ok(compacting.map(line).some((text) => /^debug coffer\.vault: Compacted \d+ segments/.test(text)));

    const file = await Deno.open(path, { write: true });
    await file.seek(metaPageOf(13) * PAGE_SIZE + 100, Deno.SeekMode.Start);
    await file.write(new Uint8Array(64).fill(255));
    file.close();
    const torn = await listening(async () => await (await Vault.open(path, OPEN)).close());
    const found = torn.map(line).filter((text) => text.startsWith("warning"));
    assert.deepEqual(found, ["warning coffer.storage: A newer commit is torn: generation 12 stands"]);
  }));

Deno.test("no entry holds a name, a value, a label or a credential", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a`;
    const records = await listening(async () => {
      await using vault = await Vault.create(path, { ...CREATE, label: "LABEL-1" });
      await vault.secrets.set("NAME-1", "VALUE-1", { note: "NOTE-1", tags: ["TAG-1"], type: "TYPE-1" });
      await vault.secrets.rename("NAME-1", "NAME-2");
      await vault.slots.add({ kind: "certificate", label: "LABEL-2" });
      await vault.changePassphrase("PASSPHRASE-1", CHEAP_KDF);
      await assert.rejects(vault.secrets.get("NAME-3"));
      await assert.rejects(vault.transaction((tx) => tx.secrets.delete("NAME-4")));
      await assert.rejects(Vault.open(path, { passphrase: "PASSPHRASE-2" }));
      await vault.secrets.delete("NAME-2");
    });
    assert.ok(records.length > 8);
    const text = JSON.stringify(
      records.map(({ message, rawMessage, properties }) => [message, rawMessage, properties]),
    );
    assert.doesNotMatch(text, /(LABEL|NAME|VALUE|NOTE|TAG|TYPE|PASSPHRASE)-\d/);
  }));

Deno.test("logger() gives nothing for a level that nobody wants", async () => {
  await listening(async () => {
    await import("@logtape/logtape");
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.equal(logger("vault", "debug"), undefined);
    assert.equal(typeof logger("vault", "info"), "function");
  }, "info");
});
