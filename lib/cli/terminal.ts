/**
 * Questions to a person at a terminal. They are written to stderr, so that stdout holds data alone.
 *
 * @module
 */
import { type Bytes, concat, decodeUtf8 } from "../bytes.ts";
import { DeclinedError, InterruptedError, MalformedCredentialError, UsageError } from "../errors.ts";
import { environment } from "./environment.ts";
import { BRACKETED_PASTE, countLines, HiddenAnswer, isLineEnds } from "./hidden_answer.ts";
import { Keyboard } from "./keyboard.ts";
import { note, shown, writeErr } from "./output.ts";
import { withoutEcho } from "./raw_mode.ts";
import { asking } from "./transient.ts";

/** How often a new passphrase may be typed differently the second time. */
const ATTEMPTS = 3;

/** Most bytes that are kept of what comes together with a line. */
const MAX_LINE_SIZE = 64 * 1024;

const LINE_FEED = 0x0a;

/** Whether somebody can be asked. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal();
}

/**
 * Asks for a value that must not be seen, and returns its bytes as they were typed. Of a terminal that says where a
 * pasted text begins and ends, the value may be one of many lines; a note says how many were taken.
 *
 * @throws {InterruptedError} as {@linkcode askHidden}
 * @throws {UsageError} as {@linkcode askHidden}, but not for lines between such marks
 */
export async function askValue(question: string): Promise<Bytes> {
  const value = await readHidden(question, "Give the value with --stdin or --file");
  const lines = countLines(value);
  if (lines > 1) note(`Took ${lines} lines, as they were pasted.`);
  return value;
}

/**
 * Asks for a line that must not be seen, and returns its bytes as they were typed.
 *
 * @throws {InterruptedError} on Ctrl-C and Ctrl-\, on Ctrl-D at the start, at the end of the input, and when a signal asks to end
 * @throws {UsageError} when several lines were pasted; none of them reaches the shell
 */
export async function askHidden(question: string): Promise<Bytes> {
  const hint = "Paste it as one line, or give it in a file";
  const answer = await readHidden(question, hint);
  if (countLines(answer) === 1) return answer;
  answer.fill(0);
  throw new SeveralLines(hint);
}

async function readHidden(question: string, hint: string): Promise<Bytes> {
  const marks = canMarkPastes() ? BRACKETED_PASTE : { on: "", off: "" };
  // No echo before the question shows: who answers at once must not be seen either.
  return await asking(() =>
    withoutEcho(async (interrupted) => {
      try {
        writeErr(`${marks.on}${shown(question)} `);
        using keyboard = await Keyboard.open();
        return await readAnswer(keyboard, interrupted, hint);
      } finally {
        writeErr(`${marks.off}\n`);
      }
    })
  );
}

/** Whether the terminal may be told to mark what is pasted. One that cannot do so passes over that, but for a dumb one. */
function canMarkPastes(): boolean {
  return Deno.build.os !== "windows" && Deno.stderr.isTerminal() && environment("TERM") !== "dumb";
}

/** Whatever it ends with, what was pasted behind it must not reach the shell, which would run it and remember it. */
async function readAnswer(keyboard: Keyboard, interrupted: Promise<never>, hint: string): Promise<Bytes> {
  const answer = new HiddenAnswer();
  try {
    while (true) {
      const part = await Promise.race([keyboard.read(), interrupted]);
      const last = part.findIndex((byte) => answer.takes(byte));
      const behind = last < 0 ? undefined : part.slice(last + 1);
      part.fill(0);
      if (behind === undefined) continue;
      if (await isAnythingBehind(keyboard, behind)) throw new SeveralLines(hint);
      return answer.finish();
    }
  } catch (error) {
    await keyboard.drain(answer.isPasting || error instanceof SeveralLines);
    throw error;
  } finally {
    answer.wipe();
  }
}

/** Whether more came together with Enter than a line end. */
async function isAnythingBehind(keyboard: Keyboard, behind: Bytes): Promise<boolean> {
  for (let part: Bytes | undefined = behind; part !== undefined; part = await keyboard.readAtOnce()) {
    const isNothing = isLineEnds(part);
    part.fill(0);
    if (!isNothing) return true;
  }
  return false;
}

/** Thrown when a terminal does not say where a pasted text ends, or one line was asked for. */
class SeveralLines extends UsageError {
  constructor(hint: string) {
    super("Several lines were pasted, of which the first alone would be taken", { hint });
  }
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

/**
 * Asks for a line that may be seen.
 *
 * @param lines what becomes of several lines that are pasted: they are refused, or joined by spaces
 * @throws {UsageError} when several were pasted and are refused; none of them reaches the shell
 */
export async function askLine(question: string, lines: "refused" | "joined" = "refused"): Promise<string> {
  return await asking(async () => {
    writeErr(`${shown(question)} `);
    const line = await readLine();
    const behind = await readBehind();
    if (isLineEnds(behind)) return line.trim();
    if (lines === "refused") throw new SeveralLines("Answer with one line");
    return `${line} ${new TextDecoder().decode(behind).replaceAll(/[\r\n]+/g, " ")}`.trim();
  });
}

async function readLine(): Promise<string> {
  const line: number[] = [];
  const buffer = new Uint8Array(1024);
  // The terminal gives one line at most, and more of it when it is longer.
  while (line.at(-1) !== LINE_FEED) {
    const read = await Deno.stdin.read(buffer);
    if (read === null) throw new InterruptedError();
    for (const byte of buffer.subarray(0, read)) line.push(byte);
  }
  return new TextDecoder().decode(Uint8Array.from(line));
}

/** What came together with a line, up to some size. */
async function readBehind(): Promise<Bytes> {
  return await withoutEcho(async () => {
    using keyboard = await Keyboard.open();
    let behind: Bytes = new Uint8Array(0);
    for (let part: Bytes | undefined = behind; part !== undefined; part = await keyboard.readAtOnce()) {
      if (behind.length < MAX_LINE_SIZE) behind = concat(behind, part);
    }
    return behind;
  });
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
