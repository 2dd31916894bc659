/**
 * A page of a RedDB file: a header of 32 bytes, then content. All numbers are little-endian.
 *
 * | offset | bytes | field                                                             |
 * | ------ | ----- | ----------------------------------------------------------------- |
 * | 0      | 1     | type                                                              |
 * | 1      | 1     | flags                                                             |
 * | 2      | 2     | cell count                                                        |
 * | 4      | 2     | start of the free space: 32                                       |
 * | 6      | 2     | end of the free space: the page size                              |
 * | 8      | 4     | page id: its place in the file                                    |
 * | 12     | 4     | parent                                                            |
 * | 16     | 4     | right child                                                       |
 * | 20     | 8     | LSN                                                               |
 * | 28     | 4     | CRC-32 of the page with this field zero; vault pages are without  |
 *
 * @module
 */
import { viewOf } from "../bytes.ts";
import { crc32 } from "../storage/crc32.ts";

/** Size of the header of a page, in bytes. */
export const PAGE_HEADER_SIZE = 32;
/** Sizes that a page may have, in bytes. */
export const PAGE_SIZES: readonly number[] = [4096, 16384];
/** Page size of new files, in bytes. */
export const DEFAULT_PAGE_SIZE = 4096;

/** Types of pages that are written here; RedDB's tables have others. */
export const PAGE_TYPE = { free: 0, trunk: 5, header: 6, vault: 12 } as const;

/** The page with the header of the vault. */
export const VAULT_PAGE = 2;
/** The first page that may be handed out: those before it have a use of their own. */
export const FIRST_FREE_PAGE = 3;

const CHECKSUM_OFFSET = 28;

/** Writes the header of a page whose content is fresh. */
export function writePageHeader(page: Uint8Array, type: number, id: number): void {
  const view = viewOf(page);
  page.fill(0, 0, PAGE_HEADER_SIZE);
  view.setUint8(0, type);
  view.setUint16(4, PAGE_HEADER_SIZE, true);
  view.setUint16(6, page.length, true);
  view.setUint32(8, id, true);
}

/** The type of a page. */
export function pageType(page: Uint8Array): number {
  return page[0]!;
}

/** The id that a page has written on it. */
export function pageId(page: Uint8Array): number {
  return viewOf(page).getUint32(8, true);
}

/** What follows the header. */
export function contentOf<BUFFER extends ArrayBufferLike>(page: Uint8Array<BUFFER>): Uint8Array<BUFFER> {
  return page.subarray(PAGE_HEADER_SIZE);
}

/** Sets the checksum of a page, which RedDB asks of all but vault pages. */
export function sealPage(page: Uint8Array): void {
  const view = viewOf(page);
  view.setUint32(CHECKSUM_OFFSET, 0, true);
  view.setUint32(CHECKSUM_OFFSET, crc32(page), true);
}

/** Whether the content begins with a magic of four letters. */
export function hasMagic(page: Uint8Array, magic: Uint8Array): boolean {
  return magic.every((byte, index) => page[PAGE_HEADER_SIZE + index] === byte);
}
