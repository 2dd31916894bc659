/**
 * Work that is gathered in memory and written down now and then.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import { logFailure } from "../log.ts";

/** When gathered work is written down. */
export interface DelayOptions {
  /** How long after the first piece, in milliseconds. */
  readonly delay: number;
  /** At how many pieces at the latest. */
  readonly most: number;
  /** What it is, for the log. */
  readonly what: string;
}

/**
 * Calls a function some time after work began to gather, and before the vault closes.
 *
 * The timer does not keep a program alive. What comes while there is writing is written after the same time, begun anew
 * at its end. What cannot be written is tried again with the next batch, and the failure is logged; at the close of the
 * vault it is thrown.
 */
export class DelayedWrite {
  readonly #write: () => Promise<void>;
  readonly #options: DelayOptions;
  #pieces = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  /** Whether anything came while there was writing. */
  #came = false;

  /** Gathers for an engine; `write` writes down everything there is. */
  constructor(engine: Engine, write: () => Promise<void>, options: DelayOptions) {
    this.#write = write;
    this.#options = options;
    engine.beforeClose(() => this.flush());
  }

  /** Notes that there is one more piece. */
  add(): void {
    this.#pieces++;
    // The end of the writing begins the wait: a timer that ended before it would find nothing that it may do.
    if (this.#writing !== undefined) this.#came = true;
    else if (this.#pieces >= this.#options.most) this.#flushLater();
    else this.#wait();
  }

  /** Writes down what was gathered. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#writing !== undefined) await this.#writing.catch(() => {});
    if (this.#pieces === 0) return;
    const pieces = this.#pieces;
    this.#pieces = 0;
    this.#writing = this.#write();
    try {
      await this.#writing;
    } catch (error) {
      this.#pieces += pieces;
      throw error;
    } finally {
      this.#writing = undefined;
      if (this.#came) this.#wait();
      this.#came = false;
    }
  }

  #wait(): void {
    this.#timer ??= unreferenced(setTimeout(() => this.#flushLater(), this.#options.delay));
  }

  #flushLater(): void {
    this.flush().catch((error) => logFailure("auth", this.#options.what, error));
  }
}

/** A timer that lets the program end, where the runtime can be told so. */
function unreferenced(timer: ReturnType<typeof setTimeout>): ReturnType<typeof setTimeout> {
  const { Deno } = globalThis as { Deno?: { unrefTimer?: (timer: number) => void } };
  if (typeof timer === "number") Deno?.unrefTimer?.(timer);
  return timer;
}
