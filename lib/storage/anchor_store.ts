/**
 * Where an anchor is kept: a few bytes outside the vault.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";

/** Where an anchor is kept. Its calls are made under the vault's lock. */
export interface AnchorStore {
  /** Where it is, for messages. */
  readonly name: string;
  /** The bytes as they are, at most a few more than the size of an anchor; null when there are none. */
  read(): Bytes | null;
  /** Fails, with the reason, where writing would. */
  assertWritable(): void;
  /**
   * Writes some bytes in place. They need not be durable, since an anchor that is behind is moved up, unless `durable` says
   * so: before the vault gets another key, because an anchor that is two keys behind could not be told from damage.
   */
  write(bytes: Bytes, offset: number, durable?: boolean): void;
  /** Puts a whole new anchor at the place, durably. */
  replace(bytes: Bytes): void;
  /** Takes it away: the anchor is kept elsewhere from now on. */
  remove(): void;
  /** Lets go of what is held from one call to the next, before the vault's lock is given up. */
  release(): void;
}
