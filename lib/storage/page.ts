/**
 * The segment page as bytes (`docs/format.md`, section 3).
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
import { PAGE_SIZE, PAYLOAD_SIZE } from "./meta_page.ts";

/** `CFPG`, read as a little-endian number. */
const MAGIC = 0x47504643;
const PAYLOAD_OFFSET = 12;
const CHECKSUM_OFFSET = PAYLOAD_OFFSET + PAYLOAD_SIZE;

/** Writes one page into zeroed bytes. */
export function encodePage(target: Uint8Array, next: number, index: number, payload: Uint8Array): void {
  const view = viewOf(target);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, next, true);
  view.setUint32(8, index, true);
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
  const view = viewOf(bytes);
  if (bytes.length !== PAGE_SIZE) throw new CorruptVaultError("a page is cut short", { page: number });
  if (view.getUint32(0, true) !== MAGIC) {
    throw new CorruptVaultError("a page is not one of a segment", { page: number });
  }
  if (view.getUint32(CHECKSUM_OFFSET, true) !== crc32(bytes.subarray(0, CHECKSUM_OFFSET))) {
    throw new CorruptVaultError("a page's checksum does not fit", { page: number });
  }
  if (view.getUint32(8, true) !== index) throw new CorruptVaultError("a page is out of its place", { page: number });
  if (!isZero(bytes.subarray(PAYLOAD_OFFSET + used, CHECKSUM_OFFSET))) {
    throw new CorruptVaultError("a page holds more than its segment", { page: number });
  }
  return { next: view.getUint32(4, true), payload: bytes.subarray(PAYLOAD_OFFSET, PAYLOAD_OFFSET + used) };
}
