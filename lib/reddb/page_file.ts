/**
 * A RedDB file as pages. Page 0 says how large they are, how many there are, and where the list of free ones begins.
 *
 * | offset in the content of page 0 | bytes | field                               |
 * | ------------------------------- | ----- | ----------------------------------- |
 * | 0                               | 4     | `RDDB`                              |
 * | 4                               | 4     | version: 0x00010000                 |
 * | 8                               | 4     | page size                           |
 * | 12                              | 4     | page count                          |
 * | 16                              | 4     | first trunk of free pages; 0 = none |
 *
 * What follows belongs to RedDB and is left alone.
 *
 * @module
 */
import { type Bytes, encodeUtf8, viewOf } from "../bytes.ts";
import { RedDbPageFileError } from "./errors.ts";
import type { Disk } from "../storage/disk.ts";
import {
  FIRST_FREE_PAGE,
  hasMagic,
  PAGE_HEADER_SIZE,
  PAGE_SIZES,
  PAGE_TYPE,
  sealPage,
  VAULT_PAGE,
  writePageHeader,
} from "./page.ts";

const MAGIC = encodeUtf8("RDDB");
const VERSION = 0x00010000;
const VERSION_OFFSET = PAGE_HEADER_SIZE + 4;
const PAGE_SIZE_OFFSET = PAGE_HEADER_SIZE + 8;
const PAGE_COUNT_OFFSET = PAGE_HEADER_SIZE + 12;
const HEAD_OFFSET = PAGE_HEADER_SIZE + 16;
const CHECKSUM_OFFSET = 28;
/** What a disk writes whole. Every field that changes in place is within the first one of its page. */
const SECTOR = 512;
/** Most pages that a count may be ahead of the file: pages that were reserved before a crash are not there yet. */
const MOST_MISSING = 65_536;
const MAX_PAGES = 2 ** 32 - 1;

/** The pages of one file, as they were when the lock was taken. */
export class PageFile {
  /** Where the bytes are. */
  readonly disk: Disk;
  /** Bytes in a page. */
  readonly pageSize: number;
  /** Bytes in the file. */
  readonly fileSize: number;
  /** Whole pages in the file. */
  readonly filePages: number;
  readonly #first: Bytes;

  private constructor(disk: Disk, first: Bytes, fileSize: number) {
    this.disk = disk;
    this.#first = first;
    this.pageSize = first.length;
    this.fileSize = fileSize;
    this.filePages = Math.floor(fileSize / this.pageSize);
  }

  /**
   * Reads page 0. The caller holds a lock.
   *
   * @throws {RedDbPageFileError} when it is no page file of RedDB's
   */
  static async read(disk: Disk): Promise<PageFile> {
    const fileSize = await disk.size();
    const start = new Uint8Array(SECTOR);
    const got = await disk.readAt(start, 0);
    if (got === 0) throw new RedDbPageFileError(disk.path, "the file is empty");
    if (!hasMagic(start, MAGIC)) throw new RedDbPageFileError(disk.path, "it does not begin as one", { page: 0 });
    const view = viewOf(start);
    if (view.getUint32(VERSION_OFFSET, true) !== VERSION) {
      throw new RedDbPageFileError(disk.path, "the version of the file is not known", { page: 0 });
    }
    const pageSize = view.getUint32(PAGE_SIZE_OFFSET, true);
    if (!PAGE_SIZES.includes(pageSize)) {
      throw new RedDbPageFileError(disk.path, `a page size of ${pageSize} bytes is not known`, { page: 0 });
    }
    const first = new Uint8Array(pageSize);
    if (await disk.readAt(first, 0) < pageSize) {
      throw new RedDbPageFileError(disk.path, "its first page is cut short", { page: 0 });
    }
    return new PageFile(disk, first, fileSize);
  }

  /** The bytes of a new file: page 0, and empty vault pages up to that of the header. */
  static blank(pageSize: number): Bytes {
    const bytes = new Uint8Array(pageSize * (VAULT_PAGE + 1));
    const first = bytes.subarray(0, pageSize);
    writePageHeader(first, PAGE_TYPE.header, 0);
    first.set(MAGIC, PAGE_HEADER_SIZE);
    const view = viewOf(first);
    view.setUint32(VERSION_OFFSET, VERSION, true);
    view.setUint32(PAGE_SIZE_OFFSET, pageSize, true);
    view.setUint32(PAGE_COUNT_OFFSET, VAULT_PAGE + 1, true);
    sealPage(first);
    for (let id = 1; id <= VAULT_PAGE; id++) {
      writePageHeader(bytes.subarray(id * pageSize, (id + 1) * pageSize), PAGE_TYPE.vault, id);
    }
    return bytes;
  }

  /** Pages, as page 0 counts them. */
  get pageCount(): number {
    return viewOf(this.#first).getUint32(PAGE_COUNT_OFFSET, true);
  }

  /** The first trunk of free pages, 0 when there is none. */
  get freelistHead(): number {
    return viewOf(this.#first).getUint32(HEAD_OFFSET, true);
  }

  /** Where new pages go: after all that are counted, all that are there, and all that have a use of their own. */
  get end(): number {
    return Math.max(this.pageCount, Math.ceil(this.fileSize / this.pageSize), FIRST_FREE_PAGE);
  }

  /** Whether a whole page of this number is in the file. */
  has(id: number): boolean {
    return id < this.filePages;
  }

  /**
   * Fails when pages cannot be added: no count that is far ahead of the file is believed, since the next page would go
   * where it says.
   *
   * @throws {RedDbPageFileError}
   */
  assertCanGrow(pages: number): void {
    if (this.pageCount > this.filePages + MOST_MISSING) {
      throw new RedDbPageFileError(this.disk.path, `page 0 counts ${this.pageCount} pages, there are not so many`, {
        page: 0,
      });
    }
    if (this.end + pages > MAX_PAGES) throw new RedDbPageFileError(this.disk.path, "it can have no more pages");
  }

  /** A page; what is not in the file reads as zeros. */
  async readPage(id: number): Promise<Bytes> {
    const page = new Uint8Array(this.pageSize);
    await this.disk.readAt(page, id * this.pageSize);
    return page;
  }

  /** Writes whole pages that follow one another. */
  async writePages(first: number, pages: Uint8Array): Promise<void> {
    await this.disk.writeAt(pages, first * this.pageSize);
  }

  /** Writes the first sector of a page: all that changes when a trunk gives pages away. */
  async writeSector(id: number, page: Uint8Array): Promise<void> {
    await this.disk.writeAt(page.subarray(0, SECTOR), id * this.pageSize);
  }

  /** Makes the pages up to that of the vault's header, where they are not there yet. Durable with the next sync. */
  async reserve(): Promise<void> {
    for (let id = Math.max(this.filePages, 1); id <= VAULT_PAGE; id++) {
      const page = new Uint8Array(this.pageSize);
      writePageHeader(page, PAGE_TYPE.vault, id);
      await this.writePages(id, page);
    }
    await this.setCounts(Math.max(this.pageCount, VAULT_PAGE + 1), this.freelistHead);
  }

  /**
   * Changes the count and the head of the free pages, in one sector of page 0. Durable with the next sync.
   *
   * @param anyway writes them also when they are as they were: what a failed sync left unwritten is written again then
   */
  async setCounts(pageCount: number, freelistHead: number, anyway = false): Promise<void> {
    if (pageCount === this.pageCount && freelistHead === this.freelistHead) {
      if (anyway) await this.writeSector(0, this.#first);
      return;
    }
    const view = viewOf(this.#first);
    view.setUint32(PAGE_COUNT_OFFSET, pageCount, true);
    view.setUint32(HEAD_OFFSET, freelistHead, true);
    // A file that does without a checksum here goes on without.
    if (view.getUint32(CHECKSUM_OFFSET, true) !== 0) sealPage(this.#first);
    await this.writeSector(0, this.#first);
  }
}
