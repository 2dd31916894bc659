/**
 * Which segments a damaged file may still hold: those that its meta pages name, and those that stand in pages that
 * neither names any more.
 *
 * @module
 */
import { type Bytes, encodeUtf8, equalBytes, readU64, viewOf } from "../bytes.ts";
import { OVERHEAD } from "../crypto/aes_gcm.ts";
import { CorruptVaultError } from "../errors.ts";
import { SEGMENT_HEADER_SIZE } from "../sealed/segment.ts";
import { ChainReader } from "../storage/chain.ts";
import type { Disk } from "../storage/disk.ts";
import { FIRST_SEGMENT_PAGE, type MetaPage } from "../storage/meta_page.ts";
import { decodePage, PAGE_SIZE, PAYLOAD_SIZE } from "../storage/page.ts";
import type { SegmentCandidate } from "./fragment.ts";

/** Pages read at once. */
const RUN = 256;
/** How many zeros a sealed chunk may end with before its end is not found: one in 2^64 ends with more. */
const ZEROS = 8;
/**
 * How many segments may claim a page. Segments share none; one that was given up may still point to a page that another
 * took since. More is nobody's mishap, and would make the work grow with the square of the file.
 */
const MOST_CLAIMS = 8;
const MAGIC = encodeUtf8("CFSG");

/** The segments that a meta page names. Whatever the page says, what is read is authenticated by itself. */
export function namedSegments(disk: Disk, page: MetaPage): readonly SegmentCandidate[] {
  return page.segments.map((entry) => {
    const chain = new ChainReader(disk, entry, page.pageCount);
    const { first, length, version } = entry;
    return { first, length, version, read: (offset, size) => chain.read(offset, size) };
  });
}

/** A segment whose length no meta page tells. */
export interface FoundSegment {
  /** It may have any of these lengths; the one that opens is right. */
  readonly lengths: readonly SegmentCandidate[];
  /** Last generation, as its header says. */
  readonly last: number;
}

/**
 * Looks for the first pages of segments in all pages of the file but those that are known.
 *
 * @param onProgress is told how many pages of how many were read
 */
export async function* findSegments(
  disk: Disk,
  known: ReadonlySet<number>,
  onProgress?: (done: number, total: number) => void,
): AsyncGenerator<FoundSegment> {
  const total = Math.floor(await disk.size() / PAGE_SIZE);
  const claims = new Uint8Array(total);
  for (let first = FIRST_SEGMENT_PAGE; first < total; first += RUN) {
    const buffer = new Uint8Array(Math.min(RUN, total - first) * PAGE_SIZE);
    const got = await disk.readAt(buffer, first * PAGE_SIZE);
    for (let at = 0; at + PAGE_SIZE <= got; at += PAGE_SIZE) {
      const number = first + at / PAGE_SIZE;
      if (known.has(number)) continue;
      const page = readPage(buffer.subarray(at, at + PAGE_SIZE), number, 0);
      if (page === undefined || !equalBytes(page.payload.subarray(0, MAGIC.length), MAGIC)) continue;
      const last = readU64(viewOf(page.payload), 24);
      if (last !== undefined && last >= 1) yield { lengths: await followPages(disk, number, claims), last };
    }
    onProgress?.(Math.min(first + RUN, total), total);
  }
}

/** Follows the pages of a segment as far as they are sound and not claimed too often, and cuts the zeros behind it off. */
async function followPages(disk: Disk, first: number, claims: Uint8Array): Promise<SegmentCandidate[]> {
  const pages: number[] = [];
  let cut = true;
  let tail = 0;
  const buffer = new Uint8Array(PAGE_SIZE);
  for (let number = first; number >= FIRST_SEGMENT_PAGE && number < claims.length;) {
    if (claims[number]! >= MOST_CLAIMS) break;
    claims[number]!++;
    await disk.readAt(buffer, number * PAGE_SIZE);
    const page = readPage(buffer, number, pages.length);
    if (page === undefined) break;
    pages.push(number);
    tail = PAYLOAD_SIZE;
    while (tail > 0 && page.payload[tail - 1] === 0) tail--;
    number = page.next;
    if (number === 0) {
      cut = false;
      break;
    }
  }
  const before = (pages.length - 1) * PAYLOAD_SIZE;
  const least = Math.max(before + Math.max(tail, 1), SEGMENT_HEADER_SIZE + OVERHEAD);
  const lengths = cut
    ? [pages.length * PAYLOAD_SIZE]
    : Array.from({ length: ZEROS + 1 }, (_, zeros) => least + zeros).filter((size) => size <= before + PAYLOAD_SIZE);
  return lengths.map((length) => ({
    first,
    length,
    cut,
    read: (offset, size) => readPages(disk, pages, offset, size),
  }));
}

async function readPages(disk: Disk, pages: readonly number[], offset: number, size: number): Promise<Bytes> {
  const result = new Uint8Array(size);
  const buffer = new Uint8Array(PAGE_SIZE);
  for (let at = Math.floor(offset / PAYLOAD_SIZE); at * PAYLOAD_SIZE < offset + size; at++) {
    const number = pages[at];
    if (number === undefined) throw new CorruptVaultError("a segment ends too early");
    await disk.readAt(buffer, number * PAGE_SIZE);
    const { payload } = decodePage(buffer, number, at, PAYLOAD_SIZE);
    const start = at * PAYLOAD_SIZE - offset;
    const from = Math.max(0, -start);
    result.set(payload.subarray(from, Math.max(from, Math.min(PAYLOAD_SIZE, size - start))), Math.max(0, start));
  }
  return result;
}

function readPage(
  bytes: Uint8Array,
  number: number,
  index: number,
): { readonly next: number; readonly payload: Uint8Array } | undefined {
  try {
    return decodePage(bytes, number, index, PAYLOAD_SIZE);
  } catch (error) {
    if (error instanceof CorruptVaultError) return undefined;
    throw error;
  }
}
