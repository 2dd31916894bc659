import assert from "node:assert/strict";
import { CofferError } from "../../lib/errors.ts";
import { anchorPath, FileAnchor } from "../../lib/storage/anchor_file.ts";
import { patterned, rejectsWith, withFolder } from "../helpers.ts";

/** Runs work on an anchor file and lets go of it. */
function use<T>(path: string, work: (anchor: FileAnchor) => T): T {
  const anchor = new FileAnchor(path);
  try {
    return work(anchor);
  } finally {
    anchor.release();
  }
}

Deno.test("anchorPath() puts the anchor beside the vault", () => {
  assert.equal(anchorPath("/a/app.coffer"), "/a/app.coffer.anchor");
});

Deno.test("FileAnchor gives back what was put there, privately, and writes in place", () =>
  withFolder((folder) => {
    const path = `${folder}/anchor`;
    use(path, (anchor) => {
      assert.equal(anchor.read(), null);
      anchor.replace(patterned(1024));
      assert.deepEqual(anchor.read(), patterned(1024));
      anchor.assertWritable();
      anchor.write(patterned(100, 7), 512);
      const expected = patterned(1024);
      expected.set(patterned(100, 7), 512);
      assert.deepEqual(anchor.read(), expected, "what is open is read from its start again");
      assert.deepEqual(Deno.readFileSync(path), expected);
      anchor.replace(patterned(3));
      assert.deepEqual(anchor.read(), patterned(3), "nothing of the one before stays");
    });
    if (Deno.build.os !== "windows") assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["anchor"]);
    return Promise.resolve();
  }));

Deno.test("FileAnchor sees another file in its place once it was released", () =>
  withFolder((folder) => {
    const path = `${folder}/anchor`;
    use(path, (anchor) => {
      anchor.replace(patterned(8));
      anchor.read();
      Deno.writeFileSync(`${path}.new`, patterned(8, 9));
      Deno.renameSync(`${path}.new`, path);
      anchor.release();
      assert.deepEqual(anchor.read(), patterned(8, 9));
      anchor.remove();
      assert.equal(anchor.read(), null);
      anchor.remove();
    });
    return Promise.resolve();
  }));

Deno.test("FileAnchor that is paused sees what others wrote, put in its place or took away meanwhile", () =>
  withFolder(async (folder) => {
    const path = `${folder}/anchor`;
    const elsewhere = `${folder}/elsewhere`;
    Deno.mkdirSync(elsewhere);
    // Also once the folder has stood still for so long that its time is believed.
    for (const wait of [0, 2_600]) {
      const anchor = new FileAnchor(path);
      try {
        anchor.replace(patterned(8));
        const see = async (change: () => void, expected: Uint8Array | null) => {
          anchor.pause();
          anchor.read();
          anchor.pause();
          await new Promise((resolve) => setTimeout(resolve, wait));
          anchor.read();
          anchor.pause();
          change();
          assert.deepEqual(anchor.read(), expected);
          if (expected === null) return;
          anchor.write(patterned(1, 3), 1);
          assert.equal(Deno.readFileSync(path)[1], patterned(1, 3)[0], "what is read is what is written to");
        };
        await see(() => Deno.writeFileSync(path, patterned(8, 9)), patterned(8, 9));
        await see(() => {
          Deno.writeFileSync(`${elsewhere}/new`, patterned(8, 5));
          Deno.renameSync(`${elsewhere}/new`, path);
        }, patterned(8, 5));
        await see(() => Deno.removeSync(path), null);
      } finally {
        anchor.release();
      }
    }
  }));

Deno.test("FileAnchor reads no more of a large file than shows that it is none", () =>
  withFolder((folder) => {
    const path = `${folder}/anchor`;
    Deno.writeFileSync(path, new Uint8Array(1_000_000));
    use(path, (anchor) => {
      const { length } = anchor.read()!;
      assert.ok(length > 1024 && length <= 4096, `${length}`);
    });
    return Promise.resolve();
  }));

Deno.test("FileAnchor says what cannot be done, with the path and the cause", () =>
  withFolder(async (folder) => {
    const path = `${folder}/anchor`;
    await rejectsWith(() => use(path, (anchor) => anchor.assertWritable()), "anchor-missing");
    await rejectsWith(() => use(path, (anchor) => anchor.write(patterned(1), 0)), "anchor-missing");
    FileAnchor.assertFree(path);
    Deno.mkdirSync(path);
    await rejectsWith(() => FileAnchor.assertFree(path), "anchor-exists");
    const calls: readonly ((anchor: FileAnchor) => unknown)[] = [
      (anchor) => anchor.read(),
      (anchor) => anchor.assertWritable(),
      (anchor) => anchor.write(patterned(1), 0),
      (anchor) => anchor.replace(patterned(1)),
    ];
    for (const [index, call] of calls.entries()) {
      const error = await rejectsWith(() => use(path, call), "io-error");
      assert.ok(error.message.includes(path) && error.cause instanceof Error, `call ${index}: ${error.message}`);
    }
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["anchor"], "nothing is left beside it");
    const beyond = await rejectsWith(
      () => use(`${folder}/none/anchor`, (anchor) => anchor.replace(patterned(1))),
      "io-error",
    );
    assert.ok(beyond instanceof CofferError && beyond.message.includes(`${folder}/none/anchor`));
  }));

Deno.test({
  name: "FileAnchor reads what it may not write, and refuses to write it",
  ignore: Deno.build.os === "windows" || Deno.uid() === 0, // modes mean nothing to root
  fn: () =>
    withFolder(async (folder) => {
      const path = `${folder}/anchor`;
      Deno.writeFileSync(path, patterned(8), { mode: 0o400 });
      use(path, (anchor) => assert.deepEqual(anchor.read(), patterned(8)));
      await rejectsWith(() => use(path, (anchor) => anchor.assertWritable()), "permission-denied");
      await rejectsWith(
        () => use(path, (anchor) => (anchor.read(), anchor.write(patterned(1), 0))),
        "permission-denied",
      );
      Deno.chmodSync(path, 0o000);
      await rejectsWith(() => use(path, (anchor) => anchor.read()), "permission-denied");
      Deno.chmodSync(path, 0o600);
    }),
});
