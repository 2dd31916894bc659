/**
 * HMAC-SHA256 (RFC 2104, FIPS 180-4).
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";

/** Size of a tag, in bytes. */
export const HMAC_SIZE = 32;

/** Imports raw bytes as a key that can sign and verify and can not be read back. */
export async function importHmacKey(raw: Bytes): Promise<CryptoKey> {
  return await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

/** Computes the tag of a message. */
export async function hmac(key: CryptoKey, message: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message as Bytes));
}

/** Whether the tag belongs to the message; the platform compares in constant time. */
export async function verifyHmac(key: CryptoKey, message: Uint8Array, tag: Uint8Array): Promise<boolean> {
  return await crypto.subtle.verify("HMAC", key, tag as Bytes, message as Bytes);
}
