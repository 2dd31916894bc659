/**
 * Atomic, durable commits of opaque bytes.
 *
 * A medium holds one chain of committed versions. Each version is a small `meta` and an ordered list of immutable
 * segments. A medium knows nothing of keys: what it stores is sealed above it and is authenticated there. Nothing of
 * pages or offsets shows through, so that a key-value store with compare-and-swap can be a medium too.
 *
 * @module
 */
import type { Lock, LockMode, LockOptions } from "./disk.ts";

/** Largest meta, in bytes, that every medium can hold. */
export const MAX_META_SIZE = 2688;
/** Most segments that one version may name. */
export const MAX_SEGMENTS = 48;

/** One immutable run of bytes of a committed version. */
export interface StoredSegment {
  /** The version whose commit added it; a commit may add several, their order is the list's. */
  readonly version: number;
  /** Length in bytes, at least 1. */
  readonly length: number;
  /**
   * Reads `length` bytes from `offset`. Valid while the lock under which the segment was listed is held.
   *
   * @throws {CorruptVaultError} when its pages are damaged, with the page
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A committed version. */
export interface Committed {
  /** Counts commits from 1; at most 2^53 - 1. */
  readonly version: number;
  /** The meta's bytes as committed, without padding removed by the medium. */
  readonly meta: Uint8Array<ArrayBuffer>;
  /** The live segments, oldest first. */
  readonly segments: readonly StoredSegment[];
  /** Whether a newer commit was found torn and passed over. */
  readonly recovered: boolean;
  /** SHA-256 of the segments that this version added, joined, where the medium keeps it: it saves copies computing it. */
  readonly addedDigest?: Uint8Array<ArrayBuffer>;
}

/** What one commit publishes. */
export interface Commit {
  /** At most {@linkcode MAX_META_SIZE} bytes. */
  readonly meta: Uint8Array;
  /** New segments, in order; they follow the retained ones. */
  readonly append: readonly Uint8Array[];
  /** Those segments of the base that stay, in their order. The others are dropped. */
  readonly retain: readonly StoredSegment[];
}

/** Counts for people: what a medium takes up. */
export interface MediumUsage {
  /** Bytes in use by the whole medium. */
  readonly total: number;
  /** Bytes that the newest version reaches. */
  readonly live: number;
}

/** Where one vault's committed versions live. */
export interface Medium {
  /** Where it is, for messages. */
  readonly name: string;
  /**
   * Takes the medium's lock. `read` needs a shared or an exclusive one, `commit` the exclusive one. One lock at a time
   * for each medium object: the caller queues its own.
   */
  lock(mode: LockMode, options?: LockOptions): Promise<Lock>;
  /**
   * The newest committed version, or null when it still is the one that an earlier call gave.
   *
   * @param since what an earlier `read` or `commit` of this object gave; another version of the same number is news
   * @throws {CorruptVaultError} and its kin when there is none that can be read
   */
  read(since?: Committed): Promise<Committed | null>;
  /**
   * Publishes the version `base + 1`, atomically and durably.
   *
   * On an error nothing was published as far as this process can tell; after a failed sync the medium takes the commit
   * back, so that nobody builds on bytes that may not be on the disk.
   *
   * @throws {ConflictError} when `base` is not the newest version
   */
  commit(base: number, commit: Commit): Promise<Committed>;
  /** What the medium takes up, as of the last read or commit. */
  usage(): Promise<MediumUsage>;
  /** Closes it. */
  close(): void;
}
