/**
 * AES-256-GCM with random nonces (NIST SP 800-38D).
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { importNativeKey, type NativeKey } from "./native.ts";
import { randomBytes } from "./random.ts";

/** Size of a key, in bytes. */
export const KEY_SIZE = 32;
/** Size of a nonce, in bytes: the one size GCM uses without hashing it first. */
export const NONCE_SIZE = 12;
/** Size of the authentication tag, in bytes. */
export const TAG_SIZE = 16;
/** What sealing adds to a plaintext, in bytes. */
export const OVERHEAD = NONCE_SIZE + TAG_SIZE;

/** Up to this many bytes the runtime's synchronous cipher is quicker than a change of threads. */
const SMALL = 8 * 1024;

/** A key that can seal and open. */
export interface AesKey {
  /** Not extractable. */
  readonly web: CryptoKey;
  /** The same key for small work, where the runtime has synchronous crypto and the key is used often. */
  readonly native: NativeKey | undefined;
}

/**
 * Imports 32 raw bytes.
 *
 * @param often whether the key will seal many small things: it is then held by the runtime's synchronous crypto too
 */
export async function importAesKey(raw: Bytes, often = false): Promise<AesKey> {
  const web = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
  return { web, native: often ? importNativeKey(raw) : undefined };
}

/**
 * Seals a plaintext: nonce, ciphertext, tag.
 *
 * The nonce is always drawn here, never taken from a caller, so no mistake above can repeat one. With random 96-bit
 * nonces one key may seal 2^32 times before a repetition becomes likelier than 2^-32; the caller counts.
 */
export async function seal(key: AesKey, plaintext: Uint8Array, aad: Uint8Array): Promise<Bytes> {
  const result = new Uint8Array(plaintext.length + OVERHEAD);
  await sealInto(result, key, plaintext, aad);
  return result;
}

/** Seals a plaintext as {@linkcode seal} does, into bytes that are {@linkcode OVERHEAD} longer. */
export async function sealInto(
  result: Uint8Array,
  key: AesKey,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Promise<void> {
  if (result.length !== plaintext.length + OVERHEAD) throw new RangeError("What is sealed does not fit its place");
  const nonce = randomBytes(NONCE_SIZE);
  result.set(nonce);
  if (key.native !== undefined && plaintext.length <= SMALL) {
    const cipher = key.native.crypto.createCipheriv("aes-256-gcm", key.native.key, nonce).setAAD(aad);
    result.set(cipher.update(plaintext), NONCE_SIZE);
    cipher.final();
    result.set(cipher.getAuthTag(), result.length - TAG_SIZE);
    return;
  }
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: aad as Bytes };
  result.set(new Uint8Array(await crypto.subtle.encrypt(algorithm, key.web, plaintext as Bytes)), NONCE_SIZE);
}

/**
 * Opens what {@linkcode seal} made, or gives null when the key, the bytes or the additional data are not the ones it
 * was sealed with; which of them it was cannot be told.
 */
export async function open(key: AesKey, sealed: Uint8Array, aad: Uint8Array): Promise<Bytes | null> {
  if (sealed.length < OVERHEAD) return null;
  if (key.native !== undefined && sealed.length <= SMALL) return openNative(key.native, sealed, aad);
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt(
        { name: "AES-GCM", iv: sealed.subarray(0, NONCE_SIZE) as Bytes, additionalData: aad as Bytes },
        key.web,
        sealed.subarray(NONCE_SIZE) as Bytes,
      ),
    );
  } catch (error) {
    // OperationError is how Web Crypto says that the tag does not fit; anything else is not ours to swallow.
    if (error instanceof DOMException && error.name === "OperationError") return null;
    throw error;
  }
}

function openNative({ crypto, key }: NativeKey, sealed: Uint8Array, aad: Uint8Array): Bytes | null {
  const decipher = crypto.createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_SIZE), {
    authTagLength: TAG_SIZE,
  });
  decipher.setAAD(aad).setAuthTag(sealed.subarray(-TAG_SIZE));
  // Nothing of this plaintext leaves the function before the tag was compared.
  const plaintext = new Uint8Array(decipher.update(sealed.subarray(NONCE_SIZE, -TAG_SIZE)));
  try {
    decipher.final();
  } catch {
    return null;
  }
  return plaintext;
}
