import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { findSegments } from "../../lib/backup/scan.ts";
import { MemoryDisk } from "../../lib/storage/disk_memory.ts";
import { FIRST_SEGMENT_PAGE } from "../../lib/storage/meta_page.ts";
import { encodePage, PAGE_SIZE } from "../../lib/storage/page.ts";

/** Counts the reads of single pages. */
class CountingDisk extends MemoryDisk {
  reads = 0;

  override readAt(buffer: Uint8Array, position: number): Promise<number> {
    if (buffer.length === PAGE_SIZE) this.reads++;
    return super.readAt(buffer, position);
  }
}

/** A file whose first half are beginnings of segments, each of which goes on in the one chain of the other half. */
async function manyHeads(half: number): Promise<CountingDisk> {
  const disk = new CountingDisk();
  const image = new Uint8Array((FIRST_SEGMENT_PAGE + 2 * half) * PAGE_SIZE);
  const pageAt = (number: number) => image.subarray(number * PAGE_SIZE, (number + 1) * PAGE_SIZE);
  const head = new Uint8Array(100);
  head.set(encodeUtf8("CFSG"));
  head[24] = 1;
  const tail = FIRST_SEGMENT_PAGE + half;
  for (let i = 0; i < half; i++) {
    encodePage(pageAt(FIRST_SEGMENT_PAGE + i), tail, 0, head);
    encodePage(pageAt(tail + i), i === half - 1 ? 0 : tail + i + 1, i + 1, head);
  }
  await disk.writeAt(image, 0);
  return disk;
}

Deno.test("findSegments() reads few pages more than the file has, also where a thousand segments claim the same", async () => {
  const half = 1000;
  const disk = await manyHeads(half);
  let found = 0;
  for await (const { last, lengths } of findSegments(disk, new Set())) {
    assert.equal(last, 1);
    assert.ok(lengths.length > 0);
    found++;
  }
  assert.equal(found, half);
  assert.ok(disk.reads <= 10 * half, `${disk.reads} reads of ${2 * half} pages`);
});
