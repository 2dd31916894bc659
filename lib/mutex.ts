/**
 * Taking turns within one process.
 *
 * @module
 */

/** Runs functions one after another, in the order in which they were handed in. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the function once all earlier ones have ended, however they ended. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
