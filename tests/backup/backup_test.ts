import assert from "node:assert/strict";
import { CorruptVaultError } from "../../lib/errors.ts";
import { newKeyFile } from "../../lib/sealed/keyfile.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { PAGE_SIZE } from "../../lib/storage/page.ts";
import { type OpenOptions, Vault } from "../../lib/vault.ts";
import { readLog } from "../stored_log.ts";
import { CHEAP_KDF, checkWhole, flipped, PASSPHRASE, rejectsWith, type TestVault, withVault } from "../helpers.ts";

/** Writes a backup beside the vault; gives its path. */
async function backedUp({ vault, folder }: TestVault, name = "backup"): Promise<string> {
  const path = `${folder}/${name}`;
  Deno.writeFileSync(path, (await vault.backup()).bytes, { mode: 0o600 });
  return path;
}

withVault(
  "Vault.backup makes a vault that opens with every slot, the recovery code included, at the same cost",
  async (test) => {
    const { vault } = test;
    const keyFile = newKeyFile();
    let [certificate, recoveryCode] = ["", ""];
    await vault.slots.add({ kind: "keyfile", keyFile, label: "ci" });
    await vault.slots.add({ kind: "certificate" }, { onSecret: (text) => void (certificate = text) });
    await vault.slots.add({ kind: "recovery" }, { onSecret: (text) => void (recoveryCode = text) });
    await vault.slots.add({ kind: "passphrase", passphrase: "second", ...CHEAP_KDF, memory: 64, passes: 3 });
    await vault.secrets.set("a", "1", { note: "n" });
    await vault.secrets.set("a", "2");
    const path = await backedUp(test);
    const credentials: OpenOptions[] = [
      { passphrase: PASSPHRASE },
      { passphrase: "second" },
      { keyFile },
      { certificate },
      { recoveryCode },
    ];
    for (const credential of credentials) {
      await checkWhole(path, credential);
      await using backup = await Vault.open(path, credential);
      assert.equal(await backup.secrets.getText("a"), "2");
      assert.equal(await backup.secrets.getText("a", { version: 1 }), "1");
      const { slots, generation, epoch, vaultId, recovered } = await backup.status();
      const now = await vault.status();
      assert.deepEqual({ slots, generation, epoch, vaultId }, {
        slots: now.slots,
        generation: now.generation,
        epoch: now.epoch,
        vaultId: now.vaultId,
      });
      assert.equal(recovered, false);
    }
    assert.deepEqual(slotsOf(await vault.status()), slotsOf(await Vault.inspect(path)));
    assert.deepEqual([(await Vault.inspect(path)).backup, (await vault.status()).backup], [true, false]);
    assert.deepEqual(await readLog(path, { keyFile }), await readLog(test.path, { keyFile }));
  },
);

function slotsOf({ slots }: { slots: readonly { kdf?: unknown }[] }): unknown[] {
  return slots.map(({ kdf }) => kdf);
}

withVault("Vault.backup makes the same vault from deltas, from a snapshot, and after a rotation", async (test) => {
  const { vault } = test;
  for (let round = 0; round < 60; round++) await vault.secrets.set(`name-${round % 7}`, "x".repeat(round * 100));
  await checkWhole(await backedUp(test, "deltas"));
  await vault.rotate({ credentials: [{ passphrase: PASSPHRASE }] });
  await checkWhole(await backedUp(test, "rotated"));
  await vault.secrets.set("after", "1");
  const path = await backedUp(test, "after");
  await checkWhole(path);
  await using backup = await Vault.open(path, { passphrase: PASSPHRASE });
  assert.equal(await backup.secrets.getText("after"), "1");
  assert.equal((await backup.secrets.list()).length, 8);
});

withVault("A backup refuses every change and stays as it is, byte for byte", async (test) => {
  await test.vault.secrets.set("a", "1");
  const path = await backedUp(test);
  const bytes = Deno.readFileSync(path);
  await using backup = await Vault.open(path, { passphrase: PASSPHRASE });
  let shown = 0;
  const onRecoveryCode = () => void shown++;
  await rejectsWith(() => backup.secrets.set("a", "2"), "backup-read-only");
  await rejectsWith(() => backup.secrets.delete("a"), "backup-read-only");
  await rejectsWith(() => backup.slots.add({ kind: "keyfile", keyFile: newKeyFile() }), "backup-read-only");
  await rejectsWith(() => backup.changePassphrase("other", CHEAP_KDF), "backup-read-only");
  await rejectsWith(
    () => backup.rotate({ credentials: [{ passphrase: PASSPHRASE }], onRecoveryCode }),
    "backup-read-only",
  );
  assert.equal(shown, 0);
  await backup.transaction(() => {});
  assert.equal(await backup.secrets.getText("a"), "1");
  assert.deepEqual(Deno.readFileSync(path), bytes);
});

withVault("Backups made while others write hold each transaction wholly or not at all", async (test) => {
  await using writer = await Vault.open(test.path, { passphrase: PASSPHRASE });
  let done = false;
  const writing = (async () => {
    // A pause between changes, since a lock is tried for now and then only.
    for (let round = 1; !done; round++, await new Promise((resolve) => setTimeout(resolve, 3))) {
      await writer.transaction((tx) => {
        for (const name of ["a", "b", "c"]) tx.secrets.set(name, `${round}`);
      });
    }
  })();
  const seen = new Set<string>();
  try {
    // With a pause as well: reads that are answered at once would never let a timer of the writer's pass.
    while ((await test.vault.secrets.list()).length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    for (let round = 0; round < 25; round++) {
      const { bytes, generation } = await test.vault.backup();
      const medium = new FileMedium(new MemoryDisk(new MemoryFile(bytes)));
      await using backup = await Vault.open(medium, { passphrase: PASSPHRASE });
      const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => backup.secrets.getText(name)));
      assert.deepEqual([b, c], [a, a]);
      assert.equal((await backup.status()).generation, generation);
      seen.add(a!);
    }
  } finally {
    done = true;
    await writing;
  }
  assert.ok(seen.size > 1, "the vault was changed meanwhile");
});

withVault("Vault.backup of a damaged vault fails and names the page", async (test) => {
  await test.vault.secrets.set("large", new Uint8Array(100_000));
  const bytes = Deno.readFileSync(test.path);
  const { bytes: whole } = await test.vault.backup();
  let named = 0;
  for (let page = 2; page < bytes.length / PAGE_SIZE; page += 3) {
    await using vault = await Vault.open(test.path, { passphrase: PASSPHRASE });
    Deno.writeFileSync(test.path, flipped(bytes, page * PAGE_SIZE + 100));
    try {
      assert.equal((await vault.backup()).bytes.length, whole.length);
    } catch (error) {
      assert.ok(error instanceof CorruptVaultError, String(error));
      assert.equal(error.page, page);
      named++;
    }
    Deno.writeFileSync(test.path, bytes);
  }
  assert.ok(named > 5, `${named}`);
});

withVault("A backup that was cut short or flipped anywhere gives a typed error or the same contents", async (test) => {
  await test.vault.secrets.set("a", "1");
  const { bytes } = await test.vault.backup();
  const opens = async (contents: Uint8Array): Promise<string> => {
    try {
      const medium = new FileMedium(new MemoryDisk(new MemoryFile(contents)));
      await using backup = await Vault.open(medium, { passphrase: PASSPHRASE });
      return await backup.secrets.getText("a");
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  };
  const allowed = new Set([
    "1",
    "corrupt-vault",
    "truncated-vault",
    "empty-file",
    "not-a-vault",
    "unsupported-version",
  ]);
  for (let at = 0; at < bytes.length; at += 331) {
    for (const contents of [flipped(bytes, at), bytes.slice(0, at)]) {
      const answer = await opens(contents);
      assert.ok(allowed.has(answer), `${answer} at ${at}`);
    }
  }
});
