import assert from "node:assert/strict";
import { checkStructure } from "../../lib/storage/check.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { decodeMetaPage, type MetaPage, metaPageOf } from "../../lib/storage/meta_page.ts";
import { commitOf, digestOf, diskOf, fileOf, filled, firstImage, metaPage, placed } from "./helpers.ts";
import { encodePage, PAGE_SIZE, PAYLOAD_SIZE } from "../../lib/storage/page.ts";

const FIRST = await firstImage(commitOf(1, [filled(5_000, 1)]));

/** A file of version 3 with two segments: one of two pages, one of three. */
async function grown(): Promise<MemoryFile> {
  const file = new MemoryFile(FIRST);
  const medium = new FileMedium(new MemoryDisk(file));
  const first = await medium.read();
  const second = await medium.commit(1, commitOf(2, [filled(10_000, 2)], first!.segments));
  await medium.commit(2, commitOf(3, [], second.segments));
  return file;
}

Deno.test("checkStructure() counts the pages of a new file", async () => {
  const total = FIRST.length / PAGE_SIZE;
  const report = await checkStructure(diskOf(FIRST));
  assert.deepEqual(report, {
    version: 1,
    metaPages: ["valid", "empty"],
    recovered: false,
    segments: 1,
    pages: { total, live: 3, free: total - 4 },
    problems: [],
  });
});

Deno.test("checkStructure() counts the pages of a file that grew", async () => {
  const { bytes } = await grown();
  const total = bytes.length / PAGE_SIZE;
  const report = await checkStructure(diskOf(bytes));
  assert.deepEqual(report.metaPages, ["valid", "valid"]);
  assert.deepEqual(report.pages, { total, live: 7, free: total - 7 });
  assert.deepEqual([report.version, report.segments, report.recovered, report.problems], [3, 2, false, []]);
});

Deno.test("checkStructure() names every damaged segment, and goes on", async () => {
  const { bytes } = await grown();
  bytes[2 * PAGE_SIZE + 20]! ^= 1;
  bytes[5 * PAGE_SIZE + 20]! ^= 1;
  const report = await checkStructure(diskOf(bytes));
  assert.deepEqual(report.problems.map(({ page }) => page), [2, 5]);
  assert.equal(report.version, 3);
});

Deno.test("checkStructure() says that it checked an older version", async () => {
  const { bytes } = await grown();
  bytes[100]! ^= 1;
  const report = await checkStructure(diskOf(bytes));
  assert.deepEqual([report.version, report.recovered, report.metaPages], [2, true, ["torn", "valid"]]);
});

/** The newest meta page of a file, changed and put back with a digest that fits. */
async function rewritten(file: Uint8Array, version: number, change: (page: MetaPage) => MetaPage): Promise<Uint8Array> {
  const at = metaPageOf(version) * PAGE_SIZE;
  const decoded = await decodeMetaPage(file.subarray(at, at + PAGE_SIZE), metaPageOf(version));
  assert.ok(decoded.status === "valid");
  const copy = file.slice();
  for (const [number, bytes] of Object.entries(await placed(change(decoded.page)))) {
    copy.set(bytes, Number(number) * PAGE_SIZE);
  }
  return copy;
}

Deno.test("checkStructure() finds two segments that share a page, and checks the version before", async () => {
  const { bytes } = await grown();
  const shared = await rewritten(bytes, 3, (page) => {
    const [first, second] = page.segments;
    return { ...page, segments: [first!, { ...second!, first: first!.last, last: first!.last + 2 }] };
  });
  const report = await checkStructure(diskOf(shared));
  assert.deepEqual(report.problems, [{ what: "two segments share a page", page: 0 }]);
  assert.deepEqual([report.version, report.recovered, report.metaPages], [2, true, ["torn", "valid"]]);
});

Deno.test("checkStructure() finds a chain that goes over into the pages of another", async () => {
  // Both go on to pages 6 and 9, whose payload is the second's; the first should end on page 7.
  const [one, two] = [filled(10_000, 1), filled(10_000, 2)];
  const segments = [
    { version: 1, first: 2, last: 7, length: one.length },
    { version: 2, first: 3, last: 9, length: two.length },
  ];
  const page = metaPage({ version: 2, pageCount: 10, segments, added: 1, addedDigest: digestOf(two) });
  const at = (next: number, index: number, payload: Uint8Array) => {
    const bytes = new Uint8Array(PAGE_SIZE);
    encodePage(bytes, next, index, payload.subarray(index * PAYLOAD_SIZE, (index + 1) * PAYLOAD_SIZE));
    return bytes;
  };
  const chains = { 2: at(6, 0, one), 3: at(6, 0, two), 6: at(9, 1, two), 9: at(0, 2, two) };
  const report = await checkStructure(diskOf(fileOf(10, { ...await placed(page), ...chains })));
  assert.equal(report.version, 2);
  assert.deepEqual(report.problems.map(({ page }) => page), [9]);
});

Deno.test("checkStructure() refuses what holds no version", async () => {
  await assert.rejects(checkStructure(diskOf(new Uint8Array(0))), { code: "empty-file" });
  await assert.rejects(checkStructure(diskOf(filled(10_000, 1))), { code: "not-a-vault" });
  await assert.rejects(checkStructure(diskOf(FIRST.slice(0, 2 * PAGE_SIZE))), { code: "truncated-vault" });
});
