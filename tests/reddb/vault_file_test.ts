/**
 * The file that a vault of RedDB is in: whose it is, who else writes to it, and what a stop leaves.
 *
 * @module
 */
import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { InputOutputError, PermissionDeniedError } from "../../lib/errors.ts";
import { checkRedDbFile } from "../../lib/reddb/check.ts";
import { encodeNote } from "../../lib/reddb/sidecar.ts";
import { RedDbVault } from "../../lib/reddb/vault.ts";
import { MemoryDisk } from "../../lib/storage/disk_memory.ts";
import { patterned, rejectsWith, withFolder } from "../helpers.ts";
import { blankPlace, CREDENTIAL, MemorySidecar, openMemory, PASSPHRASE, stateOf, vectorBytes } from "./helpers.ts";

Deno.test("RedDbVault keeps its note beside the file itself, whatever link it was opened by", () =>
  withFolder(async (folder) => {
    if (Deno.build.os === "windows") return;
    const path = `${folder}/app.rdb`;
    await using vault = await RedDbVault.create(path, CREDENTIAL, { environment: () => undefined });
    await vault.save(stateOf(50_000, 1));
    const before = Deno.readFileSync(path);
    await vault.save(stateOf(60_000, 2));
    const pageOf = (file: Uint8Array) => file.slice(2 * 4096, 3 * 4096);
    const torn = Deno.readFileSync(path);
    const note = await encodeNote({ before: pageOf(before), after: pageOf(torn) });
    torn.set(before.subarray(2 * 4096 + 512, 3 * 4096), 2 * 4096 + 512);
    Deno.writeFileSync(path, torn);
    Deno.writeFileSync(`${path}-vault-header`, note, { mode: 0o600 });
    Deno.mkdirSync(`${folder}/links`);
    Deno.symlinkSync(path, `${folder}/links/other.rdb`);
    await using linked = await RedDbVault.openWithoutEnvironment(`${folder}/links/other.rdb`, CREDENTIAL);
    assert.deepEqual(await linked.load(), stateOf(60_000, 2));
    await linked.save(stateOf(10));
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["app.rdb", "links"]);
  }));

Deno.test("RedDbVault.update() of two handles at once loses no change", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.rdb`;
    await using a = await RedDbVault.create(path, CREDENTIAL, { environment: () => undefined });
    await using b = await RedDbVault.openWithoutEnvironment(path, CREDENTIAL);
    await Promise.all([a, b].flatMap((vault, which) =>
      Array.from({ length: 8 }, (_, index) =>
        vault.update((state) =>
          void state.kv.set(`${which}/${index}`, "x".repeat(index * 1000))
        ))
    ));
    assert.equal((await a.load())!.kv.size, 16);
    assert.deepEqual((await checkRedDbFile(path)).problems, []);
  }));

Deno.test("RedDbVault.update() of two processes at once loses no change", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.rdb`;
    await using vault = await RedDbVault.create(path, CREDENTIAL, { environment: () => undefined });
    const module = new URL("../../lib/reddb/mod.ts", import.meta.url).href;
    const main = `${folder}/main.ts`;
    await Deno.writeTextFile(
      main,
      `import { RedDbVault } from ${JSON.stringify(module)};
      const credential = { passphrase: ${JSON.stringify(PASSPHRASE)} };
      await using vault = await RedDbVault.openWithoutEnvironment(${JSON.stringify(path)}, credential);
      for (let i = 0; i < 20; i++) {
        await vault.update((state) => void state.kv.set(Deno.args[0] + "/" + i, "x".repeat(i * 300)));
      }`,
    );
    const args = ["run", "--no-check", "--no-prompt", `--allow-read=${folder}`, `--allow-write=${folder}`, main];
    const ends = await Promise.all(
      ["a", "b"].map((name) => new Deno.Command(Deno.execPath(), { args: [...args, name] }).output()),
    );
    for (const { code, stderr } of ends) assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.equal((await vault.load())!.kv.size, 40);
    assert.deepEqual((await checkRedDbFile(path)).problems, []);
  }));

Deno.test("RedDbVault.save() waits for the lock of another, and gives up after the time-out", async () => {
  const place = blankPlace();
  const other = new MemoryDisk(place.file);
  const options = { timeout: 20 };
  await using vault = await RedDbVault.openWithoutEnvironment(new MemoryDisk(place.file), CREDENTIAL, options);
  const lock = await other.lock("shared");
  assert.equal(await vault.load(), null);
  await rejectsWith(() => vault.save(stateOf(10)), "busy");
  lock.release();
  const exclusive = await other.lock("exclusive");
  await rejectsWith(() => vault.load(), "busy");
  exclusive.release();
  await vault.save(stateOf(10));
});

Deno.test("RedDbVault.update() saves nothing when the function throws", async () => {
  const place = blankPlace();
  await using vault = await openMemory(place);
  await vault.save(stateOf(10));
  const before = place.file.bytes.slice();
  await assert.rejects(() => vault.update(() => Promise.reject(new Error("no"))), /no/);
  assert.deepEqual(place.file.bytes, before);
  assert.equal(await vault.update((state) => state.users.length), 1);
});

Deno.test("RedDbVault.create() refuses a path that is taken, and makes no file without a credential", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.rdb`;
    const environment = () => undefined;
    await rejectsWith(() => RedDbVault.create(path, {}, { environment }), "reddb-no-key");
    await rejectsWith(() => RedDbVault.openWithoutEnvironment(path, CREDENTIAL), "vault-not-found");
    await (await RedDbVault.create(path, CREDENTIAL, { environment })).close();
    await rejectsWith(() => RedDbVault.create(path, CREDENTIAL, { environment }), "vault-exists");
  }));

Deno.test("RedDbVault.open() refuses folders, files of other kinds, and files that others may read", () =>
  withFolder(async (folder) => {
    const open = (path: string, options = {}) => RedDbVault.openWithoutEnvironment(path, CREDENTIAL, options);
    await rejectsWith(() => open(folder), "not-a-file");
    const path = `${folder}/file`;
    for (const bytes of [new Uint8Array(0), patterned(100), patterned(10_000), encodeUtf8("RDDB")]) {
      await Deno.writeFile(path, bytes, { mode: 0o600 });
      await rejectsWith(() => open(path), "reddb-page-file");
      assert.deepEqual(await Deno.readFile(path), bytes);
    }
    if (Deno.build.os === "windows") return;
    await Deno.writeFile(path, await vectorBytes("single-page.rdb"));
    await Deno.chmod(path, 0o644);
    await rejectsWith(() => open(path), "insecure-permissions");
    await using vault = await open(path, { allowInsecurePermissions: true });
    assert.equal((await vault.load())!.users.length, 2);
  }));

Deno.test("RedDbVault.load() puts a torn header back from the note, and reads it where it may not write", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.rdb`;
    const note = `${path}-vault-header`;
    const [old, next] = [stateOf(50_000, 1), stateOf(60_000, 2)];
    await using vault = await RedDbVault.create(path, CREDENTIAL, { environment: () => undefined });
    await vault.save(old);
    const before = await Deno.readFile(path);
    // The note is taken while the save removes it; the chain that was saved before it is in the file.
    let kept = new Uint8Array(0);
    const remove = Deno.removeSync;
    Deno.removeSync = (name) => {
      if (name === note && kept.length === 0) {
        try {
          kept = Deno.readFileSync(note);
        } catch { /* Not there yet. */ }
      }
      remove(name);
    };
    try {
      await vault.save(next);
    } finally {
      Deno.removeSync = remove;
    }
    assert.ok(kept.length > 8192);
    const after = await Deno.readFile(path);
    const torn = after.slice();
    torn.set(before.subarray(2 * 4096 + 512, 3 * 4096), 2 * 4096 + 512);
    await Deno.writeFile(path, torn);
    await rejectsWith(() => vault.load(), "reddb-decryption");
    await Deno.writeFile(note, kept, { mode: 0o600 });
    const report = await checkRedDbFile(path);
    assert.deepEqual([report.interrupted, report.problems], [true, []]);
    assert.deepEqual(await Deno.readFile(path), torn, "a check changes nothing");
    assert.deepEqual(await vault.load(), next);
    assert.deepEqual(await Deno.readFile(path), after);
    await vault.save(old);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["app.rdb"]);
    assert.deepEqual((await checkRedDbFile(path)).problems, []);
  }));

Deno.test("RedDbVault reads from a disk that cannot be written, a torn header too, and refuses to save to it", async () => {
  const place = blankPlace();
  await using vault = await openMemory(place);
  await vault.save(stateOf(50_000, 1));
  const before = place.file.bytes.slice(2 * 4096, 3 * 4096);
  await vault.save(stateOf(60_000, 2));
  const after = place.file.bytes.slice(2 * 4096, 3 * 4096);
  place.sidecar.note = await encodeNote({ before, after });
  place.file.bytes.set(before.subarray(1024), 2 * 4096 + 1024);
  const torn = place.file.bytes.slice();
  const disk = new ReadOnlyDisk(place.file);
  await using reader = await RedDbVault.openWithoutEnvironment(disk, CREDENTIAL, { sidecar: place.sidecar });
  assert.deepEqual(await reader.load(), stateOf(60_000, 2));
  await rejectsWith(() => reader.save(stateOf(10)), "permission-denied");
  await rejectsWith(() => reader.update(() => {}), "permission-denied");
  assert.deepEqual(place.file.bytes, torn);
  assert.ok(place.sidecar.note !== null);
});

Deno.test("RedDbVault needs permission for the file's folder alone, and says which one is missing", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.rdb`;
    const module = new URL("../../lib/reddb/mod.ts", import.meta.url).href;
    const main = `${folder}/main.ts`;
    await Deno.writeTextFile(
      main,
      `import { RedDbVault, VaultState } from ${JSON.stringify(module)};
      try {
        const credential = { passphrase: "p" };
        await using vault = await RedDbVault.create(${JSON.stringify(path)}, credential);
        await vault.save(VaultState.empty());
        console.log("saved", (await vault.load()).users.length);
      } catch (error) {
        console.log(error.code, error.hint);
      }`,
    );
    const run = async (...permissions: string[]) => {
      const args = ["run", "--no-check", "--no-prompt", ...permissions, main];
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
      return new TextDecoder().decode(stdout).trim() || new TextDecoder().decode(stderr);
    };
    assert.match(await run(`--allow-read=${folder}`), /^missing-permission .*--allow-write/);
    assert.equal(await run(`--allow-read=${folder}`, `--allow-write=${folder}`), "saved 0");
  }));

/** A disk that refuses every write, as one of a file that is not ours does. */
class ReadOnlyDisk extends MemoryDisk {
  override readonly readOnly = true as boolean as false;

  override writeAt(): Promise<void> {
    return Promise.reject(new PermissionDeniedError("write", this.path));
  }
}

Deno.test("RedDbVault.save() has succeeded once its header is durable, even if tidying up fails", async () => {
  class StuckSidecar extends MemorySidecar {
    override remove(): Promise<void> {
      if (this.note !== null) return Promise.reject(new InputOutputError("remove", "note"));
      return super.remove();
    }
  }
  const place = blankPlace();
  const sidecar = new StuckSidecar();
  await using vault = await RedDbVault.openWithoutEnvironment(new MemoryDisk(place.file), CREDENTIAL, { sidecar });
  await vault.saveFirst(stateOf(20_000));
  assert.ok(sidecar.note !== null);
  assert.deepEqual(await vault.load(), stateOf(20_000));
  await rejectsWith(() => vault.save(stateOf(10_000)), "io-error");
  assert.deepEqual(
    await vault.load(),
    stateOf(20_000),
    "a note that cannot be removed stops the next save before it begins",
  );
});
