import assert from "node:assert/strict";
import { DenoDisk } from "../../lib/storage/disk_deno.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import type { Commit } from "../../lib/storage/medium.ts";
import { MemoryMedium, MemoryStore } from "../../lib/storage/memory.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { commitOf, firstImage } from "./helpers.ts";
import { testMedium } from "./medium_suite.ts";

testMedium("FileMedium over MemoryDisk", () => {
  let file = new MemoryFile();
  const open = () => new FileMedium(new MemoryDisk(file));
  const create = async (first: Commit) => {
    file = new MemoryFile(await firstImage(first));
    return open();
  };
  return { create, open, remove: () => {} };
});

testMedium("FileMedium over DenoDisk", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/a.coffer`;
  return {
    create: (first) => FileMedium.create(path, first),
    open: () => new FileMedium(DenoDisk.open(path)),
    remove: () => Deno.removeSync(folder, { recursive: true }),
  };
});

testMedium("MemoryMedium", () => {
  const store = new MemoryStore();
  const create = async (first: Commit) => {
    const medium = new MemoryMedium(store);
    await medium.commit(0, first);
    return medium;
  };
  return { create, open: () => new MemoryMedium(store), remove: () => {} };
});

Deno.test("MemoryMedium.read() gives null while nothing was committed", async () => {
  const medium = new MemoryMedium();
  assert.equal(await medium.read(), null);
  assert.equal((await medium.commit(0, commitOf(1))).version, 1);
});
