/**
 * What is typed at the terminal, read so that reading can end.
 *
 * A read of the runtime's own stdin cannot be called back: it would take the first thing that somebody types for the
 * shell, or for the command that `coffer run` starts. The stream of `node:tty` can be closed, and takes nothing then.
 *
 * @module
 */
import type { ReadStream } from "node:tty";
import type { Bytes } from "../bytes.ts";
import { InterruptedError } from "../errors.ts";

/** What is pasted comes in parts that follow each other sooner than these milliseconds; two keys of a person do not. */
const AT_ONCE = 50;
/** The same where more is known to come. */
const AT_ONCE_MORE = 500;
/** Most bytes that are thrown away: a terminal that never falls silent keeps nobody. */
const MAX_DRAINED = 64 * 1024 * 1024;

/** The keys, until it is disposed of. The terminal must be in raw mode for single ones. */
export class Keyboard implements Disposable {
  readonly #stream: ReadStream;
  readonly #parts: Bytes[] = [];
  #ended = false;
  #changed = Promise.withResolvers<void>();

  private constructor(stream: ReadStream) {
    this.#stream = stream;
    stream.on("data", (part: Bytes) =>
      this.#note(() => {
        // A copy, since what the stream gives may be a part of something larger that others hold too.
        this.#parts.push(Uint8Array.from(part));
        part.fill(0);
      }));
    for (const end of ["end", "close", "error"]) stream.on(end, () => this.#note(() => this.#ended = true));
  }

  /** Begins to read; from now on nobody else gets what is typed. */
  static async open(): Promise<Keyboard> {
    // Loaded by who is asked alone: it takes longer than many a command.
    const { ReadStream } = await import("node:tty");
    return new Keyboard(new ReadStream(0));
  }

  /**
   * What was typed next.
   *
   * @throws {InterruptedError} when the terminal has gone away
   */
  async read(): Promise<Bytes> {
    while (this.#parts.length === 0) {
      if (this.#ended) throw new InterruptedError();
      await this.#changed.promise;
    }
    return this.#parts.shift()!;
  }

  /** What arrives at once, or undefined when nothing does. */
  async readAtOnce(within: number = AT_ONCE): Promise<Bytes | undefined> {
    if (this.#parts.length === 0 && !this.#ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, within);
      await Promise.race([this.#changed.promise, promise]);
      clearTimeout(timer);
    }
    return this.#parts.shift();
  }

  /**
   * Throws away what is on its way, so that the shell never gets it.
   *
   * @param more whether something is being pasted of which the end was not seen
   */
  async drain(more: boolean): Promise<void> {
    let drained = 0;
    while (drained < MAX_DRAINED) {
      const part = await this.readAtOnce(more ? AT_ONCE_MORE : AT_ONCE);
      if (part === undefined) return;
      drained += part.length;
      part.fill(0);
    }
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    for (const part of this.#parts) part.fill(0);
    this.#stream.destroy();
  }

  #note(change: () => void): void {
    change();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
