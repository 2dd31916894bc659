/**
 * The header of the vault, page 2: what the chain is, and the first piece of what is sealed.
 *
 * | offset in the content | bytes | field                                   |
 * | --------------------- | ----- | --------------------------------------- |
 * | 0                     | 4     | `RDVT`                                  |
 * | 4                     | 1     | version: 2                              |
 * | 5                     | 16    | salt                                    |
 * | 21                    | 4     | payload length: nonce, ciphertext, tag  |
 * | 25                    | 12    | nonce                                   |
 * | 37                    | 4     | pages in the chain                      |
 * | 41                    | 4     | first page of the chain; 0 = none       |
 * | 45                    |       | first piece of the ciphertext           |
 *
 * @module
 */
import { type Bytes, encodeUtf8, viewOf } from "../bytes.ts";
import { NONCE_SIZE, OVERHEAD } from "../crypto/aes_gcm.ts";
import { RedDbCorruptError, RedDbLegacyError, RedDbUnsupportedError } from "./errors.ts";
import { SALT_SIZE } from "./credential.ts";
import { FIRST_FREE_PAGE, hasMagic, PAGE_HEADER_SIZE, PAGE_TYPE, VAULT_PAGE, writePageHeader } from "./page.ts";
import type { PageFile } from "./page_file.ts";

const MAGIC = encodeUtf8("RDVT");
const VERSION = 2;
const LEGACY_VERSION = 1;
const VERSION_OFFSET = PAGE_HEADER_SIZE + 4;
const SALT_OFFSET = PAGE_HEADER_SIZE + 5;
const LENGTH_OFFSET = PAGE_HEADER_SIZE + 21;
const NONCE_OFFSET = PAGE_HEADER_SIZE + 25;
const COUNT_OFFSET = PAGE_HEADER_SIZE + 37;
const FIRST_OFFSET = PAGE_HEADER_SIZE + 41;
const SLICE_OFFSET = PAGE_HEADER_SIZE + 45;
/** Before the piece in a data page: `RDVD` and the next page. */
const DATA_OVERHEAD = PAGE_HEADER_SIZE + 8;

/** What page 2 says. Nothing in it is believed before {@linkcode assertSound}. */
export interface VaultHeader {
  readonly version: number;
  readonly salt: Bytes;
  /** Bytes of nonce, ciphertext and tag. */
  readonly payloadLength: number;
  /** Pages in the chain. */
  readonly chainCount: number;
  /** The first of them, or 0. */
  readonly firstPage: number;
  /** The whole page. */
  readonly page: Bytes;
}

/** Bytes of ciphertext that the header page takes. */
export function headerCapacity(pageSize: number): number {
  return pageSize - SLICE_OFFSET;
}

/** Bytes of ciphertext that a data page takes. */
export function dataCapacity(pageSize: number): number {
  return pageSize - DATA_OVERHEAD;
}

/** Data pages for a payload of nonce, ciphertext and tag. */
export function chainPagesFor(payloadLength: number, pageSize: number): number {
  const rest = payloadLength - NONCE_SIZE - headerCapacity(pageSize);
  return rest <= 0 ? 0 : Math.ceil(rest / dataCapacity(pageSize));
}

/** The header on a page, or null when the page has none. */
export function decodeHeader(page: Bytes): VaultHeader | null {
  if (!hasMagic(page, MAGIC)) return null;
  const view = viewOf(page);
  return {
    version: view.getUint8(VERSION_OFFSET),
    salt: page.slice(SALT_OFFSET, SALT_OFFSET + SALT_SIZE),
    payloadLength: view.getUint32(LENGTH_OFFSET, true),
    chainCount: view.getUint32(COUNT_OFFSET, true),
    firstPage: view.getUint32(FIRST_OFFSET, true),
    page,
  };
}

/** A header page for a sealed payload whose chain begins at a page, or at none when that is 0. */
export function encodeHeader(pageSize: number, salt: Uint8Array, sealed: Uint8Array, firstPage: number): Bytes {
  const page = new Uint8Array(pageSize);
  writePageHeader(page, PAGE_TYPE.vault, VAULT_PAGE);
  page.set(MAGIC, PAGE_HEADER_SIZE);
  page.set(salt, SALT_OFFSET);
  page.set(sealed.subarray(0, NONCE_SIZE), NONCE_OFFSET);
  page.set(sealed.subarray(NONCE_SIZE, NONCE_SIZE + headerCapacity(pageSize)), SLICE_OFFSET);
  const view = viewOf(page);
  view.setUint8(VERSION_OFFSET, VERSION);
  view.setUint32(LENGTH_OFFSET, sealed.length, true);
  view.setUint32(COUNT_OFFSET, chainPagesFor(sealed.length, pageSize), true);
  view.setUint32(FIRST_OFFSET, firstPage, true);
  return page;
}

/** Copies the nonce and the piece that are on the header page to the start of the sealed payload. */
export function copyHeaderSlice({ page }: VaultHeader, sealed: Uint8Array): void {
  sealed.set(page.subarray(NONCE_OFFSET, NONCE_OFFSET + NONCE_SIZE));
  const length = Math.min(sealed.length - NONCE_SIZE, headerCapacity(page.length));
  sealed.set(page.subarray(SLICE_OFFSET, SLICE_OFFSET + length), NONCE_SIZE);
}

/** Whether the version is one that is read here. */
export function isCurrent({ version }: VaultHeader): boolean {
  return version === VERSION;
}

/** @throws {RedDbLegacyError} for version 1 @throws {RedDbUnsupportedError} for any other but 2 */
export function assertVersion({ version }: VaultHeader): void {
  if (version === LEGACY_VERSION) throw new RedDbLegacyError();
  if (version !== VERSION) throw new RedDbUnsupportedError(version);
}

/**
 * Holds every number of a header against the file, before anything is allocated or followed.
 *
 * @throws {RedDbCorruptError}
 */
export function assertSound({ payloadLength, chainCount, firstPage }: VaultHeader, file: PageFile): void {
  const damaged = (what: string) => new RedDbCorruptError(what, { page: VAULT_PAGE });
  // What is not there reads as zeros; a short payload might fit before the cut, and be lost when the page is completed.
  if (!file.has(VAULT_PAGE)) throw damaged("the page of the vault is cut short");
  if (payloadLength < OVERHEAD) throw damaged("the payload is shorter than its nonce and tag");
  if (payloadLength > file.fileSize) throw damaged("the payload is longer than the file");
  if (chainCount !== chainPagesFor(payloadLength, file.pageSize)) {
    throw damaged("the number of pages in the chain does not fit the length of the payload");
  }
  if ((firstPage === 0) !== (chainCount === 0)) throw damaged("the first page of the chain is missing, or none is due");
  if (firstPage !== 0 && (firstPage < FIRST_FREE_PAGE || !file.has(firstPage))) {
    throw damaged("the chain begins outside of the file");
  }
}
