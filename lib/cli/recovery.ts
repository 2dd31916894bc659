/**
 * Showing a recovery code, and asking it back.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { note } from "./output.ts";
import { askLine } from "./terminal.ts";

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

/**
 * Asks for some words of the code, to be sure that it was written down.
 *
 * @throws {UsageError} when they are wrong too often
 */
export async function confirmRecoveryCode(code: string): Promise<void> {
  const words = code.split(" ");
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const positions = pick(ASKED, words.length);
    const [first, second, third] = positions.map((position) => position + 1);
    const answer = (await askLine(`Type words ${first}, ${second} and ${third} of the code, or all ${words.length}:`))
      .toLowerCase().split(/\s+/).join(" ");
    if (answer === code || answer === positions.map((position) => words[position]).join(" ")) return;
    note("That is not what the code says.");
  }
  throw new UsageError("The recovery code was not confirmed, so no vault was made", {
    hint: "Run the command again; --no-confirm skips the question, --no-recovery makes no code",
  });
}

/** Some different numbers below a limit, in order. */
function pick(count: number, limit: number): readonly number[] {
  const picked = new Set<number>();
  while (picked.size < count) picked.add(Math.floor(Math.random() * limit));
  return [...picked].sort((a, b) => a - b);
}
