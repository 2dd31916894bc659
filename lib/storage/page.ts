/**
 * Pages: their size, and the segment page as bytes (`docs/format.md`, section 3).
 *
 * | offset | size | field                                    |
 * |--------|------|------------------------------------------|
 * | 0      | 4    | magic `CFPG`                             |
 * | 4      | 4    | next page, 0 for the last                |
 * | 8      | 4    | position in its segment, from 0          |
 * | 12     | 4080 | payload, then zeros in the last page     |
 * | 4092   | 4    | CRC-32 of the 4092 bytes before          |
 *
 * @module
 */

import { isZero, viewOf } from "../bytes.ts";
import { CorruptVaultError } from "../errors.ts";
import { crc32 } from "./crc32.ts";

/** Size of a page, in bytes: the unit of file I/O. */
export const PAGE_SIZE = 4096;

/** `CFPG`, read as a little-endian number. */
const MAGIC = 0x47504643;
const MAGIC_OFFSET = 0;
const NEXT_OFFSET = 4;
const INDEX_OFFSET = 8;
const PAYLOAD_OFFSET = 12;
const CHECKSUM_OFFSET = PAGE_SIZE - 4;

/** Payload of one segment page, in bytes. */
export const PAYLOAD_SIZE = CHECKSUM_OFFSET - PAYLOAD_OFFSET;

/** How many pages a segment of so many bytes takes. */
export function pagesFor(length: number): number {
  return Math.ceil(length / PAYLOAD_SIZE);
}

/**
 * Writes one page into zeroed bytes.
 *
 * @throws {RangeError} when the bytes are not a page, or the payload does not fit one
 */
export function encodePage(target: Uint8Array, next: number, index: number, payload: Uint8Array): void {
  if (target.length !== PAGE_SIZE) throw new RangeError(`A page has ${PAGE_SIZE} bytes, got ${target.length}`);
  if (payload.length > PAYLOAD_SIZE) {
    throw new RangeError(`A page holds at most ${PAYLOAD_SIZE} bytes, got ${payload.length}`);
  }
  const view = viewOf(target);
  view.setUint32(MAGIC_OFFSET, MAGIC, true);
  view.setUint32(NEXT_OFFSET, next, true);
  view.setUint32(INDEX_OFFSET, index, true);
  target.set(payload, PAYLOAD_OFFSET);
  view.setUint32(CHECKSUM_OFFSET, crc32(target.subarray(0, CHECKSUM_OFFSET)), true);
}

/**
 * The payload of a page, and the page after it.
 *
 * @param number the page's own number, for the message
 * @param used how many bytes of the payload belong to the segment
 * @throws {CorruptVaultError} that names the page
 */
export function decodePage(
  bytes: Uint8Array,
  number: number,
  index: number,
  used: number,
): { readonly next: number; readonly payload: Uint8Array } {
  if (bytes.length !== PAGE_SIZE) throw new CorruptVaultError("a page is cut short", { page: number });
  const view = viewOf(bytes);
  if (view.getUint32(MAGIC_OFFSET, true) !== MAGIC) {
    throw new CorruptVaultError("a page is not one of a segment", { page: number });
  }
  if (view.getUint32(CHECKSUM_OFFSET, true) !== crc32(bytes.subarray(0, CHECKSUM_OFFSET))) {
    throw new CorruptVaultError("a page's checksum does not fit", { page: number });
  }
  if (view.getUint32(INDEX_OFFSET, true) !== index) {
    throw new CorruptVaultError("a page is out of its place", { page: number });
  }
  if (!isZero(bytes.subarray(PAYLOAD_OFFSET + used, CHECKSUM_OFFSET))) {
    throw new CorruptVaultError("a page holds more than its segment", { page: number });
  }
  return {
    next: view.getUint32(NEXT_OFFSET, true),
    payload: bytes.subarray(PAYLOAD_OFFSET, PAYLOAD_OFFSET + used),
  };
}
