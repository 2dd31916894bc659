/**
 * HMAC-SHA256 (RFC 2104, FIPS 180-4).
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { constantTimeEqual } from "./constant_time.ts";
import { native, type NativeKey } from "./native.ts";

/** Size of a tag, in bytes. */
export const HMAC_SIZE = 32;

/** A key that can sign and verify; held by the runtime's synchronous crypto where it has one. */
export type HmacKey = { readonly native: NativeKey } | { readonly web: CryptoKey };

/** Imports raw bytes as a key. */
export async function importHmacKey(raw: Bytes): Promise<HmacKey> {
  if (native !== undefined) return { native: native.createSecretKey(raw) };
  return { web: await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]) };
}

/** Computes the tag of a message. */
export async function hmac(key: HmacKey, message: Uint8Array): Promise<Bytes> {
  if ("native" in key) return new Uint8Array(native!.createHmac("sha256", key.native).update(message).digest());
  return new Uint8Array(await crypto.subtle.sign("HMAC", key.web, message as Bytes));
}

/** Whether the tag belongs to the message. */
export async function verifyHmac(key: HmacKey, message: Uint8Array, tag: Uint8Array): Promise<boolean> {
  return constantTimeEqual(await hmac(key, message), tag);
}
