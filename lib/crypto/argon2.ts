/**
 * Argon2id version 0x13 (RFC 9106), from the runtime where it has one and from `hash-wasm` elsewhere.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";

/** What one derivation costs. */
export interface Argon2Parameters {
  /** Memory in KiB. */
  readonly memory: number;
  /** Passes over that memory. */
  readonly passes: number;
  /** Lanes; the runtime works them off one after another. */
  readonly lanes: number;
}

/** Size of the result unless another is asked for, in bytes. */
export const ARGON2_SIZE = 32;

/**
 * Derives bytes, 32 unless told otherwise, from a password. The caller has put bounds on the parameters: this is where
 * memory is spent.
 */
export async function argon2id(
  password: Bytes,
  salt: Bytes,
  parameters: Argon2Parameters,
  size = ARGON2_SIZE,
): Promise<Bytes> {
  return await argon2idNative(password, salt, parameters, size) ??
    await argon2idPortable(password, salt, parameters, size);
}

/** Derives with the runtime's own Argon2id, or gives null where there is none. */
export async function argon2idNative(
  password: Bytes,
  salt: Bytes,
  parameters: Argon2Parameters,
  size = ARGON2_SIZE,
): Promise<Bytes | null> {
  let key: CryptoKey;
  try {
    // The names are of the Web Crypto "Modern Algorithms" draft, which the type library does not know yet.
    key = await crypto.subtle.importKey("raw-secret" as "raw", password, "Argon2id", false, ["deriveBits"]);
  } catch (error) {
    // These two are how runtimes without it answer: an unknown key format, an unknown algorithm.
    if (error instanceof TypeError) return null;
    if (error instanceof DOMException && error.name === "NotSupportedError") return null;
    throw error;
  }
  const algorithm = {
    name: "Argon2id",
    nonce: salt,
    memory: parameters.memory,
    passes: parameters.passes,
    parallelism: parameters.lanes,
  };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, size * 8));
}

/** Derives in WebAssembly. Loading the module takes tens of milliseconds, so it is loaded on first use only. */
export async function argon2idPortable(
  password: Bytes,
  salt: Bytes,
  parameters: Argon2Parameters,
  size = ARGON2_SIZE,
): Promise<Bytes> {
  const { argon2id } = await import("hash-wasm");
  return Uint8Array.from(
    await argon2id({
      password,
      salt,
      memorySize: parameters.memory,
      iterations: parameters.passes,
      parallelism: parameters.lanes,
      hashLength: size,
      outputType: "binary",
    }),
  );
}
