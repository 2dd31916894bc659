/**
 * Showing a recovery code, and asking it back.
 *
 * @module
 */
import { InterruptedError, UsageError } from "../errors.ts";
import { note, showOnce, writeOut } from "./output.ts";
import { askLine, canAsk } from "./terminal.ts";
import { untilSignal } from "./until_signal.ts";

const WORDS_PER_LINE = 6;
/** How many words are asked back. */
const ASKED = 3;
const ATTEMPTS = 3;

/** The words in one line for a program, in short lines for a person. */
export function layOut(code: string): string {
  if (!Deno.stdout.isTerminal()) return `${code}\n`;
  const words = code.split(" ");
  const lines: string[] = [];
  for (let i = 0; i < words.length; i += WORDS_PER_LINE) lines.push(words.slice(i, i + WORDS_PER_LINE).join(" "));
  return lines.map((line) => `  ${line}\n`).join("");
}

/** Shows a new code, and asks it back on a terminal unless told otherwise: nothing was changed yet. */
export async function showRecoveryCode(code: string, noConfirm: boolean): Promise<void> {
  note("Recovery code. It opens the vault when all else is lost, and is shown this once: write it down.");
  await showOnce(() => writeOut(layOut(code)));
  if (!noConfirm && canAsk() && Deno.stderr.isTerminal()) await confirmRecoveryCode(code, "nothing was changed");
}

/**
 * Asks for some words of the code, to be sure that it was written down.
 *
 * @param outcome what comes of it when it was not, for the message
 * @throws {UsageError} when they are wrong too often @throws {InterruptedError} says the outcome, too
 */
export async function confirmRecoveryCode(code: string, outcome = "no vault was made"): Promise<void> {
  const words = code.split(" ");
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const positions = pick(ASKED, words.length);
    const [first, second, third] = positions.map((position) => position + 1);
    const question = `Type words ${first}, ${second} and ${third} of the code, or all ${words.length}:`;
    // The code is shown in several lines, and may be pasted so.
    const answer = (await askInterruptibly(question, outcome)).toLowerCase().split(/\s+/).join(" ");
    if (answer === code || answer === positions.map((position) => words[position]).join(" ")) return;
    note("That is not what the code says.");
  }
  throw new UsageError(`The recovery code was not confirmed, so ${outcome}`, {
    hint: "Run the command again; --no-confirm skips the question",
  });
}

/** Asks so that a signal ends the question, not the process: who gives up is told what came of it. */
async function askInterruptibly(question: string, outcome: string): Promise<string> {
  try {
    return await untilSignal(async (signalled) => {
      const interrupted = signalled.then((): never => {
        note("");
        throw new InterruptedError();
      });
      return await Promise.race([askLine(question, "joined"), interrupted]);
    });
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    throw new InterruptedError({ hint: `Run the command again; ${outcome}`, cause: error });
  }
}

/** Some different numbers below a limit, in order. */
function pick(count: number, limit: number): readonly number[] {
  const picked = new Set<number>();
  while (picked.size < count) picked.add(Math.floor(Math.random() * limit));
  return [...picked].sort((a, b) => a - b);
}
