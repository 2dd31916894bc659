/**
 * The smallest file that a vault can live on.
 *
 * A Disk is a flat run of bytes with a sync and advisory locks. The file medium builds atomic commits on it; everything
 * about pages, metas and recovery is above this line, so that a faulty Disk can stand in for a failing machine.
 *
 * @module
 */

/** How a lock is shared: any number of `shared` holders, or one `exclusive`. */
export type LockMode = "shared" | "exclusive";

/** How long to wait for a lock. */
export interface LockOptions {
  /** Milliseconds after which to give up with `BusyError`. @default {30000} */
  readonly timeout?: number;
  /** Ends the wait early; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** A lock that is held until released. Releasing twice does nothing. */
export interface Lock {
  /** Gives the lock back. */
  release(): void;
}

/** A random-access file with a sync. Methods throw the classes of `lib/errors.ts`, never the system's own. */
export interface Disk {
  /** Where the bytes are, for messages. */
  readonly path: string;
  /** Whether writes are refused. `writeAt` then throws why. */
  readonly readOnly: boolean;
  /**
   * Fills `target` from `offset`, and returns how many bytes there were before the end of the file.
   * The offset counts bytes from the start of the file.
   */
  readAt(target: Uint8Array, offset: number): Promise<number>;
  /** Writes all of `data` at `offset`. The caller's buffer may be reused once the promise resolves. */
  writeAt(data: Uint8Array, offset: number): Promise<void>;
  /** Returns when every earlier write and size change would survive a loss of power. */
  sync(): Promise<void>;
  /** Size in bytes. */
  size(): Promise<number>;
  /** Sets the size in bytes; new bytes are zero. */
  truncate(size: number): Promise<void>;
  /**
   * Takes the advisory lock, waiting as the options say. If the file at `path` was replaced since it was opened, the
   * new one is opened, and `replaced` in the result is true: nothing read before still counts.
   *
   * @throws {BusyError} when the lock is not had in time
   */
  lock(mode: LockMode, options?: LockOptions): Promise<Lock & { readonly replaced: boolean }>;
  /** Closes the file and gives up its locks. */
  close(): void;
}
