/**
 * Waiting for an advisory lock without blocking a thread.
 *
 * @module
 */
import { BusyError } from "../errors.ts";
import type { LockOptions } from "./disk.ts";

/** How long to wait when nothing is said, in milliseconds. */
const DEFAULT_TIMEOUT = 30_000;
/** First and longest pause between two tries, in milliseconds. */
const FIRST_PAUSE = 0.5;
const LONGEST_PAUSE = 25;

/**
 * Tries until the lock is had. Pauses grow and are random in length, so that many who wait do not try in step; blocking
 * calls would each hold one of the runtime's few threads.
 *
 * @throws {BusyError} when the time-out passes
 */
export async function acquire(what: string, tryOnce: () => boolean, options: LockOptions = {}): Promise<void> {
  const { timeout = DEFAULT_TIMEOUT, signal } = options;
  signal?.throwIfAborted();
  const start = performance.now();
  for (let pause = FIRST_PAUSE; !tryOnce(); pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    const left = timeout - (performance.now() - start);
    if (left <= 0) throw new BusyError(`The vault "${what}" is still locked by another`, timeout);
    await delay(Math.min(left, pause * (0.5 + Math.random())), signal);
  }
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
