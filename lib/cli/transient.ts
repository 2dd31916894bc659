/**
 * The one line of stderr that is there for the moment: how far long work is. It shows on a terminal only, is taken away
 * before anything else is written, and never stands beside a question.
 *
 * @module
 */
import { encodeUtf8 } from "../bytes.ts";

/** Goes to the start of the line and empties it. */
const EMPTY_LINE = "\r\x1b[K";

let wanted = true;
let shown = false;
let questions = 0;
/** When there was last something else to see, by the clock of `performance.now`. */
let touched = 0;

/** From now on no such line is shown: what a program reads has none. */
export function forbidTransients(): void {
  wanted = false;
}

/** Whether there is somebody to see it. */
export function canShowTransients(): boolean {
  return wanted && Deno.stderr.isTerminal();
}

/** Shows a line in the place of the last one; nothing while somebody is asked. Never for what is secret. */
export function showTransient(text: string): void {
  if (questions > 0) return;
  // One that reaches the last column would become two lines, of which only one is taken away.
  write(`${EMPTY_LINE}${text.slice(0, columns() - 1)}`);
  shown = true;
}

/** Takes the line away, before something else is written. */
export function clearTransient(): void {
  if (!shown) return;
  shown = false;
  write(EMPTY_LINE);
}

/** Runs what asks somebody: the line stays away until it is answered. */
export async function asking<T>(ask: () => Promise<T>): Promise<T> {
  clearTransient();
  questions++;
  try {
    return await ask();
  } finally {
    questions--;
    touch();
  }
}

/** Notes that there was something to see: who looks on has waited since then only. */
export function touch(): void {
  touched = performance.now();
}

/** When {@linkcode touch} was last called, by the clock of `performance.now`. */
export function lastTouched(): number {
  return touched;
}

/** How many columns the terminal has; 80 where it does not say. */
export function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

function write(text: string): void {
  try {
    Deno.stderr.writeSync(encodeUtf8(text));
  } catch { /* There is no other place to show it. */ }
}
