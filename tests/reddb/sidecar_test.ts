import assert from "node:assert/strict";
import { decodeNote, encodeNote, FileSidecar } from "../../lib/reddb/sidecar.ts";
import { flipped, patterned, rejectsWith, withFolder } from "../helpers.ts";

const NOTE = { before: patterned(4096), after: patterned(4096, 1) };

Deno.test("decodeNote() reads what encodeNote() wrote, for pages of its size alone", async () => {
  const bytes = await encodeNote(NOTE);
  assert.deepEqual(await decodeNote(bytes, 4096), NOTE);
  assert.equal(await decodeNote(bytes, 16384), null);
});

Deno.test("decodeNote() takes no note that is missing, cut short or changed", async () => {
  const bytes = await encodeNote(NOTE);
  assert.equal(await decodeNote(null, 4096), null);
  for (const length of [0, 4, 4096, bytes.length - 1]) {
    assert.equal(await decodeNote(bytes.slice(0, length), 4096), null, `${length}`);
  }
  for (const at of [0, 4, 8, 5000, bytes.length - 1]) assert.equal(await decodeNote(flipped(bytes, at), 4096), null);
});

Deno.test("FileSidecar writes a private file beside the vault's, and removes it", () =>
  withFolder(async (folder) => {
    const sidecar = new FileSidecar(`${folder}/app.rdb`);
    assert.equal(await sidecar.read(), null);
    await sidecar.remove();
    await sidecar.write(patterned(100));
    assert.deepEqual(await sidecar.read(), patterned(100));
    const path = `${folder}/app.rdb-vault-header`;
    if (Deno.build.os !== "windows") assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    await rejectsWith(() => sidecar.write(patterned(100)), "io-error");
    await sidecar.remove();
    assert.equal(await sidecar.read(), null);
  }));

Deno.test("FileSidecar neither reads through a link nor writes through one", () =>
  withFolder(async (folder) => {
    if (Deno.build.os === "windows") return;
    await Deno.writeTextFile(`${folder}/victim`, "untouched");
    Deno.symlinkSync(`${folder}/victim`, `${folder}/app.rdb-vault-header`);
    const sidecar = new FileSidecar(`${folder}/app.rdb`);
    assert.equal(await sidecar.read(), null);
    await rejectsWith(() => sidecar.write(patterned(10)), "io-error");
    await sidecar.remove();
    await sidecar.write(patterned(10));
    assert.equal(await Deno.readTextFile(`${folder}/victim`), "untouched");
  }));

Deno.test("FileSidecar reads no more of a large file than a note can have", () =>
  withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/app.rdb-vault-header`, new Uint8Array(1_000_000));
    assert.ok((await new FileSidecar(`${folder}/app.rdb`).read())!.length < 40_000);
  }));
