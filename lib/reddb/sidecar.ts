/**
 * The note beside a RedDB file that tells what its header page was and shall be, while it is being rewritten.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";

/** Where the note is kept. */
export interface Sidecar {
  /** The note, or null when there is none. Whether it is whole is for the caller to find out. */
  read(): Promise<Bytes | null>;
  /** Writes the note in the place of any other, and returns when it would survive a loss of power. */
  write(note: Uint8Array): Promise<void>;
  /** Removes the note, if there is one. */
  remove(): Promise<void>;
}
