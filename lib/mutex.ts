/**
 * Taking turns within one process.
 *
 * @module
 */

/** Runs functions one after another, in the order in which they were handed in. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /** Whether something runs, or waits to. */
  get busy(): boolean {
    return this.#pending > 0;
  }

  /** Runs the function once all earlier ones have ended, however they ended. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    this.#pending++;
    const result = this.#last.then(work);
    const done = () => void this.#pending--;
    this.#last = result.then(done, done);
    return result;
  }
}
