/**
 * Slowing down those who guess: what must be asked before a key is derived, and told afterwards.
 *
 * A try is let through when no wait is left, and counted when it fails. Tries that run side by side are judged once more
 * at their end: when others have failed meanwhile so often that there is a wait now, a try is answered by that, right or
 * wrong. Else a thousand guesses begun at once would all be answered.
 *
 * @module
 */
import { type Bytes, equalBytes } from "./bytes.ts";
import { CofferError, TooManyAttemptsError, UnsupportedVersionError, type WrongCredentialError } from "./errors.ts";
import {
  type AttemptsRecord,
  countFailure,
  countLogged,
  countSuccess,
  decodeAttempts,
  encodeAttempts,
  noAttempts,
  retryAfter,
  settleAttempts,
} from "./sealed/attempts.ts";
import type { LockOptions } from "./storage/disk.ts";
import { isWriteRefusal } from "./storage/system_errors.ts";

/** Where a record is kept. */
export interface AttemptsStore {
  /** Where it is, for messages. */
  readonly path: string;
  /** The record's bytes, or undefined when there are none. */
  read(options?: LockOptions): Promise<Bytes | undefined>;
  /** Changes them while nobody else does; undefined from `change` leaves them as they are. */
  update(
    change: (bytes: Bytes | undefined) => Promise<Bytes | undefined>,
    options?: LockOptions,
  ): Promise<void>;
}

/** Failed tries to open a vault, as its file says. */
export interface AttemptsStatus {
  /** Failures since the last success. A damaged record counts as ten. */
  readonly failures: number;
  /** How long the next try has to wait, in milliseconds; 0 when it may be made. */
  readonly retryAfter: number;
}

/** The tries to open one vault. */
export class Attempts {
  readonly #store: AttemptsStore;
  readonly #vaultId: Uint8Array;
  readonly #now: () => number;

  /** The tries to open the vault of an id, as a store keeps them; `now` gives milliseconds since 1970. */
  constructor(store: AttemptsStore, vaultId: Uint8Array, now: () => number = Date.now) {
    this.#store = store;
    this.#vaultId = vaultId;
    this.#now = now;
  }

  /**
   * What the record says now. Nothing is changed.
   *
   * @throws {UnsupportedVersionError} @throws {PermissionDeniedError} @throws {MissingPermissionError}
   * @throws {InputOutputError} @throws {BusyError}
   */
  async status(options: LockOptions = {}): Promise<AttemptsStatus> {
    const now = this.#now();
    const record = await this.#settled(await this.#store.read(options), now);
    return { failures: record.failures, retryAfter: retryAfter(record, now) };
  }

  /**
   * Returns when a try may be made. To be called before any key is derived.
   *
   * @throws {TooManyAttemptsError} when there is a wait
   * @throws {UnsupportedVersionError} @throws {PermissionDeniedError} @throws {MissingPermissionError}
   * @throws {InputOutputError} @throws {BusyError} when the record cannot be read: then nothing is let through
   */
  async assertMayTry(options: LockOptions = {}): Promise<void> {
    const now = this.#now();
    const found = await this.#store.read(options);
    const record = await this.#settled(found, now);
    const wait = retryAfter(record, now);
    if (wait === 0) return;
    // A wait that counts from now must be written down, or it would never pass.
    if (found !== undefined && !equalBytes(found, await encodeAttempts(record))) await this.#settle(wait, options);
    throw new TooManyAttemptsError(wait);
  }

  /**
   * Counts a try that failed, and gives the error to answer with. A count that could not be written is the cause of that
   * error: who may not write can also copy the vault and guess elsewhere, so there is nothing to protect by refusing.
   */
  async failed(error: WrongCredentialError): Promise<CofferError> {
    let before = 0;
    let after = 0;
    try {
      // No option shortens the wait for the lock: a time-out or a signal would be a way not to be counted.
      await this.#store.update(async (bytes) => {
        const now = this.#now();
        const record = await this.#settled(bytes, now);
        const counted = countFailure(record, now);
        before = retryAfter(record, now);
        after = retryAfter(counted, now);
        return await encodeAttempts(counted);
      });
    } catch (cause) {
      if (!(cause instanceof CofferError)) throw cause;
      error.cause ??= cause;
    }
    return before > 0 ? new TooManyAttemptsError(after) : error;
  }

  /**
   * Resets the count after a try that succeeded; writes only when there is something to reset.
   *
   * A process that may not write leaves the count as it is, which costs nobody but the next who fails.
   *
   * @returns how many failures the audit log does not tell of yet
   * @throws {TooManyAttemptsError} when others have failed meanwhile so often that this try comes too early
   * @throws {InputOutputError} @throws {BusyError} and what else reading the record throws
   */
  async succeeded(options: LockOptions = {}): Promise<number> {
    const found = await this.#store.read(options);
    const record = await this.#checked(found);
    if (record.failures === 0) return record.unlogged;
    try {
      await this.#store.update(async (bytes) => {
        const current = await this.#checked(bytes);
        return bytes === undefined ? undefined : await encodeAttempts(countSuccess(current));
      }, options);
    } catch (error) {
      if (!isWriteRefusal(error)) throw error;
    }
    return record.unlogged;
  }

  /**
   * Notes that the audit log tells of so many failures. To be called once that entry is durable: a crash in between
   * makes the log tell of them twice, not never.
   *
   * @throws {PermissionDeniedError} @throws {InputOutputError} @throws {BusyError} and their kin
   */
  async logged(failures: number, options: LockOptions = {}): Promise<void> {
    await this.#store.update(async (bytes) => {
      if (bytes === undefined) return undefined;
      return await encodeAttempts(countLogged(await this.#settled(bytes, this.#now()), failures));
    }, options);
  }

  /** What counts, given the bytes that were found. */
  async #settled(bytes: Bytes | undefined, now: number): Promise<AttemptsRecord> {
    if (bytes === undefined) return noAttempts(this.#vaultId);
    const decoded = await decodeAttempts(bytes);
    if (decoded.status === "version") throw new UnsupportedVersionError(this.#store.path, decoded.version);
    return settleAttempts(decoded.status === "valid" ? decoded.record : undefined, this.#vaultId, now);
  }

  async #checked(bytes: Bytes | undefined): Promise<AttemptsRecord> {
    const now = this.#now();
    const record = await this.#settled(bytes, now);
    const wait = retryAfter(record, now);
    if (wait > 0) throw new TooManyAttemptsError(wait);
    return record;
  }

  async #settle(wait: number, options: LockOptions): Promise<void> {
    try {
      await this.#store.update(async (bytes) => {
        return bytes === undefined ? undefined : await encodeAttempts(await this.#settled(bytes, this.#now()));
      }, options);
    } catch (cause) {
      if (!isWriteRefusal(cause)) throw cause;
      throw new TooManyAttemptsError(wait, {
        cause,
        hint: `Let this process write to "${this.#store.path}", or remove it; until then the wait does not pass`,
      });
    }
  }
}
