/**
 * Questions to a person at a terminal. They are written to stderr, so that stdout holds data alone.
 *
 * @module
 */
import { type Bytes, decodeUtf8, encodeUtf8 } from "../bytes.ts";
import { DeclinedError, InterruptedError, MalformedCredentialError, UsageError } from "../errors.ts";
import { note, shown, writeErr } from "./output.ts";
import { withoutEcho } from "./raw_mode.ts";
import { asking } from "./transient.ts";

/** Most bytes of one answer. */
const MAX_ANSWER_SIZE = 64 * 1024;
/** Of a character with more bytes than these, as of one with a hundred marks, a part is taken away. */
const MAX_CHARACTER_SIZE = 256;
/** How often a new passphrase may be typed differently the second time. */
const ATTEMPTS = 3;

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

/** What was typed ahead, behind the end of the last answer. */
let pending: Uint8Array = new Uint8Array(0);

/** Whether somebody can be asked. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal();
}

/**
 * Asks for something that must not be seen, and returns its bytes as they were typed.
 *
 * @throws {InterruptedError} on Ctrl-C and Ctrl-\, on Ctrl-D at the start, at the end of the input, and when a signal asks to end
 */
export async function askHidden(question: string): Promise<Bytes> {
  // No echo before the question shows: who answers at once must not be seen either.
  return await asking(() =>
    withoutEcho(async (interrupted) => {
      try {
        writeErr(`${shown(question)} `);
        return await readAnswer(interrupted);
      } finally {
        writeErr("\n");
      }
    })
  );
}

/** Asks for a passphrase. */
export async function askPassphrase(question: string): Promise<string> {
  const bytes = await askHidden(question);
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new MalformedCredentialError("The passphrase is not valid UTF-8");
  } finally {
    bytes.fill(0);
  }
}

/** Asks for a new passphrase, or another word of that kind, twice, until both are the same. */
export async function askNewPassphrase(word = "passphrase"): Promise<string> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const passphrase = await askPassphrase(`New ${word}:`);
    if (passphrase === "") {
      note(`A ${word} must not be empty.`);
      continue;
    }
    if (await askPassphrase(`New ${word} again:`) === passphrase) return passphrase;
    note("The two are not the same.");
  }
  throw new UsageError(`No new ${word} was typed the same way twice`);
}

/** Asks for a line that may be seen. */
export async function askLine(question: string): Promise<string> {
  return await asking(() => readLine(question));
}

async function readLine(question: string): Promise<string> {
  writeErr(`${shown(question)} `);
  const answer: number[] = [];
  while (true) {
    for (const [index, byte] of pending.entries()) {
      if (byte !== LINE_FEED) {
        answer.push(byte);
        continue;
      }
      pending = pending.subarray(index + 1);
      return new TextDecoder().decode(Uint8Array.from(answer)).trim();
    }
    await readMore();
  }
}

/**
 * Lets somebody at a terminal think again before what cannot be undone; a script, which nobody answers for, is not asked.
 *
 * @param yes whether the answer was given with the command
 * @throws {DeclinedError} unless the answer begins with y @throws {InterruptedError} at the end of the input
 */
export async function assertWanted(yes: boolean, question: string): Promise<void> {
  if (yes || !canAsk()) return;
  if (!/^y/i.test(await askLine(`${question} [y/N]`))) throw new DeclinedError();
}

async function readAnswer(interrupted: Promise<never>): Promise<Bytes> {
  const answer: number[] = [];
  const escape = new EscapeFilter();
  while (true) {
    for (const [index, byte] of pending.entries()) {
      if (escape.swallows(byte)) continue;
      switch (byte) {
        case LINE_FEED:
        case CARRIAGE_RETURN:
          pending = pending.subarray(index + 1);
          return finish(answer);
        case CONTROL_C:
        case CONTROL_BACKSLASH:
          pending = new Uint8Array(0);
          throw new InterruptedError();
        case CONTROL_D:
          if (answer.length === 0) throw new InterruptedError();
          break;
        case CONTROL_U:
          answer.fill(0).length = 0;
          break;
        case BACKSPACE:
        case DELETE:
          dropCharacter(answer);
          break;
        default:
          // A key for the terminal or the shell, such as Ctrl-Z, would become a part of the answer that nobody sees.
          if (byte >= SPACE || byte === TAB) answer.push(byte);
      }
      if (answer.length > MAX_ANSWER_SIZE) throw new UsageError(`An answer has at most ${MAX_ANSWER_SIZE} bytes`);
    }
    await Promise.race([readMore(), interrupted]);
  }
}

function finish(answer: number[]): Bytes {
  const bytes = Uint8Array.from(answer);
  answer.fill(0);
  return bytes;
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

async function readMore(): Promise<void> {
  const buffer = new Uint8Array(1024);
  const read = await Deno.stdin.read(buffer);
  if (read === null) throw new InterruptedError();
  pending = buffer.subarray(0, read);
}

/** Swallows what arrow keys send, and the marks that some terminals put around what is pasted. */
class EscapeFilter {
  #state: "text" | "escape" | "sequence" | "single" = "text";

  swallows(byte: number): boolean {
    switch (this.#state) {
      case "text":
        if (byte !== ESCAPE) return false;
        this.#state = "escape";
        return true;
      case "escape":
        if (byte === 0x5b) this.#state = "sequence";
        else if (byte === 0x4f) this.#state = "single";
        else {
          // Escape on its own, then another key: that one counts.
          this.#state = "text";
          return false;
        }
        return true;
      case "single":
        this.#state = "text";
        return true;
      case "sequence":
        if (byte >= 0x40 && byte <= 0x7e) this.#state = "text";
        return true;
    }
  }
}
