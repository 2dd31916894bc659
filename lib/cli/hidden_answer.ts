/**
 * An answer that nobody sees, as keys make it.
 *
 * @module
 */
import { type Bytes, decodeUtf8, encodeUtf8 } from "../bytes.ts";
import { InterruptedError, UsageError } from "../errors.ts";

/** Most bytes of one answer. */
const MAX_ANSWER_SIZE = 64 * 1024;
/** Of a character with more bytes than these, as of one with a hundred marks, a part is taken away. */
const MAX_CHARACTER_SIZE = 256;
/** Most bytes of a sequence that an answer looks at: those around what is pasted have three. */
const MAX_SEQUENCE_SIZE = 16;

const CONTROL_C = 0x03;
const CONTROL_D = 0x04;
const BACKSPACE = 0x08;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const CONTROL_U = 0x15;
const ESCAPE = 0x1b;
const CONTROL_BACKSLASH = 0x1c;
const SPACE = 0x20;
const DELETE = 0x7f;

/** Asks a terminal to put marks around what is pasted, and not to any more. */
export const BRACKETED_PASTE = { on: "\x1b[?2004h", off: "\x1b[?2004l" } as const;
const PASTE_BEGINS = "200~";
const PASTE_ENDS = "201~";

/** Takes keys until Enter. Inside of the marks that a terminal puts around what is pasted, a line end is not Enter. */
export class HiddenAnswer {
  readonly #bytes: number[] = [];
  #escape: "none" | "escape" | "sequence" | "single" = "none";
  #sequence = "";
  #pasting = false;
  #afterReturn = false;
  #strange = false;

  /** Whether the end of what is pasted was not seen yet. */
  get isPasting(): boolean {
    return this.#pasting;
  }

  /**
   * Takes one byte, and says whether it is the last.
   *
   * @throws {InterruptedError} on Ctrl-C and Ctrl-\, and on Ctrl-D at the start
   * @throws {UsageError} when the answer is too long, or something was pasted that would not be kept as it is
   */
  takes(byte: number): boolean {
    if (byte === CONTROL_C || byte === CONTROL_BACKSLASH) throw new InterruptedError();
    if (this.#swallows(byte)) return false;
    if (this.#pasting) this.#paste(byte);
    else if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      // To leave such characters out without a word would keep another value than the one that was copied.
      if (this.#strange) throw new UsageError("What was pasted has control characters", { hint: "Give it in a file" });
      return true;
    } else this.#type(byte);
    if (this.#bytes.length > MAX_ANSWER_SIZE) {
      throw new UsageError(`An answer has at most ${MAX_ANSWER_SIZE} bytes`, { hint: "Give more in a file" });
    }
    return false;
  }

  /** What was typed and pasted. Of one line that was pasted with its end, the line. */
  finish(): Bytes {
    const first = this.#bytes.indexOf(LINE_FEED);
    const isLine = first >= 0 && first === this.#bytes.length - 1;
    const bytes = Uint8Array.from(isLine ? this.#bytes.slice(0, -1) : this.#bytes);
    this.wipe();
    return bytes;
  }

  /** Forgets what was typed. */
  wipe(): void {
    this.#bytes.fill(0).length = 0;
  }

  #type(byte: number): void {
    switch (byte) {
      case CONTROL_D:
        if (this.#bytes.length === 0) throw new InterruptedError();
        break;
      case CONTROL_U:
        this.wipe();
        this.#strange = false;
        break;
      case BACKSPACE:
      case DELETE:
        dropCharacter(this.#bytes);
        break;
      default:
        // A key for the terminal or the shell, such as Ctrl-Z, would become a part of the answer that nobody sees.
        if (byte >= SPACE || byte === TAB) this.#bytes.push(byte);
    }
  }

  /** Terminals send a line end as they like, most of them as Enter would. */
  #paste(byte: number): void {
    const isSecondHalf = byte === LINE_FEED && this.#afterReturn;
    this.#afterReturn = byte === CARRIAGE_RETURN;
    if (isSecondHalf) return;
    if (byte === CARRIAGE_RETURN || byte === LINE_FEED) this.#bytes.push(LINE_FEED);
    else if (byte === TAB || (byte >= SPACE && byte !== DELETE)) this.#bytes.push(byte);
    else this.#strange = true;
  }

  /** Swallows what arrow keys send, and the marks around what is pasted. */
  #swallows(byte: number): boolean {
    switch (this.#escape) {
      case "none":
        if (byte !== ESCAPE) return false;
        this.#escape = "escape";
        return true;
      case "escape":
        this.#sequence = "";
        if (byte === 0x5b) this.#escape = "sequence";
        else if (byte === 0x4f) this.#escape = "single";
        else {
          // Escape on its own, then another key: that one counts.
          this.#escape = "none";
          if (this.#pasting) this.#strange = true;
          return false;
        }
        return true;
      case "single":
        this.#escape = "none";
        if (this.#pasting) this.#strange = true;
        return true;
      case "sequence":
        if (this.#sequence.length < MAX_SEQUENCE_SIZE) this.#sequence += String.fromCharCode(byte);
        if (byte >= 0x40 && byte <= 0x7e) {
          this.#escape = "none";
          this.#mark();
        }
        return true;
    }
  }

  #mark(): void {
    this.#afterReturn = false;
    if (this.#pasting && this.#sequence !== PASTE_ENDS) this.#strange = true;
    else if (this.#sequence === PASTE_BEGINS) this.#pasting = true;
    else if (this.#sequence === PASTE_ENDS) this.#pasting = false;
  }
}

/** How many lines a text has; a line end at its end begins no other. */
export function countLines(bytes: Uint8Array): number {
  const ends = bytes.reduce((count, byte) => byte === LINE_FEED ? count + 1 : count, 0);
  return bytes.at(-1) === LINE_FEED ? ends : ends + 1;
}

/** Whether there is nothing but line ends: some terminals send two for Enter. */
export function isLineEnds(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === LINE_FEED || byte === CARRIAGE_RETURN);
}

/**
 * Takes the last character away, as people see one: a letter with the marks that combine with it, an emoji with all its
 * parts. Of what is no UTF-8 it takes continuation bytes and the byte before them.
 */
function dropCharacter(answer: number[]): void {
  for (let left = lastCharacterSize(answer); left > 0; left--) answer.pop();
}

function lastCharacterSize(answer: readonly number[]): number {
  if (answer.length === 0 || answer.at(-1)! < 0x80) return answer.length === 0 ? 0 : 1;
  let start = Math.max(0, answer.length - MAX_CHARACTER_SIZE);
  while (start < answer.length && isContinuation(answer[start]!)) start++;
  const tail = Uint8Array.from(answer.slice(start));
  try {
    const last = [...new Intl.Segmenter().segment(decodeUtf8(tail))].at(-1)!.segment;
    return encodeUtf8(last).length;
  } catch {
    let size = 1;
    while (size < answer.length && isContinuation(answer.at(-size)!)) size++;
    return size;
  } finally {
    tail.fill(0);
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
