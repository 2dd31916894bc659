import assert from "node:assert/strict";
import { checkStructure } from "../../lib/storage/check.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { type MetaPage, PAGE_SIZE } from "../../lib/storage/meta_page.ts";
import { commitOf, digestOf, diskOf, fileOf, filled, firstImage, metaPage, placed } from "./helpers.ts";
import { encodePage } from "../../lib/storage/page.ts";

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

Deno.test("checkStructure() finds two segments that share a page", async () => {
  const segments = [{ version: 1, first: 2, last: 2, length: 5 }, { version: 2, first: 2, last: 2, length: 5 }];
  const payload = filled(5, 1);
  const page: MetaPage = metaPage({ version: 2, pageCount: 3, segments, added: 1, addedDigest: digestOf(payload) });
  const bytes = new Uint8Array(PAGE_SIZE);
  encodePage(bytes, 0, 0, payload);
  const report = await checkStructure(diskOf(fileOf(3, { ...await placed(page), 2: bytes })));
  assert.deepEqual(report.problems, [{ what: "two segments share a page" }]);
});

Deno.test("checkStructure() refuses what holds no version", async () => {
  await assert.rejects(checkStructure(diskOf(new Uint8Array(0))), { code: "empty-file" });
  await assert.rejects(checkStructure(diskOf(filled(10_000, 1))), { code: "not-a-vault" });
  await assert.rejects(checkStructure(diskOf(FIRST.slice(0, 2 * PAGE_SIZE))), { code: "truncated-vault" });
});
