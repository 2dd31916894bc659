/**
 * What stands on the disk: pages, their chains, whole files.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, viewOf } from "../../../lib/bytes.ts";
import { sha256 } from "../../../lib/crypto/sha256.ts";
import {
  CorruptVaultError,
  EmptyFileError,
  NotAVaultError,
  TruncatedVaultError,
  UnsupportedVersionError,
} from "../../../lib/errors.ts";
import { ChainReader, writeChain } from "../../../lib/storage/chain.ts";
import { checkStructure } from "../../../lib/storage/check.ts";
import { crc32 } from "../../../lib/storage/crc32.ts";
import type { Disk } from "../../../lib/storage/disk.ts";
import { MemoryDisk, MemoryFile } from "../../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../../lib/storage/file.ts";
import {
  decodeMetaPage,
  encodeMetaPage,
  FIRST_SEGMENT_PAGE,
  type MetaPage,
  metaPageOf,
} from "../../../lib/storage/meta_page.ts";
import { decodePage, encodePage, PAGE_SIZE, pagesFor, PAYLOAD_SIZE } from "../../../lib/storage/page.ts";
import { patterned } from "../../helpers.ts";
import { type Target, target } from "../target.ts";

const DIGEST = { at: 16, size: 32 } as const;
const VECTORS = new URL("../../vectors/", import.meta.url);

/** Makes the digest of a meta page fit. */
async function mendMetaPage(page: Bytes): Promise<Bytes> {
  if (page.length !== PAGE_SIZE) return page;
  page.fill(0, DIGEST.at, DIGEST.at + DIGEST.size);
  page.set(await sha256(page), DIGEST.at);
  return page;
}

/** Makes the checksum of a page fit. */
function mendPage(page: Bytes): Bytes {
  if (page.length === PAGE_SIZE) viewOf(page).setUint32(PAGE_SIZE - 4, crc32(page.subarray(0, PAGE_SIZE - 4)), true);
  return page;
}

function pageOf(next: number, index: number, payload: Uint8Array): Bytes {
  const page = new Uint8Array(PAGE_SIZE);
  encodePage(page, next, index, payload);
  return page;
}

const META_PAGE: MetaPage = {
  version: 9,
  origin: 1,
  pageCount: 40,
  segments: [
    { version: 2, first: 2, last: 4, length: 3 * PAYLOAD_SIZE },
    { version: 7, first: 12, last: 10, length: 2 * PAYLOAD_SIZE - 1 },
    { version: 9, first: 20, last: 20, length: 1 },
  ],
  added: 1,
  addedDigest: patterned(32),
  meta: patterned(2624, 3),
};

/** Meta pages of files that could be: versions rise, pages are counted. */
const META_PAGES = fc.record({
  version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  meta: fc.uint8Array({ minLength: 1, maxLength: 2688 }),
  lengths: fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 48 }),
}).map(({ version, meta, lengths }): MetaPage => {
  let end = FIRST_SEGMENT_PAGE;
  const segments = lengths.map((length) => {
    const first = end;
    end += pagesFor(length);
    return { version, first, last: end - 1, length };
  });
  const origin = version > 3 && lengths.length % 2 === 0 ? version - 1 : 1;
  return {
    ...META_PAGE,
    version,
    origin,
    pageCount: end,
    segments,
    added: segments.length,
    meta: new Uint8Array(meta),
  };
});

/** A disk that counts what is read of it, and fails whoever reads more than so often what there is. */
class CountingDisk extends MemoryDisk {
  #left: number;

  constructor(contents: Uint8Array, times: number) {
    super(new MemoryFile(contents), "fuzzed");
    this.#left = times * (contents.length + PAGE_SIZE);
  }

  override readAt(into: Uint8Array, offset: number): Promise<number> {
    this.#left -= into.length;
    assert.ok(this.#left >= 0, "more is read than a file of its size warrants");
    return super.readAt(into, offset);
  }
}

/** A file of which the first page says where a chain begins and ends, and how long it is. */
async function chainFile(runs: readonly { first: number; count: number }[], length: number): Promise<Bytes> {
  const disk = new MemoryDisk(new MemoryFile(), "seed");
  await writeChain(disk, runs, patterned(length));
  const file = new Uint8Array(Math.max(12, ...runs.map(({ first, count }) => first + count)) * PAGE_SIZE);
  await disk.readAt(file, 0);
  const last = runs.at(-1)!;
  const view = viewOf(file);
  view.setUint32(0, runs[0]!.first, true);
  view.setUint32(4, last.first + last.count - 1, true);
  view.setUint32(8, length, true);
  return file;
}

/** Reads what the first page says, as a meta page that passed every check could. */
async function readChain(file: Bytes): Promise<Bytes | undefined> {
  if (file.length < PAGE_SIZE) throw new CorruptVaultError("there is no entry");
  const pageCount = Math.ceil(file.length / PAGE_SIZE);
  const view = viewOf(file);
  const entry = {
    version: 1,
    first: view.getUint32(0, true),
    last: view.getUint32(4, true),
    length: view.getUint32(8, true),
  };
  const page = { ...META_PAGE, pageCount, version: 1, segments: [entry], added: 1 };
  const decoded = await decodeMetaPage(await encodeMetaPage(page), metaPageOf(1));
  if (decoded.status !== "valid") throw new CorruptVaultError("the entry is refused");
  const disk: Disk = new CountingDisk(file, 4);
  const reader = new ChainReader(disk, entry, pageCount);
  const extents = await reader.extents();
  assert.equal(extents.reduce((sum, { count }) => sum + count, 0), pagesFor(entry.length));
  return await reader.read(0, entry.length);
}

function eachPage(file: Bytes, from: number, mend: (page: Bytes) => void): void {
  for (let at = from * PAGE_SIZE; at + PAGE_SIZE <= file.length; at += PAGE_SIZE) {
    mend(file.subarray(at, at + PAGE_SIZE));
  }
}

/** Makes every page's checksum and both meta pages' digests fit, that of what they added included. */
async function mendFile(file: Bytes): Promise<Bytes> {
  eachPage(file, FIRST_SEGMENT_PAGE, mendPage);
  for (const number of [0, 1] as const) {
    const page = file.subarray(number * PAGE_SIZE, (number + 1) * PAGE_SIZE);
    if (page.length < PAGE_SIZE || page.every((byte) => byte === 0)) continue;
    await mendMetaPage(page);
    const decoded = await decodeMetaPage(page, number);
    if (decoded.status !== "valid") continue;
    const { segments, added, pageCount } = decoded.page;
    const disk = new MemoryDisk(new MemoryFile(file));
    try {
      const pieces = segments.slice(segments.length - added)
        .map((entry) => new ChainReader(disk, entry, pageCount).read(0, entry.length));
      page.set(await encodeMetaPage({ ...decoded.page, addedDigest: await sha256(...await Promise.all(pieces)) }));
    } catch { /* What cannot be read has no digest. */ }
  }
  return file;
}

/** Reads the newest version of a file, every byte of it, and looks over its structure. */
async function readFile(file: Bytes): Promise<void> {
  const disk = new CountingDisk(file, 40);
  const medium = new FileMedium(disk);
  try {
    const committed = await medium.read();
    for (const segment of committed!.segments) {
      const bytes = await segment.read(0, segment.length);
      assert.equal(bytes.length, segment.length);
    }
  } catch (error) {
    assert.ok(!await isSound(disk), `what is sound can be read, and not ${error}`);
    throw error;
  } finally {
    medium.close();
  }
  await isSound(disk);
}

async function isSound(disk: Disk): Promise<boolean> {
  try {
    return (await checkStructure(disk)).problems.length === 0;
  } catch (error) {
    if (FILE_ERRORS.some((allowed) => error instanceof allowed)) return false;
    throw error;
  }
}

const FILE_ERRORS = [CorruptVaultError, TruncatedVaultError, NotAVaultError, EmptyFileError, UnsupportedVersionError];

/** Targets of `lib/storage`. */
export const STORAGE_TARGETS: readonly Target[] = [
  target<MetaPage | undefined>({
    name: "meta-page",
    seeds: async () => [
      await encodeMetaPage(META_PAGE),
      await encodeMetaPage({ ...META_PAGE, version: 11, added: 0, segments: META_PAGE.segments }),
    ],
    decode: async (input) => {
      const even = await decodeMetaPage(input, 1);
      const odd = await decodeMetaPage(input, 0);
      const valid = [even, odd].filter(({ status }) => status === "valid");
      assert.ok(valid.length < 2, "a page fits one place");
      const [found] = valid;
      if (found?.status === "valid") return found.page;
      throw new CorruptVaultError(odd.status === "torn" ? odd.broken ?? "torn" : odd.status);
    },
    encode: (page) => encodeMetaPage(page!),
    values: META_PAGES.map(encodeMetaPage),
    mend: mendMetaPage,
    allowed: [CorruptVaultError],
    most: 2 * PAGE_SIZE,
  }),
  target({
    name: "page",
    seeds: [pageOf(3, 0, patterned(PAYLOAD_SIZE)), pageOf(0, 0, patterned(100)), pageOf(2 ** 32 - 1, 0, patterned(1))],
    decode: (input) => decodePage(input, 2, 0, PAYLOAD_SIZE),
    encode: ({ next, payload }) => pageOf(next, 0, payload),
    mend: mendPage,
    allowed: [CorruptVaultError],
    most: 2 * PAGE_SIZE,
  }),
  target({
    name: "page-part",
    seeds: [pageOf(0, 7, patterned(100)), pageOf(5, 7, patterned(99))],
    decode: (input) => decodePage(input, 2, 7, 100),
    encode: ({ next, payload }) => pageOf(next, 7, payload),
    mend: mendPage,
    allowed: [CorruptVaultError],
    most: 2 * PAGE_SIZE,
  }),
  target({
    name: "page-chain",
    seeds: async () => [
      await chainFile([{ first: 2, count: 1 }], 100),
      await chainFile([{ first: 3, count: 4 }], 4 * PAYLOAD_SIZE),
      await chainFile([{ first: 8, count: 2 }, { first: 2, count: 1 }, { first: 5, count: 2 }], 4 * PAYLOAD_SIZE + 1),
    ],
    decode: readChain,
    mend: (file) => {
      eachPage(file, FIRST_SEGMENT_PAGE, mendPage);
      return file;
    },
    allowed: [CorruptVaultError],
    unit: PAGE_SIZE,
    cost: 2,
  }),
  target({
    name: "vault-file",
    seeds: async () =>
      await Promise.all(
        ["few-secrets", "many-deltas", "every-slot-kind", "torn-newest-meta"].map((name) =>
          Deno.readFile(new URL(`${name}.coffer`, VECTORS))
        ),
      ),
    decode: readFile,
    mend: mendFile,
    allowed: FILE_ERRORS,
    unit: PAGE_SIZE,
    most: 80 * PAGE_SIZE,
    cost: 4,
  }),
];
