import assert from "node:assert/strict";
import { checkRedDbFile } from "../../lib/reddb/check.ts";
import { RedDbVault } from "../../lib/reddb/vault.ts";
import { CofferError } from "../../lib/errors.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { patterned, randomFrom, rejectsWith, withFolder } from "../helpers.ts";
import { blankPlace, CREDENTIAL, foreignFile, openMemory, placeOf, stateOf, vectorBytes, VECTORS } from "./helpers.ts";

async function check(bytes: Uint8Array) {
  const file = new MemoryFile(bytes);
  const report = await checkRedDbFile(new MemoryDisk(file));
  assert.deepEqual(file.bytes, bytes, "a check changes no byte");
  return report;
}

/** Vectors whose structure is damaged, with the kind of the first problem that does harm; the rest are sound. */
const DAMAGED: Record<string, string> = {
  "bad-data-magic.rdb": "chain",
  "chain-count-long.rdb": "header",
  "chain-count-short.rdb": "header",
  "chain-ends-early.rdb": "chain",
  "chain-loop.rdb": "chain",
  "page-id-out-of-file.rdb": "chain",
  "payload-len-huge.rdb": "header",
  "payload-len-tiny.rdb": "header",
  "truncated-file.rdb": "chain",
  "version-1.rdb": "header",
  "version-9.rdb": "header",
};

Deno.test("checkRedDbFile() finds what is damaged in the vectors, and nothing in the others", async () => {
  for (const { file } of VECTORS.filter(({ file }) => file.endsWith(".rdb"))) {
    const { problems } = await check(await vectorBytes(file));
    assert.equal(problems.find(({ harmless }) => !harmless)?.kind, DAMAGED[file], file);
    if (DAMAGED[file] === undefined) assert.deepEqual(problems, [], file);
  }
});

Deno.test("checkRedDbFile() counts the pages of a file by what they are", async () => {
  const place = placeOf(foreignFile(4096));
  await using vault = await openMemory(place);
  await vault.save(stateOf(50_000));
  await vault.save(stateOf(20_000));
  const { fileSize, problems, ...counts } = await check(place.file.bytes);
  assert.equal(fileSize, place.file.bytes.length);
  assert.deepEqual(counts, {
    pageSize: 4096,
    pageCount: 23,
    version: 2,
    chainPages: 4,
    freePages: 12,
    orphanPages: 0,
    otherPages: 3,
    interrupted: false,
  });
  assert.deepEqual(problems, []);
});

Deno.test("checkRedDbFile() reports a file that is none as a problem, and a missing one as an error", async () => {
  for (const bytes of [new Uint8Array(0), patterned(100), patterned(20_000)]) {
    const { problems, pageSize } = await check(bytes);
    assert.deepEqual([problems.map(({ kind }) => kind), pageSize], [["file"], 0]);
  }
  await withFolder(async (folder) => {
    await rejectsWith(() => checkRedDbFile(`${folder}/missing.rdb`), "vault-not-found");
  });
});

Deno.test("checkRedDbFile() reports a damaged free list, and a page of the chain in it", async () => {
  const place = blankPlace();
  await using vault = await openMemory(place);
  await vault.save(stateOf(50_000));
  await vault.save(stateOf(60_000));
  const [head] = new Uint32Array(place.file.bytes.slice(48, 52).buffer);
  const first = new DataView(place.file.bytes.buffer).getUint32(2 * 4096 + 32 + 41, true);
  const live = place.file.bytes.slice();
  new DataView(live.buffer).setUint32(head! * 4096 + 40, first, true);
  assert.deepEqual((await check(live)).problems.map(({ kind, page }) => [kind, page]), [["freelist", first]]);
  const loop = place.file.bytes.slice();
  new DataView(loop.buffer).setUint32(head! * 4096 + 32, head!, true);
  assert.deepEqual((await check(loop)).problems.map(({ kind }) => kind), ["freelist"]);
});

Deno.test("checkRedDbFile() reports vault pages that do not say where they are", async () => {
  for (const page of [2, 3, 4]) {
    for (const [offset, value] of [[0, 1], [8, 99]] as const) {
      const place = blankPlace();
      await using vault = await openMemory(place);
      await vault.save(stateOf(20_000));
      place.file.bytes[page * 4096 + offset] = value;
      const kinds = (await check(place.file.bytes)).problems.filter(({ harmless }) => !harmless).map(({ kind }) =>
        kind
      );
      assert.deepEqual(kinds, [page === 2 ? "header" : "chain"], `${page} ${offset}`);
    }
  }
});

Deno.test("RedDbVault and checkRedDbFile() meet any damage with a report or an error of coffer's, and change nothing", async () => {
  const place = placeOf(foreignFile(4096));
  await using vault = await openMemory(place);
  for (const size of [60_000, 20_000, 30_000]) await vault.save(stateOf(size));
  const sound = place.file.bytes.slice();
  const random = randomFrom(11);
  for (let i = 0; i < 400; i++) {
    const bytes = sound.slice(0, random() < 0.1 ? Math.floor(random() * sound.length) : sound.length);
    const view = new DataView(bytes.buffer);
    for (let n = 0; n < 1 + random() * 3 && bytes.length > 8; n++) {
      const page = Math.floor(random() * bytes.length / 4096) * 4096;
      const offset = Math.min(bytes.length - 4, page + Math.floor(random() * (random() < 0.7 ? 60 : 4092)));
      view.setUint32(offset, random() < 0.5 ? Math.floor(random() * 30) : Math.floor(random() * 2 ** 32), true);
    }
    place.file.bytes = bytes.slice();
    await check(bytes);
    try {
      await vault.load();
    } catch (error) {
      assert.ok(error instanceof CofferError, String(error));
      assert.match(error.code, /^reddb-/);
    }
    assert.deepEqual(place.file.bytes, bytes);
    try {
      await vault.save(stateOf(10_000));
    } catch (error) {
      assert.ok(error instanceof CofferError, String(error));
      assert.match(error.code, /^reddb-/);
      assert.deepEqual(place.file.bytes, bytes, "a save that is refused changes nothing");
      continue;
    }
    assert.deepEqual(await vault.load(), stateOf(10_000));
  }
});

Deno.test("checkRedDbFile() waits for a save that is running", async () => {
  const place = blankPlace();
  const disk = new MemoryDisk(place.file);
  const lock = await disk.lock("exclusive");
  await rejectsWith(() => checkRedDbFile(new MemoryDisk(place.file), { timeout: 10 }), "busy");
  await rejectsWith(() => RedDbVault.readSalt(new MemoryDisk(place.file), { timeout: 10 }), "busy");
  lock.release();
  await using vault = await RedDbVault.openWithoutEnvironment(disk, CREDENTIAL);
  assert.equal(await vault.load(), null);
});

Deno.test("checkRedDbFile() reports a count of pages that no save believes, and takes one of a crash for harmless", async () => {
  const bytes = await vectorBytes("single-page.rdb");
  const pages = bytes.length / 4096;
  const count = (value: number) => new DataView(bytes.buffer).setUint32(32 + 12, value, true);
  count(pages + 65_536);
  assert.deepEqual((await check(bytes)).problems.map(({ kind, harmless }) => [kind, harmless]), [["tail", true]]);
  for (const value of [pages + 65_537, 2 ** 32 - 1]) {
    count(value);
    const [problem] = (await check(bytes)).problems;
    assert.deepEqual([problem?.kind, problem?.page, problem?.harmless], ["file", 0, false]);
  }
});
