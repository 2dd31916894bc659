/**
 * Advisory locks: waiting for one without blocking a thread, and holding one for as long as some work takes.
 *
 * @module
 */
import { BusyError } from "../errors.ts";
import { logger } from "../log.ts";
import type { Lock, LockMode, LockOptions } from "./disk.ts";

/** How long to wait for a lock when nothing is said, in milliseconds. */
export const DEFAULT_TIMEOUT = 30_000;
/** First and longest pause between two tries, in milliseconds. */
const FIRST_PAUSE = 0.5;
const LONGEST_PAUSE = 25;
/** Who has waited for so many milliseconds looks as often again as at first: the lock may be free for moments only. */
const PATIENCE = 300;
/** A pause that ends so many milliseconds late tells of more processes than processors; then so many longest pauses follow. */
const LATE = 5;
const EASED = 40;
/** A handle that takes the lock again within so many milliseconds, for so many on end, makes a break of so many. */
const AT_ONCE = 5;
const STREAK = 1000;
const BREAK = 6;

/**
 * Tries until the lock is had. Pauses are random in length, so that many who wait do not try in step; blocking calls
 * would each hold one of the runtime's few threads.
 *
 * @throws {BusyError} when the time-out passes; when the signal ends the wait, its reason is thrown
 */
export async function acquire(what: string, tryOnce: () => boolean, options: LockOptions = {}): Promise<void> {
  const { timeout = DEFAULT_TIMEOUT, signal } = options;
  signal?.throwIfAborted();
  const start = performance.now();
  const pauses = new Pauses();
  let tries = 1;
  for (let late = 0; !tryOnce(); tries++) {
    const asked = performance.now();
    const left = timeout - (asked - start);
    if (left <= 0) throw new BusyError(`The vault "${what}" is still locked by another`, timeout);
    const pause = Math.min(left, pauses.next(asked - start, late) * (0.5 + Math.random()));
    await delay(pause, signal);
    late = performance.now() - asked - pause;
  }
  if (tries === 1) return;
  const milliseconds = Math.round(performance.now() - start);
  logger("storage", "debug")?.("Waited {milliseconds} ms for the lock of {path}", { path: what, milliseconds, tries });
}

/**
 * How long to wait from one look at a lock to the next. Pauses grow at first; after a while they are short, to see what is
 * free for moments only. Where more processes wait than the processors can serve, short pauses would keep them from the
 * one that holds the lock: 150 commands at once took four times as long as one after another.
 */
export class Pauses {
  #growing = FIRST_PAUSE;
  #eased = 0;

  /** The next pause, in milliseconds: after waiting for so many, when the last pause took so many longer than asked. */
  next(waited: number, late: number): number {
    const growing = this.#growing;
    this.#growing = Math.min(growing * 2, LONGEST_PAUSE);
    this.#eased = late > LATE ? EASED : Math.max(0, this.#eased - 1);
    return waited <= PATIENCE || this.#eased > 0 ? growing : 2 * FIRST_PAUSE;
  }
}

/**
 * Sees to it that others get a lock too. Who commits in a loop leaves it free for microseconds between two syncs, which
 * others that look now and then do not see: without a break they would wait in vain.
 */
export class Courtesy {
  #since = 0;
  #released = -Infinity;

  /** Whether it is time for a break. */
  get isDue(): boolean {
    const now = performance.now();
    if (now - this.#released > AT_ONCE) this.#since = now;
    return now - this.#since >= STREAK;
  }

  /** Leaves the lock alone for longer than those who have waited take from one look to the next. */
  async pause(signal: AbortSignal | undefined): Promise<void> {
    await delay(BREAK, signal);
    this.#since = performance.now();
  }

  /** Notes that the lock was given up. */
  released(): void {
    this.#released = performance.now();
  }
}

/** What can be locked: a disk, or a medium. */
export interface Lockable<L extends Lock = Lock> {
  /** Takes the lock, waiting as the options say. */
  lock(mode: LockMode, options?: LockOptions): Promise<L>;
}

/**
 * Does some work under a lock, and gives the lock back however the work ends.
 *
 * @param work is handed the lock, which says more on a disk: whether the file was replaced
 * @returns what the work gives
 * @throws {BusyError} when the lock is not had in time; and what the work throws
 */
export async function withLock<T, L extends Lock>(
  target: Lockable<L>,
  mode: LockMode,
  options: LockOptions,
  work: (lock: L) => T | Promise<T>,
): Promise<T> {
  const lock = await target.lock(mode, options);
  let result: T;
  try {
    result = await work(lock);
  } catch (error) {
    try {
      lock.release();
    } catch { /* What failed first is what the caller must know; closing the file gives up the lock. */ }
    throw error;
  }
  lock.release();
  return result;
}

async function delay(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const wake = () => resolve();
  signal?.addEventListener("abort", wake);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", wake);
  }
  signal?.throwIfAborted();
}

/** A release that does its work the first time only: by the second, the lock may be somebody else's. */
export function once(release: () => void): () => void {
  let released = false;
  return () => {
    if (released) return;
    released = true;
    release();
  };
}
