/**
 * Where an anchor is kept: a few bytes outside the vault.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";

/**
 * The anchor of a vault that is about to be made: it is durable before the vault is there, at a place where nothing but that
 * vault looks for it, and gets the anchor's own place once the vault is.
 */
export interface WaitingAnchor extends Pick<AnchorStore, "read" | "replace" | "remove" | "release"> {
  /** Gives it the anchor's own place, which must be free. */
  settle(): void;
}

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
  /** Lets go of what is held from one call to the next. */
  release(): void;
  /**
   * Called before the vault's lock is given up, when the vault stays open. What is held may be kept by a store that finds
   * out, at the next call, whether something else has come to its place. Without this, {@linkcode release} is called.
   */
  pause?(): void;
  /**
   * The place where the anchor of a vault waits until that vault is there. Without it a crash at the wrong moment of making
   * or restoring a vault leaves one whose anchor is missing.
   *
   * @param vaultId 16 bytes
   */
  waiting?(vaultId: Bytes): WaitingAnchor;
}
