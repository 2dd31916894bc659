/**
 * PBKDF2 with HMAC-SHA256 (RFC 8018, section 5.2).
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";

/** Size of the result, in bytes. */
export const PBKDF2_SIZE = 32;

/** Derives 32 bytes from a password. The caller has put bounds on the iterations: this is where time is spent. */
export async function pbkdf2(password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", password as Bytes, "PBKDF2", false, ["deriveBits"]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt: salt as Bytes, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, PBKDF2_SIZE * 8));
}
