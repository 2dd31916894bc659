import assert from "node:assert/strict";
import { repairVault } from "../../lib/backup/repair.ts";
import { PAGE_SIZE } from "../../lib/storage/page.ts";
import { Vault } from "../../lib/vault.ts";
import { readLog } from "../stored_log.ts";
import { CHEAP_KDF, checkWhole, flipped, PASSPHRASE, patterned, rejectsWith, withFolder } from "../helpers.ts";
import { forgeMeta, forgeNewest, metaPages, wiped } from "./damage.ts";

const CREDENTIAL = { passphrase: PASSPHRASE };

/** A vault of a few generations, the last of which changes `a`, removes `b` and adds `c`. Gives its bytes. */
async function build(
  path: string,
  anchored = false,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; generation: number }> {
  await using vault = await Vault.create(path, { ...CREDENTIAL, ...CHEAP_KDF, anchor: anchored ? undefined : null });
  await vault.secrets.set("kept", patterned(9000));
  await vault.transaction((tx) => {
    tx.secrets.set("a", "old");
    tx.secrets.set("b", "gone");
  });
  await vault.transaction((tx) => {
    tx.secrets.set("a", "new");
    tx.secrets.delete("b");
    tx.secrets.set("c", "added");
  });
  const { generation } = await vault.status();
  return { bytes: await Deno.readFile(path), generation };
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("repairVault() finds nothing wrong with a sound vault, and leaves it as it is", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { bytes, generation } = await build(path);
    for (const options of [{}, { older: true }, { dryRun: true }]) {
      const report = await repairVault(path, { ...CREDENTIAL, ...options });
      assert.deepEqual(report, { state: "sound", repaired: false, generation, problems: [] });
    }
    assert.deepEqual(await Deno.readFile(path), bytes);
    assert.deepEqual(names(folder), ["app.coffer"]);
    const fresh = `${folder}/fresh.coffer`;
    await (await Vault.create(fresh, { ...CREDENTIAL, ...CHEAP_KDF, anchor: null })).close();
    assert.equal((await repairVault(fresh, CREDENTIAL)).state, "sound");
  }));

Deno.test("repairVault() falls back only when told to, and first says what is lost", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { bytes, generation } = await build(path);
    // A sealed meta that nobody can open, though the page is whole: only what the meta page says is lost.
    const damaged = await forgeMeta(bytes, 60);
    await Deno.writeFile(path, damaged);
    await rejectsWith(() => Vault.open(path, CREDENTIAL), "corrupt-vault");
    const secrets = [
      { name: "a", change: "changed" },
      { name: "b", change: "removed" },
      { name: "c", change: "added" },
    ];
    const loss = { generations: { first: generation, last: generation }, secrets, complete: true };
    for (const options of [{}, { dryRun: true }, { older: true, dryRun: true }]) {
      const report = await repairVault(path, { ...CREDENTIAL, ...options });
      assert.deepEqual([report.state, report.repaired, report.generation], ["damaged", false, generation - 1]);
      assert.deepEqual(report.loss, loss);
    }
    assert.deepEqual(await Deno.readFile(path), damaged, "nothing was done");
    await assert.rejects(() =>
      repairVault(path, { ...CREDENTIAL, older: true, beforeRepair: () => Promise.reject(new Error("no")) })
    );
    assert.deepEqual(names(folder), ["app.coffer"]);

    const said: unknown[] = [];
    const report = await repairVault(path, {
      ...CREDENTIAL,
      older: true,
      beforeRepair: (found) => void said.push(found.loss),
    });
    assert.deepEqual([report.state, report.repaired, said], ["damaged", true, [loss]]);
    assert.ok(report.generation > generation);
    assert.deepEqual(await Deno.readFile(report.kept!), damaged, "the damaged file is kept");
    assert.match(report.kept!, /\/app\.coffer\.damaged-\d{8}T\d{6}Z$/);
    assert.equal(names(folder).length, 2);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    await checkWhole(path);
    await using vault = await Vault.open(path, CREDENTIAL);
    assert.ok(!vault.recovered);
    assert.equal((await vault.status()).generation, report.generation);
    assert.deepEqual((await vault.secrets.list()).map(({ name }) => name), ["a", "b", "kept"]);
    assert.equal(await vault.secrets.getText("a"), "old");
    assert.deepEqual(await vault.secrets.get("kept"), patterned(9000));
    await vault.secrets.set("a", "on");
    assert.equal((await repairVault(path, CREDENTIAL)).state, "sound");
  }));

Deno.test("repairVault() says that more may be lost when the newest segment itself does not open", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { bytes, generation } = await build(path);
    await Deno.writeFile(path, await forgeNewest(bytes));
    await rejectsWith(() => Vault.open(path, CREDENTIAL), "corrupt-vault");
    const { loss } = await repairVault(path, CREDENTIAL);
    assert.deepEqual(loss, { generations: { first: generation, last: generation }, secrets: [], complete: false });
    const report = await repairVault(path, { ...CREDENTIAL, older: true });
    assert.ok(report.repaired && report.generation > generation);
    await checkWhole(path);
  }));

Deno.test("repairVault() lets a vault that is open go on from the older state", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { bytes } = await build(path);
    await using open = await Vault.open(path, CREDENTIAL);
    await Deno.writeFile(path, await forgeMeta(bytes, 300));
    await repairVault(path, { ...CREDENTIAL, older: true });
    assert.equal(await open.secrets.getText("a"), "old");
    await open.secrets.set("a", "on");
    assert.equal(await open.secrets.getText("b"), "gone");
    await checkWhole(path);
  }));

Deno.test("repairVault() heals a torn or wiped newest meta page by one commit, and keeps the file as it was", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { bytes } = await build(path);
    const [newest, older] = await metaPages(bytes);
    for (const [number, a] of [[newest.number, "old"], [older.number, "new"]] as const) {
      for (const torn of [wiped(bytes, number), flipped(bytes, number * PAGE_SIZE + 2000)]) {
        await Deno.writeFile(path, torn);
        assert.equal((await repairVault(path, { ...CREDENTIAL, dryRun: true })).state, "torn");
        assert.deepEqual(await Deno.readFile(path), torn);
        const report = await repairVault(path, CREDENTIAL);
        assert.deepEqual([report.state, report.repaired], ["torn", true]);
        assert.deepEqual(await Deno.readFile(report.kept!), torn);
        await checkWhole(path);
        await using vault = await Vault.open(path, CREDENTIAL);
        assert.deepEqual([vault.recovered, await vault.secrets.getText("a")], [false, a]);
        await Deno.remove(report.kept!);
      }
    }
  }));

Deno.test("repairVault() refuses when neither version can be read, names salvage, and changes nothing", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { bytes } = await build(path);
    const [{ page }] = await metaPages(bytes);
    const shared = page.segments[1]!.first;
    const damaged = flipped(bytes, shared * PAGE_SIZE + 500);
    await Deno.writeFile(path, damaged);
    const error = await rejectsWith(() => repairVault(path, { ...CREDENTIAL, older: true }), "corrupt-vault");
    assert.match(error.hint, /coffer salvage OUT/);
    assert.deepEqual(await Deno.readFile(path), damaged);
    assert.deepEqual(names(folder), ["app.coffer"]);
    await Deno.writeFile(path, bytes.slice(0, 3 * PAGE_SIZE));
    const cut = await rejectsWith(() => repairVault(path, { ...CREDENTIAL, older: true }), "truncated-vault");
    assert.match(cut.hint, /coffer salvage OUT/);
    await rejectsWith(() => repairVault(path, { passphrase: "wrong" }), "wrong-credential");
    await rejectsWith(() => repairVault(`${folder}/none`, CREDENTIAL), "vault-not-found");
  }));

Deno.test("repairVault() through a symbolic link replaces the file behind it", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { bytes } = await build(path);
    // The byte is one of a key slot's: the newest meta page alone would not open.
    await Deno.writeFile(path, await forgeMeta(bytes, 300));
    await rejectsWith(() => Vault.open(path, CREDENTIAL), "wrong-credential");
    await Deno.symlink(path, `${folder}/link`);
    await repairVault(`${folder}/link`, { ...CREDENTIAL, older: true });
    assert.ok((await Deno.lstat(`${folder}/link`)).isSymlink);
    await checkWhole(`${folder}/link`);
    await checkWhole(path);
  }));

Deno.test("repairVault() of a vault whose newest data page is damaged says what may be lost, and keeps the page", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { bytes, generation } = await build(path);
    const [{ page }] = await metaPages(bytes);
    const damaged = flipped(bytes, page.segments.at(-1)!.first * PAGE_SIZE + 90);
    await Deno.writeFile(path, damaged);
    const report = await repairVault(path, CREDENTIAL);
    assert.deepEqual([report.state, report.repaired], ["torn", true]);
    const generations = { first: generation, last: generation };
    assert.deepEqual(report.loss, { generations, secrets: [], complete: false });
    assert.deepEqual(await Deno.readFile(report.kept!), damaged);
    await checkWhole(path);
  }));

Deno.test("repairVault() that is told of a newer generation does not take a torn vault for the newest", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { bytes, generation } = await build(path);
    const [newest] = await metaPages(bytes);
    await Deno.writeFile(path, wiped(bytes, newest.number));
    const known = generation + 5;
    const { state, loss } = await repairVault(path, { ...CREDENTIAL, known });
    assert.equal(state, "damaged");
    assert.deepEqual(loss, { generations: { first: generation, last: known }, secrets: [], complete: false });
    assert.deepEqual(await Deno.readFile(path), wiped(bytes, newest.number));
    const report = await repairVault(path, { ...CREDENTIAL, known, older: true });
    assert.ok(report.generation > known);
    await checkWhole(path);
    assert.equal((await repairVault(path, { ...CREDENTIAL, known })).state, "sound");
  }));

Deno.test("repairVault() takes the anchor's word for which version was acknowledged", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { bytes, generation } = await build(path, true);
    const [newest] = await metaPages(bytes);
    await Deno.writeFile(path, wiped(bytes, newest.number));
    await rejectsWith(() => Vault.open(path, CREDENTIAL), "rollback-detected");
    assert.equal((await repairVault(path, CREDENTIAL)).state, "damaged");
    assert.deepEqual(await Deno.readFile(path), wiped(bytes, newest.number), "nothing is done unasked");
    const report = await repairVault(path, { ...CREDENTIAL, older: true });
    assert.ok(report.repaired && report.generation > generation);
    await checkWhole(path);
    assert.equal((await repairVault(path, CREDENTIAL)).state, "sound");
  }));

Deno.test("repairVault() says in the log with which slot, by whom and why", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { bytes } = await build(path);
    const [newest] = await metaPages(bytes);
    const origin = { slot: 1, actor: "bob", reason: "disk failed" };
    // One that falls back, one that heals.
    for (const damaged of [await forgeMeta(bytes, 60), wiped(bytes, newest.number)]) {
      await Deno.writeFile(path, damaged);
      const { actor, reason } = origin;
      assert.ok((await repairVault(path, { ...CREDENTIAL, older: true, actor, reason })).repaired);
      const entry = (await readLog(path, CREDENTIAL)).at(-1)!;
      assert.equal(entry.operation, "vault.repair");
      assert.deepEqual({ slot: entry.slot, actor: entry.actor, reason: entry.reason }, origin);
    }
  }));

Deno.test("repairVault() tells a whole file that its anchor refuses from a sound one, and leaves it as it is", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const anchor = `${path}.anchor`;
    const { bytes, generation } = await build(path, true);
    const said = await Deno.readFile(anchor);
    {
      await using vault = await Vault.open(path, CREDENTIAL);
      await vault.secrets.set("a", "newest");
    }
    const newest = await Deno.readFile(anchor);
    const other = `${folder}/other.coffer`;
    await build(other, true);
    const cases = [
      [newest, "rollback-detected"],
      [null, "anchor-missing"],
      [new Uint8Array(10), "anchor-damaged"],
      [await Deno.readFile(`${other}.anchor`), "anchor-foreign"],
    ] as const;
    for (const [contents, code] of cases) {
      await Deno.writeFile(path, bytes);
      if (contents === null) await Deno.remove(anchor);
      else await Deno.writeFile(anchor, contents);
      for (const options of [{}, { older: true }, { dryRun: true }]) {
        const { refusal, problems, ...report } = await repairVault(path, { ...CREDENTIAL, ...options });
        assert.deepEqual(report, { state: "refused", repaired: false, generation });
        assert.equal(refusal?.code, code);
        assert.deepEqual(problems, [refusal?.message]);
      }
      assert.deepEqual(await Deno.readFile(path), bytes);
    }
    await Deno.writeFile(anchor, said);
    assert.equal((await repairVault(path, CREDENTIAL)).state, "sound");
    assert.equal(
      (await repairVault(path, { ...CREDENTIAL, known: generation + 1 })).refusal?.code,
      "rollback-detected",
    );
    await checkWhole(path);
  }));

Deno.test("repairVault() that falls back behind a rotation leaves a vault that opens, though the anchor is of the lost key", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const { generation } = await build(path, true);
    {
      await using vault = await Vault.open(path, CREDENTIAL);
      await vault.rotate({ credentials: [CREDENTIAL] });
    }
    await Deno.writeFile(path, await forgeMeta(await Deno.readFile(path), 60));
    await rejectsWith(() => Vault.open(path, CREDENTIAL), "corrupt-vault");
    const report = await repairVault(path, { ...CREDENTIAL, older: true });
    assert.deepEqual([report.repaired, report.generation], [true, generation + 2]);
    await using vault = await Vault.open(path, CREDENTIAL);
    assert.equal(await vault.secrets.getText("a"), "new");
    await vault.secrets.set("a", "newer");
    assert.equal((await vault.rotate({ credentials: [CREDENTIAL] })).epoch, 3, "epoch 2 was there");
    await vault.close();
    await checkWhole(path);
  }));

Deno.test("repairVault() takes no vault for damaged that gets a new key, or an older one, meanwhile", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await build(path, true);
    await using vault = await Vault.open(path, { ...CREDENTIAL, followRotations: true });
    const backup = `${folder}/backup`;
    await Deno.writeFile(backup, (await vault.backup()).bytes, { mode: 0o600 });
    const rotate = async () => void await vault.rotate({ credentials: [CREDENTIAL] });
    const restore = async () => {
      await using source = await Vault.open(backup, CREDENTIAL);
      await source.restoreTo(path, { rollback: true });
    };
    for (const meanwhile of [rotate, rotate, restore, rotate, restore]) {
      let times = 0;
      const passphrase = async () => {
        // Both meta pages were read; the next look finds others.
        if (times++ === 0) await meanwhile();
        return PASSPHRASE;
      };
      const { state, repaired } = await repairVault(path, { passphrase, older: true });
      assert.deepEqual([state, repaired, times], ["sound", false, 1]);
    }
    await vault.close();
    await checkWhole(path);
  }));
