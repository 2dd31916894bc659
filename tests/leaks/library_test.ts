/**
 * Secrets that go through the library turn up in no file, no entry of the log and no error, in no form.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { encodeHex } from "../../lib/bytes.ts";
import { repairVault } from "../../lib/backup/repair.ts";
import { salvageVault } from "../../lib/backup/salvage.ts";
import { newKeyFile } from "../../lib/sealed/keyfile.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { Vault } from "../../lib/vault.ts";
import { CHEAP_KDF, checkWhole, flipped, gather, withFolder } from "../helpers.ts";
import { assertFolderFree, assertFree, everythingOf, findAll, type Needle, needle } from "./needles.ts";

const VALUE = "leak-value-5bVqUvP0 é";
const OLD_VALUE = "leak-old-value-93kdLwQz";
const LARGE = "leak-large-value-7QzXw ".repeat(40_000);
const NOTE = "leak-note-Zx81PqLm";
const PASSPHRASE = "leak-passphrase-Kq77xUwe";
const NEXT_PASSPHRASE = "leak-next-passphrase-Hj20";
const WRONG_PASSPHRASE = "leak-wrong-passphrase-Op55";
const PASSWORD = "leak-password-Rt66vBnm";
const WRONG_PASSWORD = "leak-wrong-password-Wq12";

/** Runs work while every entry of the library's log is kept, as a program could show it. */
async function logged(work: () => Promise<void>): Promise<string> {
  const { configure, reset } = await import("@logtape/logtape");
  const records: LogRecord[] = [];
  await configure({
    sinks: { all: (record) => void records.push(record) },
    loggers: [
      { category: "coffer", lowestLevel: "trace", sinks: ["all"] },
      { category: ["logtape", "meta"], lowestLevel: "trace", sinks: ["all"] },
    ],
  });
  try {
    await work();
  } finally {
    await reset();
  }
  assert.ok(records.length > 20, "the library logs");
  return records.map((record) => `${JSON.stringify(record)} ${Deno.inspect(record, { depth: 9 })}`).join("\n");
}

Deno.test("needle() finds a secret in every form that it knows, in the middle of other things too", () => {
  const needles = [needle("value", VALUE)];
  const bytes = new TextEncoder().encode(VALUE);
  const forms = [
    VALUE,
    encodeHex(bytes),
    encodeHex(bytes).toUpperCase(),
    ...[0, 1, 2].map((before) => btoa(String.fromCharCode(...new Uint8Array(before), ...bytes, 1, 2))),
    JSON.stringify(JSON.stringify({ VALUE })),
    encodeURIComponent(VALUE),
    [...bytes].join(),
  ];
  for (const form of forms) assert.ok(findAll(`before ${form} after`, needles).length > 0, form);
  const wide = new Uint8Array(Uint16Array.from(VALUE, (character) => character.charCodeAt(0)).buffer);
  assert.ok(findAll(wide, needles).length > 0);
  assert.deepEqual(findAll(VALUE.slice(0, -4), needles), []);
});

Deno.test("the library leaves no secret in files, log or errors", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const keyFile = newKeyFile();
    const needles: Needle[] = [
      needle("value", VALUE),
      needle("old value", OLD_VALUE),
      needle("large value", LARGE.slice(0, 400)),
      needle("note", NOTE),
      needle("passphrase", PASSPHRASE),
      needle("next passphrase", NEXT_PASSPHRASE),
      needle("wrong passphrase", WRONG_PASSPHRASE),
      needle("password", PASSWORD),
      needle("wrong password", WRONG_PASSWORD),
      needle("key file", keyFile.slice(17, -1)),
    ];
    /** Adds a secret that was made on the way; anything before is searched for it as well. */
    const also = (name: string, secret: string | Uint8Array) => void needles.push(needle(name, secret));
    const errors: string[] = [];
    const fails = async (what: string, work: () => unknown) => {
      try {
        await work();
      } catch (error) {
        return void errors.push(`${what}: ${everythingOf(error)}`);
      }
      assert.fail(`${what} does not fail`);
    };

    const log = await logged(async () => {
      {
        await using vault = await Vault.create(path, {
          passphrase: PASSPHRASE,
          ...CHEAP_KDF,
          onRecoveryCode: (code) => also("recovery code", code),
          policies: { "audit-reads": true },
        });
        const { secrets } = vault;
        await secrets.set("name", OLD_VALUE, { note: NOTE });
        await secrets.set("name", VALUE);
        await secrets.set("large", LARGE);
        assert.equal(await secrets.getText("name"), VALUE);
        await secrets.restore("name", 1);
        await secrets.set("gone", VALUE);
        await secrets.delete("gone");
        await secrets.rename("name", "renamed");
        await vault.slots.add({ kind: "keyfile", keyFile });
        await vault.slots.add({ kind: "certificate" }, { onSecret: (text) => also("certificate", text) });

        await vault.users.create({ name: "alice", role: "admin", password: PASSWORD });
        await vault.auth.login("alice", PASSWORD);
        const { key } = await vault.apiKeys.create({ owner: "alice" });
        also("API key", key);
        await vault.apiKeys.check(key);
        const token = await vault.auth.createSession("alice");
        also("session token", token);
        also("signature of the token", token.split(".")[2]!);
        await vault.auth.verifySession(token);
        const exported = await vault.auth.exportSessionKey();
        also("session key", exported.key);

        await fails("a wrong login", () => vault.auth.login("alice", WRONG_PASSWORD));
        await fails("a login of nobody", () => vault.auth.login("nobody", WRONG_PASSWORD));
        await fails("a password for a name", () => vault.auth.login(`${PASSWORD}\n`, PASSWORD));
        await fails("a token that was changed", () => vault.auth.verifySession(`${token}a`));
        await fails("a password for a token", () => vault.auth.verifySession(PASSWORD));
        await fails("a key that was changed", () => vault.apiKeys.check(`${key}a`));
        await fails("a password for a key", () => vault.apiKeys.check(PASSWORD));
        await fails("a key for an id", () => vault.apiKeys.revoke(key));
        await fails("a hash that is none", () =>
          vault.users.create({ name: "bob", role: "read", passwordHash: `$argon2id$${PASSWORD}` }));
        await fails("a verifier that is none", () =>
          vault.users.create({ name: "bob", role: "read", scram: `SCRAM-SHA-256$${PASSWORD}` }));
        await fails("a value for a name", () =>
          secrets.get(`${VALUE}\n`));
        await fails("a value that is no text", () =>
          secrets.set("name", `${VALUE}\ud800`));
        await fails("a note that is too long", () =>
          secrets.set("name", VALUE, { note: NOTE.repeat(500) }));
        await fails("a tag that is none", () => secrets.set("name", VALUE, { tags: [`${VALUE}\u0007`] }));
        await fails("a transaction that throws", () =>
          vault.transaction((tx) => {
            tx.secrets.set("name", VALUE);
            throw new Error("on purpose");
          }));
        await secrets.set("bytes", new Uint8Array([0xff, ...new TextEncoder().encode(VALUE)]));
        await fails("bytes as text", () => secrets.getText("bytes"));

        const { bytes } = await vault.backup();
        await Deno.writeFile(`${folder}/backup`, bytes, { mode: 0o600 });
        await vault.changePassphrase(NEXT_PASSPHRASE, CHEAP_KDF);
        await vault.rotate({
          credentials: [{ passphrase: NEXT_PASSPHRASE }, { keyFile }],
          dropOthers: true,
          onRecoveryCode: (code) => also("next recovery code", code),
        });
        for (let i = 0; i < 40; i++) await secrets.set("often", `${VALUE} ${i}`.repeat(30));
        assertFree(JSON.stringify(await gather(vault.audit.entries())), needles, "the audit log");
        await vault.audit.prune({ before: new Date(Date.now() + 1000) });
        const status = JSON.stringify([await vault.status(), await vault.secrets.list(), await vault.slots.list()]);
        assertFree(status, needles.filter(({ name }) => name !== "note"), "what the vault says of itself");
        assertFree(Deno.inspect(vault, { depth: 20, showHidden: true }), needles, "an open vault, printed");
      }
      await fails("a wrong passphrase", () => Vault.open(path, { passphrase: WRONG_PASSPHRASE }));
      await fails("an old passphrase", () => Vault.open(path, { passphrase: PASSPHRASE }));
      await fails("a passphrase for a code", () => Vault.open(path, { recoveryCode: NEXT_PASSPHRASE }));
      const code = (await import("../../lib/sealed/recovery.ts")).encodeRecoveryCode(new Uint8Array(32).fill(9));
      also("wrong code", (await code).split(" ").slice(0, 12).join(" "));
      await fails("a code with an error", async () =>
        Vault.open(path, { recoveryCode: `${(await code).split(" ").slice(0, 23).join(" ")} zoo` }));
      await fails("a passphrase for a certificate", () =>
        Vault.open(path, { certificate: NEXT_PASSPHRASE }));
      await fails("a passphrase for a key file", () =>
        Vault.open(path, { keyFile: new TextEncoder().encode(`COFFER-KEYFILE-1\n${NEXT_PASSPHRASE}`) }));
      await fails("two credentials", () =>
        Vault.open(path, { passphrase: NEXT_PASSPHRASE, certificate: "00" }));
      {
        await using backup = await Vault.open(`${folder}/backup`, { passphrase: PASSPHRASE });
        await fails("a change of a backup", () =>
          backup.secrets.set("name", VALUE));
        await backup.restoreTo(`${folder}/restored.coffer`, {});
        await backup.restoreTo(`${folder}/restored.coffer`, { rollback: true });
      }
      await checkWhole(`${folder}/restored.coffer`, { passphrase: PASSPHRASE });

      // Damage of every page, and what mends it.
      const whole = await Deno.readFile(path);
      for (let page = 0; page * 4096 < Math.min(whole.length, 24 * 4096); page++) {
        const medium = new FileMedium(new MemoryDisk(new MemoryFile(flipped(whole, page * 4096 + 900))));
        try {
          await using vault = await Vault.open(medium, { passphrase: NEXT_PASSPHRASE });
          errors.push(JSON.stringify((await vault.check({ deep: true })).problems));
        } catch (error) {
          errors.push(everythingOf(error));
        }
      }
      const damaged = `${folder}/damaged.coffer`;
      await Deno.writeFile(damaged, whole.fill(0, 4096, 8192), { mode: 0o600 });
      await Deno.copyFile(`${path}.anchor`, `${damaged}.anchor`);
      const salvage = { passphrase: NEXT_PASSPHRASE, ...CHEAP_KDF };
      errors.push(JSON.stringify(await salvageVault(damaged, `${folder}/salvaged.coffer`, salvage)));
      try {
        errors.push(JSON.stringify(await repairVault(damaged, { passphrase: NEXT_PASSPHRASE, older: true })));
      } catch (error) {
        errors.push(everythingOf(error));
      }
    });

    assert.ok(needles.length >= 17, `${needles.length} secrets`);
    assertFree(log, needles, "the log");
    for (const error of errors) {
      assertFree(error, needles, error.split("\n")[0]!.slice(0, 40));
    }
    const files = assertFolderFree(folder, needles);
    // deno-lint-ignore no-console
    console.info(
      `leaks: ${needles.length} secrets, ${files} files, ${errors.length} errors and the log of the library`,
    );
    await checkWhole(path, { passphrase: NEXT_PASSPHRASE });
  }));
