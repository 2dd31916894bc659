/**
 * Random bytes from the platform's generator.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";

/** The platform hands out at most so many bytes a call. */
const LARGEST_REQUEST = 65536;

/** Draws fresh random bytes that are fit for keys, nonces and salts. */
export function randomBytes(length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += LARGEST_REQUEST) {
    crypto.getRandomValues(bytes.subarray(offset, offset + LARGEST_REQUEST));
  }
  return bytes;
}

/**
 * Overwrites secret bytes with zeros.
 *
 * It shortens the time a secret stays in memory. It cannot promise more: the runtime may have moved or copied the
 * bytes, and text can not be overwritten at all.
 */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}
