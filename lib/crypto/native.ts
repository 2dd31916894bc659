/**
 * The runtime's own synchronous crypto, where it has one.
 *
 * A Web Crypto call costs two changes of thread whatever its size, several times the work on a page. `node:crypto` does
 * small work at once. Where there is none (a browser), the web calls do everything, with the same bytes.
 *
 * @module
 */
import type * as NodeCrypto from "node:crypto";

/** A key as `node:crypto` holds it. */
export type NativeKey = NodeCrypto.KeyObject;

/** `node:crypto`, or undefined. Asked for at run time, so that this module loads anywhere. */
export const native: typeof NodeCrypto | undefined = (globalThis as {
  process?: { getBuiltinModule?: (name: string) => typeof NodeCrypto | undefined };
}).process?.getBuiltinModule?.("node:crypto");
