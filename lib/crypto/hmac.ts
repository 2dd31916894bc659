/**
 * HMAC-SHA256 (RFC 2104, FIPS 180-4).
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { constantTimeEqual } from "./constant_time.ts";
import { importNativeKey, type NativeKey } from "./native.ts";

/** Size of a tag, in bytes. */
export const HMAC_SIZE = 32;

/** A key that can sign and verify. */
export interface HmacKey {
  /** Not extractable. */
  readonly web: CryptoKey;
  /** The same key, where the runtime has synchronous crypto and the key is used often. */
  readonly native: NativeKey | undefined;
}

/**
 * Imports raw bytes as a key.
 *
 * @param often whether it will be used often: it is then held by the runtime's synchronous crypto too
 */
export async function importHmacKey(raw: Bytes, often = false): Promise<HmacKey> {
  const web = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return { web, native: often ? importNativeKey(raw) : undefined };
}

/** Computes the tag of a message. */
export async function hmac({ web, native }: HmacKey, message: Uint8Array): Promise<Bytes> {
  if (native !== undefined) {
    return new Uint8Array(native.crypto.createHmac("sha256", native.key).update(message).digest());
  }
  return new Uint8Array(await crypto.subtle.sign("HMAC", web, message as Bytes));
}

/** Whether the tag belongs to the message. */
export async function verifyHmac(key: HmacKey, message: Uint8Array, tag: Uint8Array): Promise<boolean> {
  return constantTimeEqual(await hmac(key, message), tag);
}
