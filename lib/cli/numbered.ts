/**
 * Files of one name with numbers behind it, the newest without: FILE, FILE.1, FILE.2 …
 *
 * @module
 */
import { systemError } from "../storage/system_errors.ts";

/** The name, and the names of so many older files. */
export function numbered(file: string, keep: number): string[] {
  return [file, ...Array.from({ length: keep }, (_, index) => `${file}.${index + 1}`)];
}

/**
 * Moves every file to the next name, up to the first name that is free; the file under the last name goes. The first one
 * keeps its name beside the new one, so that there is always a file under it.
 *
 * A process that is killed in between leaves whole files only: at worst one of them stands under two names, which the next
 * call finds and leaves as it is.
 */
export function rotateNames(names: readonly string[]): void {
  const [first, second] = names;
  if (first === undefined || second === undefined || identity(first) === undefined || sameFile(first, second)) return;
  const free = names.findIndex((name) => identity(name) === undefined);
  const last = free < 0 ? names.length - 1 : free;
  try {
    for (let index = last; index > 1; index--) ifThere(() => Deno.renameSync(names[index - 1]!, names[index]!));
    ifThere(() => addName(first, second));
  } catch (error) {
    throw systemError(error, "rename", first);
  }
}

/** Whether two paths lead to one file. */
export function sameFile(a: string, b: string): boolean {
  const one = identity(a);
  return one !== undefined && one === identity(b);
}

/** What is the same for all names of a file; undefined where there is none. */
function identity(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return ino === null ? Deno.realPathSync(path) : `${dev}:${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw systemError(error, "look up", path);
  }
}

/** Where there are no hard links, the first name is free for a moment. */
function addName(first: string, second: string): void {
  try {
    Deno.linkSync(first, second);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw error;
    Deno.renameSync(first, second);
  }
}

/** Another process that does the same at once may have been faster. */
function ifThere(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
