/**
 * AES-256-GCM with random nonces (NIST SP 800-38D).
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { randomBytes } from "./random.ts";

/** Size of a key, in bytes. */
export const KEY_SIZE = 32;
/** Size of a nonce, in bytes: the one size GCM uses without hashing it first. */
export const NONCE_SIZE = 12;
/** Size of the authentication tag, in bytes. */
export const TAG_SIZE = 16;
/** What sealing adds to a plaintext, in bytes. */
export const OVERHEAD = NONCE_SIZE + TAG_SIZE;

/** Imports 32 raw bytes as a key that can seal and open and can not be read back. */
export async function importAesKey(raw: Bytes): Promise<CryptoKey> {
  return await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/**
 * Seals a plaintext: nonce, ciphertext, tag.
 *
 * The nonce is always drawn here, never taken from a caller, so no mistake above can repeat one. With random 96-bit
 * nonces one key may seal 2^32 times before a repetition becomes likelier than 2^-32; the caller counts.
 */
export async function seal(key: CryptoKey, plaintext: Uint8Array, aad: Uint8Array): Promise<Bytes> {
  const nonce = randomBytes(NONCE_SIZE);
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: aad as Bytes },
    key,
    plaintext as Bytes,
  );
  const result = new Uint8Array(NONCE_SIZE + sealed.byteLength);
  result.set(nonce);
  result.set(new Uint8Array(sealed), NONCE_SIZE);
  return result;
}

/**
 * Opens what {@linkcode seal} made, or gives null when the key, the bytes or the additional data are not the ones it
 * was sealed with; which of them it was cannot be told.
 */
export async function open(key: CryptoKey, sealed: Uint8Array, aad: Uint8Array): Promise<Bytes | null> {
  if (sealed.length < OVERHEAD) return null;
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt(
        { name: "AES-GCM", iv: sealed.subarray(0, NONCE_SIZE) as Bytes, additionalData: aad as Bytes },
        key,
        sealed.subarray(NONCE_SIZE) as Bytes,
      ),
    );
  } catch (error) {
    // OperationError is how Web Crypto says that the tag does not fit; anything else is not ours to swallow.
    if (error instanceof DOMException && error.name === "OperationError") return null;
    throw error;
  }
}
