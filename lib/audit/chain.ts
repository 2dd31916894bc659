/**
 * The hash chain of the audit log: each head is the SHA-256 of the one before it and the entry's JSON text.
 *
 * Head and length stand in the authenticated meta, so an entry that was cut off, changed or moved is found; and a head that
 * was once written down elsewhere shows whether the log still goes back to it.
 *
 * @module
 */
import { type Bytes, encodeUtf8 } from "../bytes.ts";
import { builtinModule } from "../crypto/native.ts";
import { sha256 } from "../crypto/sha256.ts";
import type * as NodeCrypto from "node:crypto";

/** Size of a head, in bytes. */
export const HEAD_SIZE = 32;
/** From so many entries on, loading the synchronous hash pays. */
const MANY = 16;

/** Where a log ends. */
export interface LogHead {
  /** How many entries there were, those that were pruned included. */
  readonly length: number;
  /** SHA-256, 32 bytes; zero for an empty log. */
  readonly head: Bytes;
}

/** A log without entries. */
export const EMPTY_LOG: LogHead = { length: 0, head: new Uint8Array(HEAD_SIZE) };

/** The head after some more entries, given as their JSON texts. */
export async function extendLog({ length, head }: LogHead, entries: readonly string[]): Promise<LogHead> {
  const node = entries.length >= MANY ? builtinModule<typeof NodeCrypto>("node:crypto") : undefined;
  let next: Bytes = head;
  for (const json of entries) {
    next = node === undefined
      ? await sha256(next, encodeUtf8(json))
      : new Uint8Array(node.createHash("sha256").update(next).update(json).digest());
  }
  return { length: length + entries.length, head: next };
}
