import assert from "node:assert/strict";
import { allocate, readFreelist, release, trunkCapacity } from "../../lib/reddb/freelist.ts";
import { PageFile } from "../../lib/reddb/page_file.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { rejectsWith } from "../helpers.ts";

const SIZE = 4096;

/** A file with so many pages, none of them free. */
function fileOf(pages: number): MemoryFile {
  const file = new MemoryFile(new Uint8Array(pages * SIZE));
  file.bytes.set(PageFile.blank(SIZE));
  setU32(file, 0, 12, pages);
  return file;
}

/** Sets a number in the content of a page. */
function setU32({ bytes }: MemoryFile, page: number, offset: number, value: number): void {
  new DataView(bytes.buffer).setUint32(page * SIZE + 32 + offset, value, true);
}

/** Makes a page a trunk by hand; its checksum is nobody's business here. */
function setTrunk(file: MemoryFile, page: number, next: number, ids: readonly number[], count = ids.length): void {
  file.bytes[page * SIZE] = 5;
  setU32(file, page, 0, next);
  setU32(file, page, 4, count);
  for (const [index, id] of ids.entries()) setU32(file, page, 8 + index * 4, id);
}

async function pagesOf(file: MemoryFile): Promise<PageFile> {
  return await PageFile.read(new MemoryDisk(file));
}

async function take(file: MemoryFile, count: number, inUse: readonly number[] = []) {
  const pages = await pagesOf(file);
  return await allocate(pages, await readFreelist(pages), count, new Set(inUse));
}

async function freeOf(file: MemoryFile): Promise<number[]> {
  return [...(await readFreelist(await pagesOf(file))).pages].sort((a, b) => a - b);
}

Deno.test("allocate() takes ids from the end of the first trunk, then the trunk, then the next one, then new pages", async () => {
  const file = fileOf(12);
  setU32(file, 0, 16, 5);
  setTrunk(file, 5, 8, [4, 10, 7]);
  setTrunk(file, 8, 0, [6]);
  assert.deepEqual((await take(file, 2)).ids, [7, 10]);
  assert.deepEqual(await freeOf(file), [4, 5, 6, 8]);
  assert.deepEqual((await take(file, 1)).ids, [4]);
  assert.deepEqual(await freeOf(file), [5, 6, 8], "a trunk without ids is free itself");
  assert.deepEqual((await take(file, 2)).ids, [5, 6]);
  assert.deepEqual((await take(file, 3)).ids, [8, 12, 13]);
  assert.deepEqual(await freeOf(file), []);
  assert.equal((await pagesOf(file)).pageCount, 14);
});

Deno.test("allocate() never hands out the first three pages, nor those that are there and not counted", async () => {
  const small = new MemoryFile(PageFile.blank(SIZE).slice(0, SIZE));
  setU32(small, 0, 12, 1);
  assert.deepEqual((await take(small, 2)).ids, [3, 4]);
  const longer = fileOf(9);
  setU32(longer, 0, 12, 4);
  assert.deepEqual((await take(longer, 1)).ids, [9]);
});

Deno.test("allocate() passes over a free page that is in use, and takes it off the list", async () => {
  const file = fileOf(8);
  setU32(file, 0, 16, 3);
  setTrunk(file, 3, 0, [4, 5, 6, 7]);
  const { ids, dropped } = await take(file, 2, [5, 7]);
  assert.deepEqual([ids, dropped], [[4, 6], [7, 5]]);
  assert.deepEqual(await freeOf(file), [3]);
});

Deno.test("allocate() changes one sector of a trunk and one of page 0", async () => {
  const file = fileOf(2000);
  setU32(file, 0, 16, 3);
  setTrunk(file, 3, 0, Array.from({ length: 1014 }, (_, index) => index + 4));
  const before = file.bytes.slice();
  await take(file, 10);
  const changed = new Set<number>();
  for (const [index, byte] of file.bytes.entries()) if (byte !== before[index]) changed.add(Math.floor(index / 512));
  assert.deepEqual([...changed], [3 * SIZE / 512]);
});

Deno.test("release() makes lists that readFreelist() reads, over more than one trunk and before an older one", async () => {
  const file = fileOf(3000);
  const first = [20, 21, 22];
  const many = Array.from({ length: trunkCapacity(SIZE) + 5 }, (_, index) => 100 + index * 2);
  await release(await pagesOf(file), first);
  assert.deepEqual(await freeOf(file), first);
  await release(await pagesOf(file), many);
  assert.deepEqual(await freeOf(file), [...first, ...many]);
  const { trunks } = await readFreelist(await pagesOf(file));
  assert.equal(trunks.length, 3);
  const { ids } = await take(file, many.length + first.length);
  assert.deepEqual(ids, [...first, ...many], "all of them come back before the file grows");
  await release(await pagesOf(file), []);
  assert.deepEqual(await freeOf(file), []);
});

Deno.test("release() empties the pages and gives them the type of free ones", async () => {
  const file = fileOf(10);
  file.bytes.fill(0xaa, 5 * SIZE, 8 * SIZE);
  await release(await pagesOf(file), [7, 5, 6]);
  for (const id of [5, 7]) {
    const page = file.bytes.subarray(id * SIZE, (id + 1) * SIZE);
    assert.deepEqual([page[0], page[8]], [0, id]);
    assert.ok(page.subarray(32).every((byte) => byte === 0));
  }
  assert.equal(file.bytes[6 * SIZE], 5, "the last one is the trunk");
});

Deno.test("release() gives trunks the checksum that RedDB asks of them", async () => {
  const { crc32 } = await import("node:zlib");
  const file = fileOf(10);
  await release(await pagesOf(file), [5, 6, 7]);
  await take(file, 1);
  const trunk = file.bytes.slice(7 * SIZE, 8 * SIZE);
  const found = new DataView(trunk.buffer).getUint32(28, true);
  trunk.fill(0, 28, 32);
  assert.equal(found, crc32(trunk));
});

Deno.test("readFreelist() refuses loops, pages that are free twice, and pages that cannot be", async () => {
  const cases: Record<string, (file: MemoryFile) => void> = {
    "a trunk that follows itself": (file) => setTrunk(file, 3, 3, [4]),
    "two trunks in a circle": (file) => (setTrunk(file, 3, 4, []), setTrunk(file, 4, 3, [])),
    "an id twice in one trunk": (file) => setTrunk(file, 3, 0, [5, 5]),
    "an id in two trunks": (file) => (setTrunk(file, 3, 4, [5]), setTrunk(file, 4, 0, [5])),
    "a trunk among its own ids": (file) => setTrunk(file, 3, 0, [3]),
    "page 0": (file) => setTrunk(file, 3, 0, [0]),
    "page 2": (file) => setTrunk(file, 3, 0, [2]),
    "a page out of the file": (file) => setTrunk(file, 3, 0, [8]),
    "a trunk out of the file": (file) => setTrunk(file, 3, 4_000_000_000, []),
    "a count above the capacity": (file) => setTrunk(file, 3, 0, [], 1015),
    "a count of 32 bits": (file) => setTrunk(file, 3, 0, [], 0xffffffff),
    "a trunk of another type": (file) => (setTrunk(file, 3, 0, []), file.bytes[3 * SIZE] = 1),
  };
  for (const [what, damage] of Object.entries(cases)) {
    const file = fileOf(8);
    setU32(file, 0, 16, 3);
    damage(file);
    const error = await rejectsWith(() => freeOf(file), "reddb-page-file");
    assert.ok(error, what);
  }
});

Deno.test("allocate() refuses to grow a file whose count is far ahead of it", async () => {
  const file = fileOf(8);
  setU32(file, 0, 12, 0x7fffffff);
  await rejectsWith(() => take(file, 1), "reddb-page-file");
  assert.equal(file.bytes.length, 8 * SIZE);
});
