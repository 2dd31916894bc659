import assert from "node:assert/strict";
import { BusyError, InputOutputError, MissingPermissionError } from "../../lib/errors.ts";
import { AttemptsFile } from "../../lib/storage/attempts_file.ts";
import { withFolder } from "./helpers.ts";

const WINDOWS = Deno.build.os === "windows";

/** Hands out a file of a vault that is not there, in a folder of its own. */
function withFile(run: (file: AttemptsFile, folder: string) => Promise<void>): () => Promise<void> {
  return () => withFolder((folder) => run(new AttemptsFile(`${folder}/app.coffer`), folder));
}

/** Keeps bytes, whatever there was. */
async function write(file: AttemptsFile, ...bytes: number[]): Promise<void> {
  await file.update(() => Promise.resolve(Uint8Array.from(bytes)));
}

Deno.test(
  "AttemptsFile lies beside the vault, and is not there until there is something to keep",
  withFile(async (file, folder) => {
    assert.equal(file.path, `${folder}/app.coffer.attempts`);
    assert.equal(await file.read(), undefined);
    await file.update((found) => {
      assert.equal(found, undefined);
      return Promise.resolve(undefined);
    });
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }),
);

Deno.test(
  "AttemptsFile.update() makes a private file, then writes it in place",
  withFile(async (file, folder) => {
    await write(file, 1, 2, 3);
    const { ino, mode } = await Deno.stat(file.path);
    if (!WINDOWS) assert.equal(mode! & 0o777, 0o600);
    await file.update((found) => {
      assert.deepEqual(found, Uint8Array.from([1, 2, 3]));
      return Promise.resolve(Uint8Array.from([4, 5]));
    });
    assert.deepEqual(await file.read(), Uint8Array.from([4, 5]));
    assert.equal((await Deno.stat(file.path)).ino, ino);
    await file.update(() => Promise.resolve(undefined));
    assert.deepEqual(await file.read(), Uint8Array.from([4, 5]));
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["app.coffer.attempts"]);
  }),
);

Deno.test(
  "AttemptsFile.update() at the same time in one process loses no change",
  withFile(async (file) => {
    await Promise.all(Array.from({ length: 20 }, () =>
      file.update((found) => {
        return Promise.resolve(Uint8Array.from([(found?.[0] ?? 0) + 1]));
      })));
    assert.deepEqual(await file.read(), Uint8Array.from([20]));
  }),
);

Deno.test(
  "AttemptsFile.read() and update() wait for whoever changes the file, up to their time-out",
  withFile(async (file) => {
    await write(file, 1);
    await file.update(async () => {
      await assert.rejects(file.read({ timeout: 0 }), BusyError);
      await assert.rejects(file.update(() => Promise.resolve(undefined), { timeout: 0 }), BusyError);
      return undefined;
    });
    assert.deepEqual(await file.read({ timeout: 0 }), Uint8Array.from([1]));
  }),
);

Deno.test(
  "AttemptsFile.update() begins again when the file is removed while it waits",
  withFile(async (file) => {
    await write(file, 1);
    let waiting: Promise<void> | undefined;
    await file.update(async () => {
      waiting = file.update((found) => Promise.resolve(Uint8Array.from([found === undefined ? 9 : 8])));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await Deno.remove(file.path);
      return undefined;
    });
    await waiting;
    assert.deepEqual(await file.read(), Uint8Array.from([9]));
  }),
);

Deno.test(
  "AttemptsFile.read() of a long file gives its beginning, and update() cuts it",
  withFile(async (file) => {
    await Deno.writeFile(file.path, new Uint8Array(1_000_000));
    assert.equal((await file.read())!.length, 4096);
    await write(file, 1);
    assert.equal((await Deno.stat(file.path)).size, 1);
  }),
);

Deno.test(
  "AttemptsFile names path and operation when something else is at its path",
  withFile(async (file) => {
    await Deno.mkdir(file.path);
    for (const work of [() => file.read(), () => write(file, 1)]) {
      await assert.rejects(work, (error) => {
        return error instanceof InputOutputError && error.operation === "read" && error.path === file.path;
      });
    }
    await Deno.remove(file.path);
    if (WINDOWS) return;
    await Deno.symlink("nowhere", file.path);
    assert.equal(await file.read(), undefined);
    await assert.rejects(write(file, 1), (error) => {
      return error instanceof InputOutputError && error.operation === "create" && error.path === file.path;
    });
  }),
);

Deno.test(
  "AttemptsFile.remove() takes the file away, if there is one",
  withFile(async (file) => {
    file.remove();
    await write(file, 1);
    file.remove();
    assert.equal(await file.read(), undefined);
  }),
);

Deno.test({
  name: "AttemptsFile.read() says which permission is missing",
  permissions: { read: false, write: false },
  fn: async () => {
    const file = new AttemptsFile("/somewhere/app.coffer");
    await assert.rejects(file.read(), (error) => {
      return error instanceof MissingPermissionError && error.flag === "--allow-read=/somewhere/" &&
        error.message.includes(file.path);
    });
  },
});
