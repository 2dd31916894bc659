/**
 * Bytes to text and back, and little-endian numbers.
 *
 * @module
 */

/** A byte array over its own, unshared buffer: what Web Crypto and files take. */
export type Bytes = Uint8Array<ArrayBuffer>;

const ENCODER = new TextEncoder();
const STRICT_DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Encodes text as UTF-8. A lone surrogate becomes U+FFFD; refuse such text first where bytes must come back as text. */
export function encodeUtf8(text: string): Bytes {
  return ENCODER.encode(text);
}

/**
 * Decodes UTF-8, a byte order mark included as it is.
 *
 * @throws {TypeError} when the bytes are not valid UTF-8
 */
export function decodeUtf8(bytes: Uint8Array): string {
  return STRICT_DECODER.decode(bytes);
}

/** Encodes bytes as lower-case hex. */
export function encodeHex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/**
 * Decodes hex of either case.
 *
 * @throws {SyntaxError} when the length is odd or a character is no hex digit
 */
export function decodeHex(text: string): Bytes {
  return Uint8Array.fromHex(text);
}

/** Encodes bytes as standard base64 with padding (RFC 4648, section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

/**
 * Decodes standard base64 with padding, strictly: no white space, no missing padding, no stray bits.
 *
 * @throws {SyntaxError} when the text is anything else
 */
export function decodeBase64(text: string): Bytes {
  // The platform's decoder skips white space, which would let two texts stand for the same bytes.
  if (/[\t\n\f\r ]/.test(text)) throw new SyntaxError("Base64 text holds white space");
  return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
}

/** Joins byte arrays into a new one. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Whether two byte arrays are equal. Takes less time the earlier they differ: not for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/** Whether every byte is zero. */
export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) return false;
  }
  return true;
}

/** A view on the same memory, for reading and writing numbers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads an unsigned 64-bit number, or undefined when it is above 2^53 - 1. */
export function readU64(view: DataView, offset: number): number | undefined {
  const value = view.getBigUint64(offset, true);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}

/**
 * Writes a whole number from 0 to 2^53 - 1 as an unsigned 64-bit number.
 *
 * @throws {RangeError} when it is not one
 */
export function writeU64(view: DataView, offset: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`A 64-bit field takes 0 to 2^53 - 1, got ${value}`);
  }
  view.setBigUint64(offset, BigInt(value), true);
}
