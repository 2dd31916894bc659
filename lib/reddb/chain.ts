/**
 * The chain of data pages that holds what does not fit on the header page. A page's content is `RDVD`, the next page (4
 * bytes, 0 at the end), and a piece of the ciphertext.
 *
 * @module
 */
import { type Bytes, encodeUtf8, viewOf } from "../bytes.ts";
import { NONCE_SIZE } from "../crypto/aes_gcm.ts";
import { RedDbCorruptError } from "./errors.ts";
import { assertSound, copyHeaderSlice, dataCapacity, headerCapacity, isCurrent, type VaultHeader } from "./header.ts";
import { FIRST_FREE_PAGE, hasMagic, PAGE_HEADER_SIZE, PAGE_TYPE, pageId, pageType, writePageHeader } from "./page.ts";
import type { PageFile } from "./page_file.ts";
import { runsOf } from "./runs.ts";

const MAGIC = encodeUtf8("RDVD");
const NEXT_OFFSET = PAGE_HEADER_SIZE + 4;
const SLICE_OFFSET = PAGE_HEADER_SIZE + 8;
/** Most pages that are read at once. */
const LARGEST_WINDOW = 256;

/**
 * Reads pages one after another, and more at once the longer they follow one another in the file. Pages scattered over it
 * are read one by one.
 */
class Window {
  readonly #file: PageFile;
  #buffer = new Uint8Array(0);
  #first = 0;
  #count = 0;
  #size = 1;

  constructor(file: PageFile) {
    this.#file = file;
  }

  /** A page that is in the file; the bytes are good until the next call. */
  async page(id: number): Promise<Bytes> {
    const { pageSize, filePages, disk } = this.#file;
    if (id < this.#first || id >= this.#first + this.#count) {
      const goesOn = id === this.#first + this.#count;
      this.#size = goesOn ? Math.min(this.#size * 4, LARGEST_WINDOW) : 1;
      this.#first = id;
      this.#count = Math.min(this.#size, filePages - id);
      const length = this.#count * pageSize;
      if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
      const got = await disk.readAt(this.#buffer.subarray(0, length), id * pageSize);
      if (got < length) throw new RedDbCorruptError("a page is cut short", { page: id + Math.floor(got / pageSize) });
    }
    const offset = (id - this.#first) * pageSize;
    return this.#buffer.subarray(offset, offset + pageSize);
  }
}

/**
 * Gathers the sealed payload: nonce, ciphertext, tag.
 *
 * @throws {RedDbCorruptError} when the header or the chain is damaged; names the page
 */
export async function readSealed(file: PageFile, header: VaultHeader): Promise<Bytes> {
  assertSound(header, file);
  const sealed = new Uint8Array(header.payloadLength);
  copyHeaderSlice(header, sealed);
  const window = new Window(file);
  const seen = new Set<number>();
  const capacity = dataCapacity(file.pageSize);
  let offset = Math.min(sealed.length, NONCE_SIZE + headerCapacity(file.pageSize));
  let id = header.firstPage;
  for (let left = header.chainCount; left > 0; left--) {
    if (seen.has(id)) throw new RedDbCorruptError("the chain runs in a circle", { page: id });
    seen.add(id);
    const page = await window.page(id);
    if (!hasMagic(page, MAGIC)) throw new RedDbCorruptError("a page of the chain is not of a vault", { page: id });
    const length = Math.min(capacity, sealed.length - offset);
    sealed.set(page.subarray(SLICE_OFFSET, SLICE_OFFSET + length), offset);
    offset += length;
    id = nextOf(file, page, id, left === 1);
  }
  return sealed;
}

/**
 * The pages of a chain as far as it can be followed without a doubt: each is a vault page, says that it is at its place,
 * and is met once. Never throws for damage.
 */
export async function followSoundly(file: PageFile, header: VaultHeader | null): Promise<number[]> {
  const ids = new Set<number>();
  if (header === null || !isCurrent(header)) return [];
  const window = new Window(file);
  const most = Math.min(header.chainCount, file.filePages);
  for (let id = header.firstPage; ids.size < most;) {
    if (id < FIRST_FREE_PAGE || !file.has(id) || ids.has(id)) break;
    const page = await window.page(id);
    if (pageType(page) !== PAGE_TYPE.vault || pageId(page) !== id || !hasMagic(page, MAGIC)) break;
    ids.add(id);
    id = viewOf(page).getUint32(NEXT_OFFSET, true);
  }
  return [...ids];
}

/** Writes the part of a sealed payload that is not on the header page, to pages in rising order. */
export async function writeChain(file: PageFile, ids: readonly number[], sealed: Uint8Array): Promise<void> {
  const { pageSize } = file;
  const capacity = dataCapacity(pageSize);
  let offset = NONCE_SIZE + headerCapacity(pageSize);
  let index = 0;
  for (const { first, count } of runsOf(ids)) {
    const pages = new Uint8Array(count * pageSize);
    for (let i = 0; i < count; i++, offset += capacity) {
      const page = pages.subarray(i * pageSize, (i + 1) * pageSize);
      writePageHeader(page, PAGE_TYPE.vault, first + i);
      page.set(MAGIC, PAGE_HEADER_SIZE);
      viewOf(page).setUint32(NEXT_OFFSET, ids[++index] ?? 0, true);
      page.set(sealed.subarray(offset, offset + capacity), SLICE_OFFSET);
    }
    await file.writePages(first, pages);
  }
}

/** Whether a page is one of a vault's chain. */
export function isDataPage(page: Uint8Array): boolean {
  return pageType(page) === PAGE_TYPE.vault && hasMagic(page, MAGIC);
}

function nextOf(file: PageFile, page: Uint8Array, id: number, last: boolean): number {
  const next = viewOf(page).getUint32(NEXT_OFFSET, true);
  if (last && next !== 0) throw new RedDbCorruptError("the chain goes on after its end", { page: id });
  if (!last && next === 0) throw new RedDbCorruptError("the chain ends early", { page: id });
  if (!last && (next < FIRST_FREE_PAGE || !file.has(next))) {
    throw new RedDbCorruptError("the chain leaves the file", { page: id });
  }
  return next;
}
