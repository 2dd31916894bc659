/**
 * CRC-32 (IEEE 802.3, as in gzip): finds damage, not intent.
 *
 * The runtime's own is a hundred times as quick, but its module takes longer to load than a small vault takes to open.
 *
 * @module
 */
import { builtinModule } from "../crypto/native.ts";

/** What of `node:zlib` is used; older runtimes lack it. */
interface Zlib {
  readonly crc32?: (bytes: Uint8Array) => number;
}

/** From so many calls on, loading the runtime's own pays. */
const MANY = 128;
const POLYNOMIAL = 0xedb88320;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

let calls = 0;
let native: ((bytes: Uint8Array) => number) | undefined;

/** The checksum of the bytes. */
export function crc32(bytes: Uint8Array): number {
  if (++calls === MANY) native = builtinModule<Zlib>("node:zlib")?.crc32;
  return native?.(bytes) ?? crc32Portable(bytes);
}

/** The checksum, computed here. */
export function crc32Portable(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) value = TABLE[(value ^ bytes[i]!) & 0xff]! ^ (value >>> 8);
  return ~value >>> 0;
}
