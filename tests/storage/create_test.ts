import assert from "node:assert/strict";
import { InputOutputError, VaultExistsError } from "../../lib/errors.ts";
import { assertFree, publishFile } from "../../lib/storage/create.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { commitOf, filled, withFolder } from "./helpers.ts";

const WINDOWS = Deno.build.os === "windows";

function names(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
}

Deno.test("publishFile() writes a private file, and leaves nothing beside it", () =>
  withFolder((folder) => {
    const path = `${folder}/a.coffer`;
    publishFile(path, filled(200_000, 1));
    assert.deepEqual(Deno.readFileSync(path), filled(200_000, 1));
    assert.deepEqual(names(folder), ["a.coffer"]);
    if (!WINDOWS) assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
  }));

Deno.test("publishFile() refuses a path that is taken, and changes nothing", () =>
  withFolder((folder) => {
    const path = `${folder}/a.coffer`;
    publishFile(path, filled(10, 1));
    assert.throws(
      () => publishFile(path, filled(10, 2)),
      (error) => error instanceof VaultExistsError && error.path === path,
    );
    assert.deepEqual(Deno.readFileSync(path), filled(10, 1));
    assert.deepEqual(names(folder), ["a.coffer"]);
  }));

Deno.test("publishFile() refuses a folder", () =>
  withFolder((folder) => {
    Deno.mkdirSync(`${folder}/a`);
    assert.throws(() => publishFile(`${folder}/a`, filled(10, 1)), VaultExistsError);
    assert.deepEqual(names(folder), ["a"]);
  }));

Deno.test({
  name: "publishFile() refuses a link, also one that leads nowhere, and does not write through it",
  ignore: WINDOWS,
  fn: () =>
    withFolder((folder) => {
      Deno.symlinkSync(`${folder}/target`, `${folder}/link`);
      assert.throws(() => publishFile(`${folder}/link`, filled(10, 1)), VaultExistsError);
      assert.deepEqual(names(folder), ["link"]);
      Deno.writeFileSync(`${folder}/target`, filled(3, 3));
      assert.throws(() => publishFile(`${folder}/link`, filled(10, 1)), VaultExistsError);
      assert.deepEqual(Deno.readFileSync(`${folder}/target`), filled(3, 3));
    }),
});

Deno.test("publishFile() into a folder that is not there fails with an error of coffer", () =>
  withFolder((folder) => {
    assert.throws(() => publishFile(`${folder}/no/a.coffer`, filled(10, 1)), InputOutputError);
    assert.deepEqual(names(folder), []);
  }));

Deno.test("publishFile() takes a name as long as the file system does", () =>
  withFolder((folder) => {
    const name = `${"n".repeat(248)}.coffer`;
    publishFile(`${folder}/${name}`, filled(10, 1));
    assert.deepEqual(names(folder), [name]);
  }));

/** Runs with every sync of a file's own failing as told, by its number from 0; `publishFile()` syncs file, then folder. */
function withFailingSync(call: number, error: Error, run: () => void): void {
  const { syncSync } = Deno.FsFile.prototype;
  let calls = 0;
  Deno.FsFile.prototype.syncSync = function () {
    if (calls++ === call) throw error;
    syncSync.call(this);
  };
  try {
    run();
  } finally {
    Deno.FsFile.prototype.syncSync = syncSync;
  }
}

function systemFailure(code: string): Error {
  return Object.assign(new Error("the system's own"), { code });
}

Deno.test("publishFile() whose file can not be synced leaves nothing, and names path and cause", () =>
  withFolder((folder) => {
    const path = `${folder}/a.coffer`;
    const cause = systemFailure("EIO");
    withFailingSync(0, cause, () => {
      assert.throws(() => publishFile(path, filled(10, 1)), { code: "io-error", operation: "create", path, cause });
    });
    assert.deepEqual(names(folder), []);
  }));

Deno.test({
  name: "publishFile() whose folder can not be synced leaves the whole file, and says that it is there",
  ignore: WINDOWS,
  fn: () =>
    withFolder((folder) => {
      const path = `${folder}/a.coffer`;
      const cause = systemFailure("EIO");
      withFailingSync(1, cause, () => {
        assert.throws(() => publishFile(path, filled(10, 1)), (error) => {
          assert.ok(error instanceof InputOutputError);
          assert.deepEqual([error.operation, error.path, error.cause], ["sync the folder of", path, cause]);
          assert.match(error.hint, /The file is there and whole/);
          return true;
        });
      });
      assert.deepEqual(names(folder), ["a.coffer"]);
      assert.deepEqual(Deno.readFileSync(path), filled(10, 1));
    }),
});

for (const code of ["EINVAL", "ENOTSUP"]) {
  Deno.test({
    name: `publishFile() succeeds on a file system that answers the sync of a folder with ${code}`,
    ignore: WINDOWS,
    fn: () =>
      withFolder((folder) => {
        const path = `${folder}/a.coffer`;
        withFailingSync(1, systemFailure(code), () => publishFile(path, filled(10, 1)));
        assert.deepEqual(Deno.readFileSync(path), filled(10, 1));
      }),
  });
}

Deno.test({
  name: "publishFile() says that the folder may not be read before there is a file",
  ignore: WINDOWS,
  fn: () =>
    withFolder((folder) => {
      const path = `${folder}/a.coffer`;
      const { openSync } = Deno;
      Deno.openSync = (name, options) => {
        if (options?.write !== true) throw systemFailure("EACCES");
        return openSync(name, options);
      };
      try {
        assert.throws(() => publishFile(path, filled(10, 1)), { code: "permission-denied", operation: "create", path });
      } finally {
        Deno.openSync = openSync;
      }
      assert.deepEqual(names(folder), []);
    }),
});

Deno.test("assertFree() passes where there is nothing", () =>
  withFolder((folder) => {
    assertFree(`${folder}/a`);
    Deno.writeFileSync(`${folder}/a`, new Uint8Array(0));
    assert.throws(() => assertFree(`${folder}/a`), VaultExistsError);
    assert.throws(() => FileMedium.assertFree(`${folder}/a`), VaultExistsError);
  }));

Deno.test("FileMedium.create() makes one vault, and refuses to make another in its place", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.coffer`;
    const medium = await FileMedium.create(path, commitOf(1, [filled(10, 1)]));
    await assert.rejects(FileMedium.create(path, commitOf(2)), VaultExistsError);
    const committed = await medium.read();
    assert.equal(committed?.version, 1);
    assert.equal(committed.segments.length, 1);
    medium.close();
    assert.deepEqual(names(folder), ["a.coffer"]);
  }));
