/**
 * What the commands write: data to stdout, everything else to stderr.
 *
 * @module
 */
import { encodeUtf8 } from "../bytes.ts";
import { InputOutputError } from "../errors.ts";
import { clearTransient } from "./transient.ts";

/** Control characters, and those that change the order or the look of what stands around them. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Writes data to stdout, exactly as it is.
 *
 * @throws {Deno.errors.BrokenPipe} when nobody reads it any more
 * @throws {InputOutputError} when it cannot be written, as on a full disk
 */
export async function writeOut(data: string | Uint8Array): Promise<void> {
  clearTransient();
  try {
    await writeAll(Deno.stdout, typeof data === "string" ? encodeUtf8(data) : data);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw error;
    throw new InputOutputError("write to", "standard output", { cause: error });
  }
}

/** Writes one line of JSON to stdout. */
export async function writeJson(document: unknown): Promise<void> {
  await writeOut(`${JSON.stringify(document)}\n`);
}

/**
 * Runs work that writes what is shown this once. Elsewhere a reader who went away has seen what it wanted; here it has
 * missed what nobody can ask for again.
 *
 * @throws {InputOutputError} when it cannot be written, or nobody reads it
 */
export async function showOnce(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    throw new InputOutputError("write to", "standard output", { cause: error });
  }
}

/** Writes a line for people to stderr. That it cannot be written is nothing a command fails for. */
export function note(text: string): void {
  writeErr(`${text}\n`);
}

/** Writes a warning to stderr. */
export function warn(text: string): void {
  note(`coffer: warning: ${shown(text)}`);
}

/** Writes text to stderr as it is. */
export function writeErr(text: string): void {
  clearTransient();
  try {
    const bytes = encodeUtf8(text);
    for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
  } catch {
    // There is no other place to say so.
  }
}

/** The text with everything escaped that could fool a reader or drive a terminal. */
export function shown(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** The text as it is for a pipe or a file, escaped for a terminal. */
export function plain(text: string): string {
  return Deno.stdout.isTerminal() ? shown(text) : text;
}

/** How many there are of something, in one or in many: `1 secret`, `2 secrets`, `2 tries`. */
export function counted(count: number, word: string, many = `${word}s`): string {
  return `${count} ${count === 1 ? word : many}`;
}

/** A date as people read it, to the minute, in UTC. */
export function shownDate(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")}Z`;
}

/** A number of bytes as people read it. */
export function shownSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

async function writeAll(writer: typeof Deno.stdout, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writer.writeSync(bytes.subarray(done));
    } catch (error) {
      // Another program may have made the shared terminal or pipe non-blocking.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
