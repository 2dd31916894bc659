import assert from "node:assert/strict";
import { CorruptVaultError, InputOutputError } from "../../lib/errors.ts";
import { ChainReader, PIECE_SIZE, reachedExtents, writeChain } from "../../lib/storage/chain.ts";
import { MemoryDisk } from "../../lib/storage/disk_memory.ts";
import { isContiguous, type SegmentEntry } from "../../lib/storage/meta_page.ts";
import { encodePage, PAGE_SIZE, pagesFor, PAYLOAD_SIZE } from "../../lib/storage/page.ts";
import { assertSameBytes, diskOf, fileOf, filled } from "./helpers.ts";

/** Pages of the file that the chains below are written into. */
const FILE_PAGES = 16;
/** A segment of four pages, the last one in part. */
const SEGMENT = filled(3 * PAYLOAD_SIZE + 10, 1);

/** A page as a chain holds it. */
interface Link {
  readonly page: number;
  readonly next: number;
  readonly index: number;
}

/** A file with the segment's pages at the given places. */
function chained(links: readonly Link[], segment = SEGMENT): Uint8Array {
  const contents: Record<number, Uint8Array> = {};
  for (const { page, next, index } of links) {
    contents[page] = new Uint8Array(PAGE_SIZE);
    encodePage(contents[page], next, index, segment.subarray(index * PAYLOAD_SIZE, (index + 1) * PAYLOAD_SIZE));
  }
  return fileOf(FILE_PAGES, contents);
}

/** Links pages in the order in which they are given. */
function linked(...pages: readonly number[]): readonly Link[] {
  return pages.map((page, index) => ({ page, next: pages[index + 1] ?? 0, index }));
}

function readerOf(file: Uint8Array, first: number, last: number, length = SEGMENT.length): ChainReader {
  return new ChainReader(diskOf(file), { version: 1, first, last, length }, FILE_PAGES);
}

for (const pages of [[2, 3, 4, 5], [2, 3, 9, 10], [12, 4, 8, 2], [9, 8, 7, 6], [2, 4, 3, 15]]) {
  Deno.test(`ChainReader.read() follows the pages ${pages.join(", ")}`, async () => {
    const file = chained(linked(...pages));
    const whole = await readerOf(file, pages[0]!, pages.at(-1)!).read(0, SEGMENT.length);
    assertSameBytes([whole], [SEGMENT], "whole");
    for (const [offset, length] of [[SEGMENT.length - 1, 1], [PAYLOAD_SIZE - 1, 2], [5_000, 4_000], [0, 1]] as const) {
      const part = await readerOf(file, pages[0]!, pages.at(-1)!).read(offset, length);
      assertSameBytes([part], [SEGMENT.slice(offset, offset + length)], `${length} at ${offset}`);
    }
    const reader = readerOf(file, pages[0]!, pages.at(-1)!);
    const halves = await Promise.all([reader.read(0, 9_000), reader.read(9_000, SEGMENT.length - 9_000)]);
    assertSameBytes(halves, [SEGMENT.slice(0, 9_000), SEGMENT.slice(9_000)], "two at once");
  });

  Deno.test(`ChainReader.extents() lists the pages ${pages.join(", ")}`, async () => {
    const extents = await readerOf(chained(linked(...pages)), pages[0]!, pages.at(-1)!).extents();
    const listed = extents.flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index));
    assert.deepEqual(listed, pages);
  });
}

Deno.test("ChainReader.read() of nothing gives nothing, and refuses what is outside of the segment", async () => {
  const reader = readerOf(chained(linked(2, 3, 4, 5)), 2, 5);
  for (const offset of [0, 1, PAYLOAD_SIZE, SEGMENT.length]) assert.equal((await reader.read(offset, 0)).length, 0);
  for (const [offset, length] of [[0, SEGMENT.length + 1], [-1, 1], [0, -1], [SEGMENT.length, 1]] as const) {
    await assert.rejects(reader.read(offset, length), RangeError);
  }
});

/** Chains with one thing wrong, each with the page that is to be named. */
const DAMAGED: Readonly<Record<string, { file: Uint8Array; first: number; last: number; page: number }>> = {
  "loops to its start": {
    file: chained([{ page: 5, next: 9, index: 0 }, { page: 9, next: 5, index: 1 }]),
    first: 5,
    last: 12,
    page: 5,
  },
  "loops on one page": { file: chained([{ page: 5, next: 5, index: 0 }]), first: 5, last: 12, page: 5 },
  "leaves the file": {
    file: chained([...linked(5, 9).slice(0, 1), { page: 9, next: FILE_PAGES, index: 1 }]),
    first: 5,
    last: 12,
    page: 9,
  },
  "goes to a meta page": {
    file: chained([{ page: 5, next: 9, index: 0 }, { page: 9, next: 1, index: 1 }]),
    first: 5,
    last: 12,
    page: 9,
  },
  "ends early": { file: chained(linked(5, 9)), first: 5, last: 9, page: 9 },
  "goes on too long": {
    file: chained([...linked(5, 9, 7).slice(0, 2), { page: 7, next: 3, index: 2 }, { page: 3, next: 11, index: 3 }]),
    first: 5,
    last: 3,
    page: 3,
  },
  "ends on another page than it should": { file: chained(linked(5, 9, 7, 3)), first: 5, last: 4, page: 3 },
  "holds a page out of its place": {
    file: chained([...linked(5, 9).slice(0, 1), { page: 9, next: 7, index: 2 }]),
    first: 5,
    last: 12,
    page: 9,
  },
  "holds a page that was never written": { file: chained(linked(5, 9, 7).slice(0, 2)), first: 5, last: 12, page: 7 },
  "runs on in one piece but links elsewhere": {
    file: chained([{ page: 2, next: 3, index: 0 }, { page: 3, next: 5, index: 1 }, { page: 4, next: 5, index: 2 }, {
      page: 5,
      next: 0,
      index: 3,
    }]),
    first: 2,
    last: 5,
    page: 3,
  },
};

for (const [name, { file, first, last, page }] of Object.entries(DAMAGED)) {
  Deno.test(`ChainReader.read() names the page at which a chain ${name}`, async () => {
    const refused = (error: unknown) => error instanceof CorruptVaultError && error.page === page;
    await assert.rejects(readerOf(file, first, last).read(0, SEGMENT.length), refused);
    await assert.rejects(
      readerOf(file, first, last).read(SEGMENT.length - 1, 1).then(() => {
        // One piece of pages is not walked to read its end; all others are.
        if (last - first + 1 === pagesFor(SEGMENT.length)) throw new CorruptVaultError("not walked", { page });
      }),
      refused,
    );
  });
}

Deno.test("ChainReader.read() names the page with a byte changed, and reads the others", async () => {
  const file = chained(linked(5, 9, 7, 3));
  file[9 * PAGE_SIZE + 100]! ^= 1;
  const reader = readerOf(file, 5, 3);
  assertSameBytes([await reader.read(0, 100)], [SEGMENT.slice(0, 100)], "before the damage");
  await assert.rejects(reader.read(0, SEGMENT.length), { code: "corrupt-vault", page: 9 });
});

Deno.test("ChainReader.read() names the first page that the file does not hold", async () => {
  const file = chained(linked(2, 3, 4, 5)).slice(0, 4 * PAGE_SIZE + 100);
  await assert.rejects(readerOf(file, 2, 5).read(0, SEGMENT.length), { code: "corrupt-vault", page: 4 });
});

const LENGTHS = [-1, 0, 1].flatMap((by) => [1, 2, 256, 257, 512].map((pages) => pages * PAYLOAD_SIZE + by));

for (const length of [1, ...LENGTHS]) {
  Deno.test(`writeChain() writes ${length} bytes that ChainReader reads back, in one run and in many`, async () => {
    const segment = filled(length, length);
    const pages = pagesFor(length);
    const split = Math.ceil(pages / 3);
    const many = [{ first: 4, count: split }, { first: 6 + split, count: pages - split }].filter(({ count }) => count);
    for (const runs of [[{ first: 2, count: pages }], many]) {
      const disk = new MemoryDisk();
      await writeChain(disk, runs, segment);
      const end = runs.at(-1)!;
      const entry: SegmentEntry = { version: 1, first: runs[0]!.first, last: end.first + end.count - 1, length };
      assert.equal(isContiguous(entry), runs.length === 1);
      const reader = new ChainReader(disk, entry, pages + 8);
      assertSameBytes([await reader.read(0, length)], [segment], `${runs.length} runs`);
      assert.deepEqual(await reader.extents(), runs);
    }
  });
}

for (const by of [-1, 0, 1]) {
  Deno.test(`ChainReader.pieces() gives all of ${by} bytes more than a piece, one after another`, async () => {
    const segment = filled(PIECE_SIZE + by, 1);
    const pages = pagesFor(segment.length);
    const disk = new MemoryDisk();
    await writeChain(disk, [{ first: 2, count: pages }], segment);
    const entry: SegmentEntry = { version: 1, first: 2, last: pages + 1, length: segment.length };
    const pieces = await Array.fromAsync(new ChainReader(disk, entry, pages + 2).pieces());
    assertSameBytes(pieces, [segment.slice(0, PIECE_SIZE), segment.slice(PIECE_SIZE)].filter((p) => p.length > 0), "");
  });
}

Deno.test("reachedExtents() joins what segments take up; a chain that breaks off is left out", async () => {
  const disk = diskOf(chained(linked(5, 9, 7).slice(0, 2)));
  const broken = { version: 1, first: 5, last: 12, length: SEGMENT.length };
  const whole = [2, 3].map((first) => ({ version: 1, first, last: first, length: 1 }));
  assert.deepEqual(await reachedExtents(disk, [...whole, broken], FILE_PAGES), [{ first: 2, count: 2 }]);
  disk.readAt = () => Promise.reject(new InputOutputError("read", "memory"));
  await assert.rejects(reachedExtents(disk, [broken], FILE_PAGES), InputOutputError);
});
