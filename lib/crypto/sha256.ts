/**
 * SHA-256 (FIPS 180-4).
 *
 * @module
 */
import { type Bytes, concat } from "../bytes.ts";
import { loadNative } from "./native.ts";

/** Size of a digest, in bytes. */
export const DIGEST_SIZE = 32;
/** From this many bytes on, and from this many calls on, loading the synchronous crypto pays. */
const LARGE = 4 * 1024 * 1024;
const MANY = 24;

let calls = 0;

/** The digest of the parts, joined. */
export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const native = ++calls > MANY || size >= LARGE ? loadNative() : undefined;
  if (native === undefined) return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
  const hash = native.createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** A digest of pieces that come one after another; kept whole until the end where the runtime can not do better. */
export class Sha256 {
  readonly #hash = loadNative()?.createHash("sha256");
  readonly #parts: Uint8Array[] = [];

  /** Takes the next piece. */
  update(part: Uint8Array): void {
    if (this.#hash === undefined) this.#parts.push(part);
    else this.#hash.update(part);
  }

  /** The digest of all pieces. */
  async digest(): Promise<Bytes> {
    return this.#hash === undefined ? await sha256(...this.#parts) : new Uint8Array(this.#hash.digest());
  }
}
