/**
 * Segments as chains of pages.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { CorruptVaultError } from "../errors.ts";
import type { Disk } from "./disk.ts";
import { type Extent, normalize } from "./extents.ts";
import type { StoredSegment } from "./medium.ts";
import { FIRST_SEGMENT_PAGE, isContiguous, type SegmentEntry } from "./meta_page.ts";
import { decodePage, encodePage, PAGE_SIZE, pagesFor, PAYLOAD_SIZE } from "./page.ts";

/** How many pages are read or written at once. */
const RUN = 256;
/** How many bytes of a segment are held at once by those who read all of it. */
export const PIECE_SIZE = 1024 * 1024;

/** Writes a segment into the pages of the given runs, in their order; there are exactly as many as it takes. */
export async function writeChain(disk: Disk, runs: readonly Extent[], segment: Uint8Array): Promise<void> {
  for (const piece of piecesOf(runs)) {
    const buffer = new Uint8Array(piece.count * PAGE_SIZE);
    fillPages(buffer, piece, segment.subarray(piece.index * PAYLOAD_SIZE));
    await disk.writeAt(buffer, piece.first * PAGE_SIZE);
  }
}

/** The same in a file that is in memory whole, from a segment that is read piece by piece. */
export async function fillChain(image: Uint8Array, runs: readonly Extent[], segment: StoredSegment): Promise<void> {
  for (const piece of piecesOf(runs)) {
    const offset = piece.index * PAYLOAD_SIZE;
    const bytes = await segment.read(offset, Math.min(piece.count * PAYLOAD_SIZE, segment.length - offset));
    fillPages(image.subarray(piece.first * PAGE_SIZE), piece, bytes);
  }
}

/** Pages that follow one another and are written at once. */
interface Piece extends Extent {
  /** Position of the first one in the segment. */
  readonly index: number;
  /** The page after the last one, 0 for none. */
  readonly next: number;
}

function* piecesOf(runs: readonly Extent[]): Generator<Piece> {
  let index = 0;
  for (const [position, run] of runs.entries()) {
    for (let done = 0; done < run.count; done += RUN) {
      const count = Math.min(RUN, run.count - done);
      const first = run.first + done;
      const next = done + count < run.count ? first + count : runs[position + 1]?.first ?? 0;
      yield { first, count, index, next };
      index += count;
    }
  }
}

/** Fills the pages of a piece with the bytes of a segment from there on. */
function fillPages(into: Uint8Array, { first, count, index, next }: Piece, bytes: Uint8Array): void {
  for (let i = 0; i < count; i++) {
    const page = into.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE);
    const payload = bytes.subarray(i * PAYLOAD_SIZE, (i + 1) * PAYLOAD_SIZE);
    encodePage(page, i + 1 < count ? first + i + 1 : next, index + i, payload);
  }
}

/** Reads a segment's bytes, in pieces, in any order. */
export class ChainReader {
  readonly #disk: Disk;
  readonly #entry: SegmentEntry;
  readonly #pageCount: number;
  /** The runs of pages that are known from the start of the segment on. */
  #runs: Extent[];
  #known: number;

  /** Reads from a file of so many pages. */
  constructor(disk: Disk, entry: SegmentEntry, pageCount: number) {
    this.#disk = disk;
    this.#entry = entry;
    this.#pageCount = pageCount;
    const all = isContiguous(entry);
    this.#known = all ? pagesFor(entry.length) : 1;
    this.#runs = [{ first: entry.first, count: this.#known }];
  }

  /**
   * The bytes from `offset` on.
   *
   * @throws {CorruptVaultError} that names the damaged page
   * @throws {RangeError} when that is not within the segment
   */
  async read(offset: number, length: number): Promise<Bytes> {
    if (offset < 0 || length < 0 || offset + length > this.#entry.length) {
      throw new RangeError(`Cannot read ${length} bytes at ${offset} of a segment of ${this.#entry.length}`);
    }
    const result = new Uint8Array(length);
    const last = Math.ceil((offset + length) / PAYLOAD_SIZE);
    for (let index = Math.floor(offset / PAYLOAD_SIZE); index < last;) {
      index += await this.#readRun(index, Math.min(last - index, RUN), (payload, at) => {
        const start = at * PAYLOAD_SIZE - offset;
        const from = Math.max(0, -start);
        const part = payload.subarray(from, Math.max(from, length - start));
        result.set(part, Math.max(0, start));
      });
    }
    return result;
  }

  /** All bytes, in pieces of {@linkcode PIECE_SIZE}. */
  async *pieces(): AsyncGenerator<Bytes> {
    const { length } = this.#entry;
    for (let offset = 0; offset < length; offset += PIECE_SIZE) {
      yield await this.read(offset, Math.min(PIECE_SIZE, length - offset));
    }
  }

  /** Every page of the segment, walking the chain where it must be. */
  async extents(): Promise<readonly Extent[]> {
    const total = pagesFor(this.#entry.length);
    while (this.#known < total) await this.#readRun(this.#known - 1, 1, () => {});
    return this.#runs;
  }

  /** Reads pages that follow one another, and gives how many. Unknown ones are found by walking. */
  async #readRun(index: number, most: number, use: (payload: Uint8Array, index: number) => void): Promise<number> {
    while (index >= this.#known) await this.#readRun(this.#known - 1, 1, () => {});
    const { first, count } = this.#runFrom(index);
    const pages = Math.min(count, most);
    const buffer = new Uint8Array(pages * PAGE_SIZE);
    const got = await this.#disk.readAt(buffer, first * PAGE_SIZE);
    if (got < buffer.length) {
      throw new CorruptVaultError("a page is cut short", { page: first + Math.floor(got / PAGE_SIZE) });
    }
    const total = pagesFor(this.#entry.length);
    for (let i = 0; i < pages; i++) {
      const at = index + i;
      const used = Math.min(PAYLOAD_SIZE, this.#entry.length - at * PAYLOAD_SIZE);
      const page = buffer.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE);
      const { next, payload } = decodePage(page, first + i, at, used);
      this.#follow(first + i, at, next, total);
      use(payload, at);
    }
    return pages;
  }

  /** Holds a page's `next` against what is known, or learns it. */
  #follow(number: number, index: number, next: number, total: number): void {
    if (index + 1 === total) {
      if (next !== 0 || number !== this.#entry.last) {
        throw new CorruptVaultError("a chain of pages does not end where it should", { page: number });
      }
      return;
    }
    if (next < FIRST_SEGMENT_PAGE || next >= this.#pageCount) {
      throw new CorruptVaultError("a chain of pages leaves the file", { page: number });
    }
    if (index + 1 < this.#known) {
      if (next !== this.#runFrom(index + 1).first) {
        throw new CorruptVaultError("a chain of pages is broken", { page: number });
      }
      return;
    }
    // A page's position is part of it, so a loop ends at the first page that is met again: it is out of its place.
    const run = this.#runs.at(-1)!;
    if (run.first + run.count === next) this.#runs = this.#runs.with(-1, { first: run.first, count: run.count + 1 });
    else this.#runs.push({ first: next, count: 1 });
    this.#known++;
  }

  #runFrom(index: number): Extent {
    let rest = index;
    for (const { first, count } of this.#runs) {
      if (rest < count) return { first: first + rest, count: count - rest };
      rest -= count;
    }
    throw new RangeError(`Position ${index} is not known yet`);
  }
}

/**
 * The pages that segments take up; contiguous ones are not read at all. A chain that can not be followed to its end is
 * left out whole: for segments that nobody will read again.
 */
export async function reachedExtents(
  disk: Disk,
  entries: readonly SegmentEntry[],
  pageCount: number,
): Promise<Extent[]> {
  const reached: Extent[] = [];
  for (const entry of entries) {
    if (isContiguous(entry)) reached.push({ first: entry.first, count: pagesFor(entry.length) });
    else {
      try {
        reached.push(...await new ChainReader(disk, entry, pageCount).extents());
      } catch (error) {
        if (!(error instanceof CorruptVaultError)) throw error;
      }
    }
  }
  return normalize(reached);
}
