import assert from "node:assert/strict";
import { followSoundly, readSealed, writeChain } from "../../lib/reddb/chain.ts";
import { chainPagesFor, decodeHeader, encodeHeader, headerCapacity } from "../../lib/reddb/header.ts";
import { PageFile } from "../../lib/reddb/page_file.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { patterned, rejectsWith } from "../helpers.ts";
import { openMemory, placeOf, vectorBytes } from "./helpers.ts";

const SIZE = 4096;
const SALT = patterned(16);

/** A disk that counts its reads. */
class CountingDisk extends MemoryDisk {
  reads = 0;

  override readAt(target: Uint8Array, offset: number): Promise<number> {
    this.reads++;
    return super.readAt(target, offset);
  }
}

/** A file with a payload in these pages. */
async function fileWith(length: number, ids: readonly number[], pages = 3 + ids.length) {
  const memory = new MemoryFile(new Uint8Array(pages * SIZE));
  memory.bytes.set(PageFile.blank(SIZE));
  new DataView(memory.bytes.buffer).setUint32(32 + 12, pages, true);
  const disk = new CountingDisk(memory);
  const file = await PageFile.read(disk);
  const sealed = patterned(length);
  await writeChain(file, ids, sealed);
  const header = decodeHeader(encodeHeader(SIZE, SALT, sealed, ids[0] ?? 0))!;
  return { memory, disk, file, sealed, header };
}

function idsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

Deno.test("chainPagesFor() counts no page for what fits on the header, and one more past each capacity", () => {
  const cases = [[28, 0], [4031, 0], [4032, 1], [4031 + 4056, 1], [4031 + 4056 + 1, 2], [4031 + 10 * 4056, 10]];
  for (const [length, pages] of cases) assert.equal(chainPagesFor(length!, SIZE), pages, `${length}`);
  assert.equal(headerCapacity(16384), 16384 - 77);
});

Deno.test("readSealed() gives back what writeChain() wrote, at every boundary", async () => {
  for (const length of [28, 4031, 4032, 8087, 8088, 4031 + 300 * 4056]) {
    const pages = chainPagesFor(length, SIZE);
    const { file, sealed, header } = await fileWith(length, idsFrom(3, pages));
    assert.deepEqual(await readSealed(file, header), sealed, `${length}`);
    assert.equal((await followSoundly(file, header)).length, pages);
  }
});

Deno.test("readSealed() reads pages that follow one another together, and scattered ones alone", async () => {
  const length = 4031 + 1000 * 4056;
  const near = await fileWith(length, idsFrom(3, 1000));
  const before = near.disk.reads;
  assert.deepEqual(await readSealed(near.file, near.header), near.sealed);
  assert.ok(near.disk.reads - before < 12, `${near.disk.reads - before} reads`);
  const far = await fileWith(length, idsFrom(3, 1000).map((id) => id * 2), 2100);
  assert.deepEqual(await readSealed(far.file, far.header), far.sealed);
});

Deno.test("readSealed() names the page at which a chain is damaged", async () => {
  const cases: readonly (readonly [offset: number, value: number, page: number])[] = [
    [32, 0, 5],
    [36, 0, 5],
    [36, 5, 5],
    [36, 4, 4],
    [36, 2, 5],
    [36, 1_000_000, 5],
    [36, 0xffffffff, 5],
  ];
  for (const [offset, value, page] of cases) {
    const { memory, file, header } = await fileWith(4031 + 4 * 4056, idsFrom(3, 4));
    new DataView(memory.bytes.buffer).setUint32(5 * SIZE + offset, value, true);
    const error = await rejectsWith(() => readSealed(file, header), "reddb-corrupt");
    assert.equal((error as { page?: number }).page, page, error.message);
    assert.equal(/circle/.test(error.message), offset === 36 && (value === 4 || value === 5), error.message);
  }
  const { memory, file, header } = await fileWith(4031 + 4 * 4056, idsFrom(3, 4));
  new DataView(memory.bytes.buffer).setUint32(6 * SIZE + 36, 3, true);
  await rejectsWith(() => readSealed(file, header), "reddb-corrupt");
});

Deno.test("readSealed() holds the header's numbers against the file before it allocates or follows anything", async () => {
  const { file, disk, header } = await fileWith(4031 + 4 * 4056, idsFrom(3, 4));
  const reads = disk.reads;
  const wrong = [
    { payloadLength: 0 },
    { payloadLength: 27 },
    { payloadLength: 0xffffffff, chainCount: chainPagesFor(0xffffffff, SIZE) },
    { chainCount: 0 },
    { chainCount: 5 },
    { chainCount: 0xffffffff },
    { firstPage: 0 },
    { firstPage: 2 },
    { firstPage: 7 },
    { firstPage: 0xffffffff },
    { payloadLength: 28, chainCount: 0 },
  ];
  for (const change of wrong) {
    const error = await rejectsWith(() => readSealed(file, { ...header, ...change }), "reddb-corrupt");
    assert.equal((error as { page?: number }).page, 2);
  }
  assert.equal(disk.reads, reads);
});

Deno.test("followSoundly() stops before a page that is not a vault's, says another place, or was met", async () => {
  const changes: readonly ((page: DataView) => void)[] = [
    (page) => page.setUint8(0, 1),
    (page) => page.setUint32(8, 9, true),
    (page) => page.setUint8(32, 0),
  ];
  for (const change of changes) {
    const { memory, file, header } = await fileWith(4031 + 4 * 4056, idsFrom(3, 4));
    change(new DataView(memory.bytes.buffer, 5 * SIZE));
    assert.deepEqual(await followSoundly(file, header), [3, 4]);
  }
  const { memory, file, header } = await fileWith(4031 + 4 * 4056, idsFrom(3, 4));
  new DataView(memory.bytes.buffer).setUint32(5 * SIZE + 36, 4, true);
  assert.deepEqual(await followSoundly(file, header), [3, 4, 5]);
  assert.deepEqual(await followSoundly(file, { ...header, version: 1 }), []);
  assert.deepEqual(await followSoundly(file, { ...header, chainCount: 0xffffffff, firstPage: 0xffffffff }), []);
  assert.deepEqual(await followSoundly(file, null), []);
});

Deno.test("readSealed() refuses a header page that is cut short, even where the payload ends before the cut", async () => {
  const place = placeOf((await vectorBytes("single-page.rdb")).slice(0, 3 * 4096 - 1));
  await using vault = await openMemory(place);
  const error = await rejectsWith(() => vault.load(), "reddb-corrupt");
  assert.equal((error as { page?: number }).page, 2);
});
