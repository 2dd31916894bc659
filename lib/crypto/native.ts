/**
 * The runtime's own synchronous crypto, where it has one.
 *
 * A Web Crypto call costs two changes of thread whatever its size, several times the work on a page. `node:crypto` does
 * small work at once, but takes milliseconds to load: it is for those who do much, not for a program that reads one
 * secret and ends. Where there is none (a browser), the web calls do everything, with the same bytes.
 *
 * @module
 */
import type * as NodeCrypto from "node:crypto";
import type { Bytes } from "../bytes.ts";

/** A key as the runtime's synchronous crypto holds it. */
export interface NativeKey {
  /** The module that works with it. */
  readonly crypto: typeof NodeCrypto;
  /** The key. */
  readonly key: NodeCrypto.KeyObject;
}

/**
 * A module that is part of the runtime, or undefined where there is none of that name. Asked for at run time, so that
 * what uses it loads anywhere.
 */
export function builtinModule<T>(name: string): T | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => T | undefined } };
  return process?.getBuiltinModule?.(name);
}

/** Loads `node:crypto`, or gives undefined. */
export function loadNative(): typeof NodeCrypto | undefined {
  return builtinModule<typeof NodeCrypto>("node:crypto");
}

/** Imports raw bytes as a key for synchronous work, where there is any. */
export function importNativeKey(raw: Bytes): NativeKey | undefined {
  const crypto = loadNative();
  return crypto === undefined ? undefined : { crypto, key: crypto.createSecretKey(raw) };
}
