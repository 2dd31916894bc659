import assert from "node:assert/strict";
import {
  BusyError,
  InsecurePermissionsError,
  NotAFileError,
  PermissionDeniedError,
  VaultNotFoundError,
} from "../../lib/errors.ts";
import { DenoDisk } from "../../lib/storage/disk_deno.ts";
import { testDisk } from "./disk_suite.ts";
import { withFolder } from "./helpers.ts";

const WINDOWS = Deno.build.os === "windows";
const ROOT = !WINDOWS && Deno.uid() === 0;

testDisk("DenoDisk", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/disk.coffer`;
  Deno.writeFileSync(path, new Uint8Array(0), { mode: 0o600 });
  return { open: () => DenoDisk.open(path), remove: () => Deno.removeSync(folder, { recursive: true }) };
});

/** A private file of one byte. */
function fileAt(path: string, byte: number): void {
  Deno.writeFileSync(path, new Uint8Array([byte]), { mode: 0o600 });
}

async function firstByte(disk: DenoDisk): Promise<number> {
  const target = new Uint8Array(1);
  assert.equal(await disk.readAt(target, 0), 1);
  return target[0]!;
}

for (const mode of [0o644, 0o640, 0o620, 0o604, 0o602, 0o601, 0o610]) {
  Deno.test({
    name: `DenoDisk.open() refuses mode ${mode.toString(8)} unless it is allowed`,
    ignore: WINDOWS,
    fn: () =>
      withFolder((folder) => {
        const path = `${folder}/a`;
        fileAt(path, 1);
        Deno.chmodSync(path, mode);
        assert.throws(() => DenoDisk.open(path), (error) => {
          return error instanceof InsecurePermissionsError && error.path === path && (error.mode! & 0o777) === mode;
        });
        DenoDisk.open(path, { allowInsecurePermissions: true }).close();
      }),
  });
}

Deno.test("DenoDisk.open() refuses a folder", () =>
  withFolder((folder) => {
    assert.throws(() => DenoDisk.open(folder), NotAFileError);
    assert.throws(() => DenoDisk.open(`${folder}/`), NotAFileError);
  }));

Deno.test({
  name: "DenoDisk.open() refuses a pipe without waiting for its other end",
  ignore: WINDOWS,
  fn: () =>
    withFolder(async (folder) => {
      const path = `${folder}/pipe`;
      try {
        assert.ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return;
        throw error;
      }
      assert.throws(() => DenoDisk.open(path), NotAFileError);
    }),
});

Deno.test("DenoDisk.open() says that there is nothing at the path", () =>
  withFolder((folder) => {
    fileAt(`${folder}/file`, 1);
    for (const path of [`${folder}/missing`, `${folder}/no/folder`, `${folder}/file/below`]) {
      assert.throws(() => DenoDisk.open(path), (error) => error instanceof VaultNotFoundError && error.path === path);
    }
  }));

Deno.test({
  name: "DenoDisk.open() says that a dangling link leads nowhere, and follows a sound one",
  ignore: WINDOWS,
  fn: () =>
    withFolder(async (folder) => {
      Deno.symlinkSync(`${folder}/target`, `${folder}/link`);
      assert.throws(() => DenoDisk.open(`${folder}/link`), VaultNotFoundError);
      fileAt(`${folder}/target`, 3);
      const disk = DenoDisk.open(`${folder}/link`);
      assert.equal(await firstByte(disk), 3);
      disk.close();
    }),
});

Deno.test({
  name: "DenoDisk.open() opens a read-only file for reading; writeAt() and truncate() say why not (root may write)",
  ignore: WINDOWS || ROOT,
  fn: () =>
    withFolder(async (folder) => {
      const path = `${folder}/a`;
      fileAt(path, 4);
      Deno.chmodSync(path, 0o400);
      const disk = DenoDisk.open(path);
      assert.equal(disk.readOnly, true);
      assert.equal(await firstByte(disk), 4);
      await assert.rejects(disk.writeAt(new Uint8Array(1), 0), PermissionDeniedError);
      await assert.rejects(disk.writeAt(new Uint8Array(0), 0), PermissionDeniedError);
      await assert.rejects(disk.truncate(0), PermissionDeniedError);
      disk.close();
    }),
});

Deno.test("DenoDisk.lock() opens the file that took the path's place, and says so once", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a`;
    fileAt(path, 1);
    const disk = DenoDisk.open(path);
    const first = await disk.lock("shared");
    assert.equal(first.replaced, false);
    first.release();
    fileAt(`${folder}/b`, 2);
    Deno.renameSync(`${folder}/b`, path);
    const second = await disk.lock("exclusive");
    assert.equal(second.replaced, true);
    assert.equal(await firstByte(disk), 2);
    const other = DenoDisk.open(path);
    await assert.rejects(other.lock("shared", { timeout: 0 }), BusyError);
    second.release();
    const third = await disk.lock("shared");
    assert.equal(third.replaced, false);
    third.release();
    disk.close();
    other.close();
  }));

Deno.test("DenoDisk.lock() holds a file in the path's place to the same rules", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a`;
    fileAt(path, 1);
    const disk = DenoDisk.open(path);
    fileAt(`${folder}/b`, 2);
    if (!WINDOWS) Deno.chmodSync(`${folder}/b`, 0o644);
    Deno.renameSync(`${folder}/b`, path);
    if (!WINDOWS) await assert.rejects(disk.lock("shared"), InsecurePermissionsError);
    Deno.removeSync(path);
    Deno.mkdirSync(path);
    await assert.rejects(disk.lock("shared"), NotAFileError);
    disk.close();
  }));

Deno.test("DenoDisk.lock() says that the file was removed, and keeps no lock on it", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a`;
    fileAt(path, 1);
    const disk = DenoDisk.open(path);
    Deno.renameSync(path, `${folder}/b`);
    await assert.rejects(disk.lock("exclusive"), VaultNotFoundError);
    Deno.renameSync(`${folder}/b`, path);
    const other = DenoDisk.open(path);
    try {
      (await other.lock("exclusive", { timeout: 0 })).release();
      const again = await disk.lock("exclusive", { timeout: 0 });
      assert.equal(again.replaced, false);
      again.release();
    } finally {
      other.close();
      disk.close();
    }
  }));

Deno.test("DenoDisk.readAt() of a closed disk fails with an error of coffer", () =>
  withFolder(async (folder) => {
    fileAt(`${folder}/a`, 1);
    const disk = DenoDisk.open(`${folder}/a`);
    disk.close();
    for (
      const call of [
        () => disk.readAt(new Uint8Array(1), 0),
        () => disk.writeAt(new Uint8Array(1), 0),
        () => disk.sync(),
        () => disk.size(),
        () => disk.truncate(0),
        () => disk.lock("shared"),
      ]
    ) await assert.rejects(call, { code: "io-error" });
  }));

/** Every call that reaches the file, with the method of the file that it fails in and the verb that its error names. */
const FAILING: Readonly<Record<string, readonly [method: string, verb: string, call: (disk: DenoDisk) => unknown]>> = {
  "readAt() of little": ["readSync", "read", (disk) => disk.readAt(new Uint8Array(1), 0)],
  "readAt() of much": ["read", "read", (disk) => disk.readAt(new Uint8Array(100_000), 0)],
  "readAt() that seeks": ["seekSync", "read", (disk) => disk.readAt(new Uint8Array(1), 0)],
  "writeAt() of little": ["writeSync", "write", (disk) => disk.writeAt(new Uint8Array(1), 0)],
  "writeAt() of much": ["write", "write", (disk) => disk.writeAt(new Uint8Array(100_000), 0)],
  "sync()": ["syncData", "sync", (disk) => disk.sync()],
  "size()": ["statSync", "read the size of", (disk) => disk.size()],
  "truncate()": ["truncateSync", "resize", (disk) => disk.truncate(0)],
  "lock()": ["tryLockSync", "lock", (disk) => disk.lock("shared")],
  "release() of a lock": ["unlockSync", "unlock", async (disk) => (await disk.lock("shared")).release()],
  "close()": ["close", "close", (disk) => disk.close()],
};

for (const [name, [method, operation, call]] of Object.entries(FAILING)) {
  Deno.test(`DenoDisk ${name} that fails names operation and path, and keeps the cause`, () =>
    withFolder(async (folder) => {
      const path = `${folder}/a`;
      fileAt(path, 1);
      const disk = DenoDisk.open(path);
      const methods = Deno.FsFile.prototype as unknown as Record<string, unknown>;
      const original = methods[method];
      const cause = Object.assign(new Error("the system's own"), { code: "EIO" });
      methods[method] = () => {
        throw cause;
      };
      try {
        await assert.rejects(async () => await call(disk), { code: "io-error", operation, path, cause });
      } finally {
        methods[method] = original;
        disk.close();
      }
    }));
}

Deno.test("DenoDisk.lock() that can not look up its path names it, and keeps no lock", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a`;
    fileAt(path, 1);
    const disk = DenoDisk.open(path);
    const { statSync } = Deno;
    const cause = Object.assign(new Error("the system's own"), { code: "EIO" });
    Deno.statSync = () => {
      throw cause;
    };
    try {
      await assert.rejects(disk.lock("exclusive"), { code: "io-error", operation: "look up", path, cause });
    } finally {
      Deno.statSync = statSync;
    }
    const other = DenoDisk.open(path);
    (await other.lock("exclusive", { timeout: 0 })).release();
    other.close();
    disk.close();
  }));
