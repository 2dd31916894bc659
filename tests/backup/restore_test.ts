import assert from "node:assert/strict";
import { InputOutputError } from "../../lib/errors.ts";
import { newKeyFile } from "../../lib/sealed/keyfile.ts";
import { FileAnchor } from "../../lib/storage/anchor_file.ts";
import { DenoDisk } from "../../lib/storage/disk_deno.ts";
import { withLock } from "../../lib/storage/locking.ts";
import { Vault } from "../../lib/vault.ts";
import { readLog } from "../stored_log.ts";
import { CHEAP_KDF, checkWhole, flipped, rejectsWith, withVault } from "../helpers.ts";

import { anchored, backedUp, KEY, restored, valueAt } from "./restored.ts";

withVault("Vault.restoreTo puts a backup over a newer vault only when told, and keeps that one", async (test) => {
  const { vault, path } = test;
  await vault.secrets.set("a", "1");
  const backup = await backedUp(test);
  await vault.secrets.set("a", "2");
  const before = Deno.readFileSync(path);
  await rejectsWith(() => restored(backup, path), "rollback-detected");
  assert.deepEqual(Deno.readFileSync(path), before);
  const { from, generation, kept } = await restored(backup, path, true);
  assert.deepEqual([from, generation], [2, 4]);
  assert.deepEqual(Deno.readFileSync(kept!), before);
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
  assert.equal(anchored(path), generation);
  // The vault that was open all the time goes on with what was restored.
  assert.equal(await vault.secrets.getText("a"), "1");
  await vault.secrets.set("a", "3");
  assert.equal(await valueAt(path), "3");
  const status = await vault.status();
  assert.deepEqual([status.generation, status.backup, status.recovered], [5, false, false]);
  const log = await readLog(path, KEY);
  assert.deepEqual(
    log.map(({ operation }) => operation),
    ["vault.create", "secret.set", "vault.restore", "secret.set"],
  );
  assert.equal(log[2]!.count, from);
});

withVault(
  "Vault.restoreTo goes on counting what the key has sealed, for the vault that it replaces too",
  async (test) => {
    const { vault, path } = test;
    const backup = await backedUp(test);
    for (let i = 0; i < 20; i++) await vault.secrets.set("a", `${i}`);
    const { seals } = await vault.status();
    await restored(backup, path, true);
    const after = (await vault.status()).seals;
    assert.ok(after > seals, `${after} after ${seals}`);
    // Another key begins at none, and has sealed nothing for what it replaces.
    await vault.rotate({ credentials: [KEY], ...CHEAP_KDF, dropOthers: true });
    const rotated = await backedUp(test, "rotated");
    assert.ok((await vault.status()).seals < seals);
    await restored(backup, path, true);
    await restored(rotated, path, true);
    assert.ok((await vault.status()).seals < seals);
  },
);

withVault("Vault.restoreTo makes a vault that is missing, with its anchor or without", async (test) => {
  const { vault, path } = test;
  await vault.secrets.set("a", "1");
  const backup = await backedUp(test);
  await vault.close();
  Deno.removeSync(path);
  const first = await restored(backup, path);
  assert.deepEqual([first.generation, first.kept], [3, undefined]);
  assert.equal(await valueAt(path), "1");
  Deno.removeSync(path);
  // The anchor knows of a newer one.
  await rejectsWith(() => restored(backup, path), "rollback-detected");
  assert.equal((await restored(backup, path, true)).generation, 4);
  Deno.removeSync(path);
  Deno.removeSync(`${path}.anchor`);
  assert.equal((await restored(backup, path)).generation, 3);
  assert.equal(anchored(path), 3);
});

withVault("Vault.restoreTo replaces a vault that is damaged, empty or cut short", async (test) => {
  const { vault, path } = test;
  await vault.secrets.set("a", "1");
  const backup = await backedUp(test);
  await vault.close();
  const whole = Deno.readFileSync(path);
  const damaged = [
    flipped(whole, 2 * 4096 + 50),
    flipped(flipped(whole, 60), 4096 + 60),
    new Uint8Array(0),
    whole.slice(0, 5000),
  ];
  for (const [index, bytes] of damaged.entries()) {
    Deno.writeFileSync(path, bytes);
    const { kept } = await restored(backup, path, index > 0);
    assert.deepEqual(Deno.readFileSync(kept!), bytes, "what is left of the old one is kept");
    await checkWhole(path);
    assert.equal(await valueAt(path), "1");
  }
});

withVault("Vault.restoreTo leaves another vault, and what is no vault, alone", async (test) => {
  const { path, folder } = test;
  const backup = await backedUp(test);
  const other = `${folder}/other`;
  await (await Vault.create(other, { passphrase: "other", ...CHEAP_KDF })).close();
  Deno.writeTextFileSync(`${folder}/letter`, "x".repeat(10_000), { mode: 0o600 });
  for (const [target, code] of [[other, "backup-foreign"], [`${folder}/letter`, "not-a-vault"]] as const) {
    const before = Deno.readFileSync(target);
    await rejectsWith(() => restored(backup, target, true), code);
    assert.deepEqual(Deno.readFileSync(target), before);
  }
  await checkWhole(path);
});

withVault(
  "Vault.restoreTo of a backup from before a rotation brings its slots back, and the next rotation counts on",
  async (test) => {
    const { vault, path } = test;
    const keyFile = newKeyFile();
    await vault.slots.add({ kind: "keyfile", keyFile });
    await vault.secrets.set("a", "1");
    const backup = await backedUp(test);
    await vault.rotate({ credentials: [KEY], dropOthers: true });
    await vault.secrets.set("a", "2");
    await rejectsWith(() => restored(backup, path), "rollback-detected");
    const { generation } = await restored(backup, path, true);
    assert.equal(generation, 6);
    await rejectsWith(() => vault.secrets.getText("a"), "vault-rotated");
    assert.equal(await valueAt(path, { keyFile }), "1");
    assert.equal(anchored(path), 6);
    await using again = await Vault.open(path, KEY);
    // Epoch 2 was there: no two keys have one number.
    assert.equal((await again.rotate({ credentials: [KEY, { keyFile }] })).epoch, 3);
    assert.equal(await valueAt(path, { keyFile }), "1");
    assert.equal((await again.rotate({ credentials: [KEY, { keyFile }] })).epoch, 4);
  },
);

withVault("Vault.restoreTo twice in one second keeps both vaults", async (test) => {
  const { vault, path } = test;
  await vault.secrets.set("a", "1");
  const backup = await backedUp(test);
  await vault.secrets.set("a", "2");
  const kept = [];
  for (let round = 0; round < 3; round++) kept.push((await restored(backup, path, true)).kept);
  assert.equal(new Set(kept).size, 3);
  for (const name of kept) assert.ok(Deno.statSync(name!).isFile);
});

withVault("Vault.restoreTo whose anchor does not follow leaves a vault that opens and moves it up", async (test) => {
  const { vault, path } = test;
  await vault.secrets.set("a", "1");
  const backup = await backedUp(test);
  await vault.secrets.set("a", "2");
  await vault.close();
  const anchor = Deno.readFileSync(`${path}.anchor`);
  const { generation } = await restored(backup, path, true);
  Deno.writeFileSync(`${path}.anchor`, anchor);
  await using again = await Vault.open(path, KEY);
  await again.secrets.set("b", "1");
  assert.equal(anchored(path), generation + 1);
  assert.equal(await valueAt(path), "1");
  const operations = (await readLog(path, KEY)).map(({ operation }) => operation);
  assert.ok(operations.includes("anchor.move"), String(operations));
});

withVault(
  "Vault.restoreTo over a rotation whose anchor does not follow leaves a vault that opens, and an older copy does not",
  async (test) => {
    const { vault, path } = test;
    await vault.secrets.set("a", "1");
    const backup = await backedUp(test);
    const older = Deno.readFileSync(path);
    await vault.rotate({ credentials: [KEY] });
    await vault.rotate({ credentials: [KEY] });
    await vault.close();
    const replaced = Deno.readFileSync(`${path}.anchor`);
    const { generation } = await restored(backup, path, true);
    const [fresh, made] = [Deno.readFileSync(path), Deno.readFileSync(`${path}.anchor`)];
    // The anchor is of a later key, which the restored vault does not have; it knows these bytes, and no others.
    for (let at = 0; at < 104; at++) {
      Deno.writeFileSync(`${path}.anchor`, flipped(flipped(replaced, at), 512 + at));
      await assert.rejects(Vault.open(path, KEY), `byte ${at}`);
    }
    Deno.writeFileSync(`${path}.anchor`, replaced);
    Deno.writeFileSync(path, older);
    await rejectsWith(() => Vault.open(path, KEY), "rollback-detected");
    Deno.writeFileSync(path, fresh);
    {
      await using again = await Vault.open(path, KEY);
      assert.equal(await again.secrets.getText("a"), "1");
      assert.deepEqual(Deno.readFileSync(`${path}.anchor`), replaced, "reading moves nothing");
      await again.secrets.set("a", "2");
      assert.equal(anchored(path), generation + 1);
      assert.equal((await again.rotate({ credentials: [KEY] })).epoch, 4);
    }
    assert.equal(await valueAt(path), "2");
    const log = await readLog(path, KEY);
    assert.ok(log.some(({ operation }) => operation === "anchor.move"));
    const newest = [Deno.readFileSync(path), Deno.readFileSync(`${path}.anchor`)] as const;
    for (const [file, anchor] of [[fresh, newest[1]], [older, newest[1]], [older, made]] as const) {
      Deno.writeFileSync(path, file);
      Deno.writeFileSync(`${path}.anchor`, anchor);
      await rejectsWith(() => Vault.open(path, KEY), "rollback-detected");
    }
    Deno.writeFileSync(path, newest[0]);
    Deno.writeFileSync(`${path}.anchor`, newest[1]);
  },
);

withVault("Vault.restoreTo is followed by a vault that was opened before the key that it takes back", async (test) => {
  const { vault, path } = test;
  await vault.secrets.set("a", "1");
  const backup = await backedUp(test);
  await using rotating = await Vault.open(path, KEY);
  await rotating.rotate({ credentials: [KEY] });
  const replaced = Deno.readFileSync(`${path}.anchor`);
  await restored(backup, path, true);
  Deno.writeFileSync(`${path}.anchor`, replaced);
  // It never saw the other key, and has not read yet what the restored vault knows of the anchor.
  assert.equal(await vault.secrets.getText("a"), "1");
  await vault.secrets.set("a", "2");
  assert.equal(await valueAt(path), "2");
});

withVault(
  "Vault.restoreTo that stops before the anchor has its name leaves a vault that opens, where there was none",
  async (test) => {
    const { vault, path } = test;
    await vault.secrets.set("a", "1");
    const backup = await backedUp(test);
    await vault.close();
    for (const left of [null, new Uint8Array(10)]) {
      Deno.removeSync(path);
      if (left === null) Deno.removeSync(`${path}.anchor`);
      else Deno.writeFileSync(`${path}.anchor`, left);
      const store = new FileAnchor(`${path}.anchor`);
      // What a kill between the vault and its anchor leaves.
      store.replace = () => {
        throw new InputOutputError("replace", store.name);
      };
      await using source = await Vault.open(backup, KEY);
      await rejectsWith(() => source.restoreTo(path, { anchor: store, rollback: left !== null }), "io-error");
      assert.throws(() => Deno.statSync(`${path}.anchor`), Deno.errors.NotFound);
      await using again = await Vault.open(path, KEY);
      assert.equal(await again.secrets.getText("a"), "1");
      await again.secrets.set("a", "1");
      assert.equal(anchored(path), (await again.status()).generation);
    }
    assert.deepEqual([...Deno.readDirSync(test.folder)].filter(({ name }) => name.endsWith(".new")), []);
  },
);

withVault(
  "Vault.restoreTo leaves another vault's anchor alone, and asks when the vault's own is missing",
  async (test) => {
    const { path, folder } = test;
    const backup = await backedUp(test);
    const other = `${folder}/other`;
    await (await Vault.create(other, { passphrase: "other", ...CHEAP_KDF })).close();
    const foreign = Deno.readFileSync(`${other}.anchor`);
    await using source = await Vault.open(backup, KEY);
    for (const rollback of [false, true]) {
      await rejectsWith(() => source.restoreTo(path, { rollback, anchor: `${other}.anchor` }), "anchor-foreign");
      await rejectsWith(
        () => source.restoreTo(`${folder}/new`, { rollback, anchor: `${other}.anchor` }),
        "anchor-foreign",
      );
    }
    assert.deepEqual(Deno.readFileSync(`${other}.anchor`), foreign);
    Deno.removeSync(`${path}.anchor`);
    await rejectsWith(() => source.restoreTo(path), "anchor-missing");
    await source.restoreTo(path, { rollback: true });
    await checkWhole(path);
  },
);

withVault("Vault.restoreTo asks for a reason where the backup's policy wants one", async (test) => {
  const { vault, path } = test;
  await vault.policies.set("require-reason", true);
  const backup = await backedUp(test);
  await rejectsWith(() => restored(backup, path), "reason-required");
  await using source = await Vault.open(backup, { ...KEY, reason: "disk lost" });
  await source.restoreTo(path);
  assert.equal((await readLog(path, KEY)).at(-1)!.reason, "disk lost");
});

withVault(
  "Vault.restoreTo and a rotation that counts the same epoch again are told to who has the vault open",
  async (test) => {
    const { vault, path } = test;
    const backup = await backedUp(test);
    await vault.rotate({ credentials: [KEY], dropOthers: true });
    await using other = await Vault.open(path, KEY);
    // Nothing is left that knows of epoch 2.
    Deno.removeSync(path);
    Deno.removeSync(`${path}.anchor`);
    await restored(backup, path, true);
    await using again = await Vault.open(path, KEY);
    assert.equal((await again.rotate({ credentials: [KEY], dropOthers: true })).epoch, 2);
    // It has a key of epoch 2 too, but another one: the vault is not damaged.
    await rejectsWith(() => other.secrets.list(), "vault-rotated");
    await rejectsWith(() => other.secrets.set("a", "1"), "vault-rotated");
  },
);

withVault("Vault.restoreTo leaves a file alone that is no anchor", async (test) => {
  const { path, folder } = test;
  const backup = await backedUp(test);
  const letter = `${folder}/letter`;
  Deno.writeFileSync(letter, newKeyFile(), { mode: 0o600 });
  await using source = await Vault.open(backup, KEY);
  for (const anchor of [letter, path]) {
    const before = [Deno.readFileSync(path), Deno.readFileSync(anchor)];
    await rejectsWith(() => source.restoreTo(path, { rollback: true, anchor }), "anchor-damaged");
    assert.deepEqual([Deno.readFileSync(path), Deno.readFileSync(anchor)], before);
  }
});

withVault(
  "Vault.restoreTo waits for the lock of what it replaces as long as it is told, and leaves it then",
  async (test) => {
    const { path } = test;
    const backup = await backedUp(test);
    await using source = await Vault.open(backup, KEY);
    const before = Deno.readFileSync(path);
    const disk = DenoDisk.open(path);
    try {
      await withLock(disk, "exclusive", {}, async () => {
        const busy = await rejectsWith(() => source.restoreTo(path, { rollback: true, timeout: 1 }), "busy");
        assert.match(busy.message, / after 1 ms/);
        const ended = AbortSignal.abort("enough");
        await assert.rejects(
          source.restoreTo(path, { rollback: true, signal: ended }),
          (reason) => reason === "enough",
        );
      });
    } finally {
      disk.close();
    }
    assert.deepEqual(Deno.readFileSync(path), before);
  },
);
