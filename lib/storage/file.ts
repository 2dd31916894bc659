/**
 * The file medium: committed versions as two meta pages and chains of segment pages (`docs/format.md`).
 *
 * Reading the source: `chooseVersion` decides which version counts, `#publish` is the order of a commit, one step a line.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { ConflictError, VaultExistsError } from "../errors.ts";
import { ChainReader, reachedExtents, writeChain } from "./chain.ts";
import { chooseVersion, type Chosen } from "./choose.ts";
import { assertFree, publishFile } from "./create.ts";
import type { Disk, Lock, LockMode, LockOptions } from "./disk.ts";
import { DenoDisk, type DenoDiskOptions } from "./disk_deno.ts";
import { complement, type Extent, normalize } from "./extents.ts";
import { assertCommit } from "./commit_rules.ts";
import type { Commit, Committed, Medium, MediumUsage, StoredSegment } from "./medium.ts";
import {
  encodeMetaPage,
  FIRST_SEGMENT_PAGE,
  isContiguous,
  type MetaPage,
  metaPageOf,
  type SegmentEntry,
} from "./meta_page.ts";
import { PAGE_SIZE, pagesFor } from "./page.ts";
import { GROWTH, metaPageFor, placeSegments, type Space } from "./place.ts";

const META_PAGES_SIZE = 2 * PAGE_SIZE;
/** Free pages at the end of the file that are worth giving back: more than so many, and more than half the file. */
const WORTH_SHRINKING = 256;
/** Zeros are written in pieces of so many bytes. */
const ZEROS = new Uint8Array(64 * 1024);
const NOTHING = new Uint8Array(0);

/** A segment of the file, readable as long as a version that names it is locked. */
class FileSegment implements StoredSegment {
  readonly entry: SegmentEntry;
  readonly chain: ChainReader;

  constructor(disk: Disk, entry: SegmentEntry, pageCount: number) {
    this.entry = entry;
    this.chain = new ChainReader(disk, entry, pageCount);
  }

  get version(): number {
    return this.entry.version;
  }

  get length(): number {
    return this.entry.length;
  }

  read(offset: number, length: number): Promise<Bytes> {
    return this.chain.read(offset, length);
  }

  async extents(): Promise<readonly Extent[]> {
    const { first, length } = this.entry;
    return isContiguous(this.entry) ? [{ first, count: pagesFor(length) }] : await this.chain.extents();
  }
}

/** What is remembered of the file between two calls. */
interface Known {
  /** Both meta pages as they were read or written. */
  readonly raw: Bytes;
  readonly page: MetaPage;
  /** The older meta page, when it is valid: what it reaches is not free. */
  readonly other: MetaPage | undefined;
  readonly segments: readonly FileSegment[];
  /** The version as callers see it; the same object for as long as it is the newest. */
  readonly committed: Committed;
  /** Whether this object wrote the version and saw it synced. */
  readonly durable: boolean;
}

/** Committed versions in one file, over any {@linkcode Disk}. */
export class FileMedium implements Medium {
  readonly #disk: Disk;
  #known: Known | undefined;
  /** Where the meta pages are read to, again and again: most often they are as they were. */
  readonly #scratch = new Uint8Array(META_PAGES_SIZE);
  #space: Space | undefined;
  /** Whether the meta pages were read under the lock that is held: nobody can have changed them since. */
  #fresh = false;

  /** A medium over a disk that holds a vault. */
  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Opens the file at a path: see {@linkcode DenoDisk.openPrivate} for what it throws. */
  static async open(path: string, options: DenoDiskOptions = {}): Promise<FileMedium> {
    return new FileMedium(await DenoDisk.openPrivate(path, options));
  }

  /**
   * Makes a file that holds version 1, for its owner alone, and opens it.
   *
   * @throws {VaultExistsError} when there is something at the path
   */
  static async create(path: string, commit: Commit, options: DenoDiskOptions = {}): Promise<FileMedium> {
    const { firstImage } = await import("./image.ts");
    publishFile(path, await firstImage(commit));
    // Elsewhere it was made with its mode. What anyone may see until then is sealed.
    const { system } = options;
    if ((system?.os ?? Deno.build.os) === "windows") {
      const { keepPrivate, thisFileSystem } = await import("./permissions.ts");
      await keepPrivate(path, system ?? await thisFileSystem());
    }
    return await FileMedium.open(path, options);
  }

  /**
   * Writes version 1 to an empty disk.
   *
   * @throws {VaultExistsError} when the disk is not empty
   */
  static async createOnDisk(disk: Disk, commit: Commit): Promise<FileMedium> {
    if (await disk.size() > 0) throw new VaultExistsError(disk.path);
    const { firstImage } = await import("./image.ts");
    await disk.writeAt(await firstImage(commit), 0);
    await disk.sync();
    return new FileMedium(disk);
  }

  /** @throws {VaultExistsError} when there is something at the path */
  static assertFree(path: string): void {
    assertFree(path);
  }

  get name(): string {
    return this.#disk.path;
  }

  async lock(mode: LockMode, options: LockOptions = {}): Promise<Lock> {
    const lock = await this.#disk.lock(mode, options);
    this.#fresh = false;
    if (lock.replaced) this.#forget();
    return {
      release: () => {
        this.#fresh = false;
        lock.release();
      },
    };
  }

  async read(since?: Committed): Promise<Committed | null> {
    const { committed } = await this.#refresh();
    return committed === since ? null : committed;
  }

  async commit(base: number, commit: Commit): Promise<Committed> {
    assertCommit(commit);
    const known = await this.#refresh();
    if (known.page.version !== base) throw new ConflictError(base, known.page.version);
    // An empty write asks whether writing is allowed at all, before anything is begun.
    await this.#disk.writeAt(NOTHING, 0);
    const retained = retainedSegments(known, commit.retain);
    try {
      const next = await this.#publish(known, retained, commit);
      this.#known = next;
      if (countedPages(next) < countedPages(known)) await this.#shrink(countedPages(next));
      return next.committed;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  async usage(): Promise<MediumUsage> {
    const segments = this.#known?.page.segments ?? [];
    const live = segments.reduce((sum, { length }) => sum + pagesFor(length) * PAGE_SIZE, META_PAGES_SIZE);
    return { total: await this.#disk.size(), live };
  }

  close(): void {
    this.#disk.close();
  }

  /** The newest version; decodes nothing when both meta pages are as they were. */
  async #refresh(): Promise<Known> {
    if (this.#fresh && this.#known !== undefined) return this.#known;
    const raw = this.#scratch;
    const got = await this.#disk.readAt(raw, 0);
    if (this.#known === undefined || got < raw.length || !sameWords(raw, this.#known.raw)) {
      this.#forget();
      this.#known = this.#adopt(raw.slice(), await chooseVersion(this.#disk, raw.slice(0, got)));
    }
    this.#fresh = true;
    return this.#known;
  }

  #adopt(raw: Bytes, { page, other, recovered }: Chosen): Known {
    const segments = page.segments.map((entry) => new FileSegment(this.#disk, entry, page.pageCount));
    const { version, meta, addedDigest } = page;
    const committed = { version, meta, segments, recovered, addedDigest };
    return { raw, page, other, segments, committed, durable: false };
  }

  /** The order of writes of `docs/format.md`, section 4. */
  async #publish(known: Known, retained: readonly FileSegment[], commit: Commit): Promise<Known> {
    // What this version reaches may only be in memory if its writer died before its sync. It becomes durable before
    // the older meta page, the last one known to be durable, is overwritten.
    if (!known.durable) await this.#disk.sync();
    const version = known.page.version + 1;
    const space = this.#space ?? await this.#measure(known);
    const gone = known.segments.filter((segment) => !retained.includes(segment));
    const dropped = gone.length === 0 ? [] : await extentsOf(gone);
    const placed = placeSegments(space, commit.append, version);
    for (const [index, segment] of commit.append.entries()) await writeChain(this.#disk, placed.runs[index]!, segment);
    if (placed.unwritten.count > 0) await this.#fill(placed.unwritten);
    const shrunk = withoutTail(placed.free, placed.pages);
    const entries = [...retained.map(({ entry }) => entry), ...placed.entries];
    const page = await metaPageFor(commit, { version, origin: known.page.origin }, shrunk.pages, entries);
    const bytes = await encodeMetaPage(page);
    const slot = metaPageOf(version);
    try {
      await this.#disk.writeAt(bytes, slot * PAGE_SIZE);
      await this.#disk.sync();
    } catch (error) {
      // Others would see the commit, though the disk may never hold it; and this caller is told that it failed.
      await this.#takeBack(slot, Math.max(space.pages, countedPages(known)));
      throw error;
    }
    this.#space = { free: normalize([...shrunk.free, ...space.pending]), pending: dropped, pages: shrunk.pages };
    // What was known is forgotten either way: its copy of the pages goes over to what is known now.
    const raw = known.raw;
    raw.set(bytes, slot * PAGE_SIZE);
    const added = placed.entries.map((entry) => new FileSegment(this.#disk, entry, page.pageCount));
    const segments = [...retained, ...added];
    const committed = { version, meta: page.meta, segments, recovered: false, addedDigest: page.addedDigest };
    return { raw, page, other: known.page, segments, committed, durable: true };
  }

  /** Free space is computed once, then kept up from commit to commit. */
  async #measure(known: Known): Promise<Space> {
    // What there is, not what a meta page says: an older one may count pages that were cut off.
    const pages = Math.floor(await this.#disk.size() / PAGE_SIZE);
    const reached = await extentsOf(known.segments);
    // The older version is no longer needed to read anything: what of it can not be followed is lost already.
    const older = await reachedExtents(this.#disk, known.other?.segments ?? [], pages);
    const free = complement([...reached, ...older], FIRST_SEGMENT_PAGE, pages);
    const pending = complement([...reached, ...free], FIRST_SEGMENT_PAGE, pages);
    return this.#space = { free, pending, pages };
  }

  /** New pages are written, not left as a hole: a later commit into them then changes no block map. */
  async #fill({ first, count }: Extent): Promise<void> {
    const end = (first + count) * PAGE_SIZE;
    for (let at = first * PAGE_SIZE; at < end; at += ZEROS.length) {
      await this.#disk.writeAt(ZEROS.subarray(0, Math.min(ZEROS.length, end - at)), at);
    }
  }

  async #takeBack(slot: 0 | 1, pages: number): Promise<void> {
    try {
      await this.#disk.writeAt(new Uint8Array(PAGE_SIZE), slot * PAGE_SIZE);
      // What the system could not sync it may have given up, new pages at the end too. The next commit that counts on them
      // writes them again, because it finds the file as short as it was.
      if (await this.#disk.size() > pages * PAGE_SIZE) await this.#disk.truncate(pages * PAGE_SIZE);
    } catch {
      // The first error is the one that is reported; if the page was written whole after all, the commit may stand,
      // which is the other outcome that a failed commit may have.
    }
  }

  /** Cuts off what neither meta page counts any more. The commit is durable: a failure here takes nothing back. */
  async #shrink(pages: number): Promise<void> {
    try {
      await this.#disk.truncate(pages * PAGE_SIZE);
    } catch {
      this.#space = undefined;
    }
  }

  #forget(): void {
    this.#known = undefined;
    this.#space = undefined;
    this.#fresh = false;
  }
}

/** Leaves free pages at the end of the file out of its page count when they are many. */
function withoutTail(free: readonly Extent[], pages: number): { free: readonly Extent[]; pages: number } {
  const tail = free.at(-1);
  const worth = tail !== undefined && tail.first + tail.count === pages && tail.count > WORTH_SHRINKING &&
    tail.count > pages / 2;
  if (!worth) return { free, pages };
  const kept = Math.max(tail.first + GROWTH.least, FIRST_SEGMENT_PAGE);
  return { free: [...free.slice(0, -1), { first: tail.first, count: kept - tail.first }], pages: kept };
}

async function extentsOf(segments: readonly FileSegment[]): Promise<Extent[]> {
  return normalize((await Promise.all(segments.map((segment) => segment.extents()))).flat());
}

function retainedSegments(known: Known, retain: readonly StoredSegment[]): readonly FileSegment[] {
  // The caller may hold the segments of an earlier read: after a failed commit everything is read anew, and the caller,
  // told that the version is still the same, keeps what it has.
  const wanted = retain.map((segment) => segment instanceof FileSegment ? segment.entry : undefined);
  const retained = known.segments.filter(({ entry }) => wanted.some((other) => other && sameEntry(entry, other)));
  if (retained.length !== retain.length) throw new RangeError("A segment to retain is not one of the base version");
  return retained;
}

function sameEntry(a: SegmentEntry, b: SegmentEntry): boolean {
  return a.version === b.version && a.first === b.first && a.last === b.last && a.length === b.length;
}

/** What the file must hold for both meta pages. */
function countedPages({ page, other }: Known): number {
  return Math.max(page.pageCount, other?.pageCount ?? 0);
}

/** Compares two pages four bytes at a time: this runs before every read and every commit. */
function sameWords(a: Bytes, b: Bytes): boolean {
  const left = new Uint32Array(a.buffer);
  const right = new Uint32Array(b.buffer);
  for (let i = 0; i < left.length; i++) {
    if (left[i] !== right[i]) return false;
  }
  return true;
}
