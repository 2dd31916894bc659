/**
 * Files that the commands read and write beside the vault, and stdin.
 *
 * @module
 */
import { type Bytes, concat } from "../bytes.ts";
import { FileExistsError, FileNotFoundError, MissingPermissionError, UsageError, VaultExistsError } from "../errors.ts";
import { assertFree, publishFile } from "../storage/create.ts";
import { systemError } from "../storage/system_errors.ts";

/** Stands for stdin where a file is asked for. */
export const STDIN = "-";

const CHUNK_SIZE = 64 * 1024;

let stdinClaimedBy: string | undefined;

/** What was read of a file. */
export interface FileContents {
  /** At most one byte more than the limit. */
  readonly bytes: Bytes;
  /** Permission bits, where the system has them and the file is a regular one. */
  readonly mode: number | undefined;
}

/**
 * Says what stdin is used for; it can be read for one thing only.
 *
 * @throws {UsageError} when something else claimed it already
 */
export function claimStdin(by: string): void {
  if (stdinClaimedBy !== undefined && stdinClaimedBy !== by) {
    throw new UsageError(`stdin cannot be read for both ${stdinClaimedBy} and ${by}`);
  }
  stdinClaimedBy = by;
}

/** Reads stdin to its end, or to one byte past the limit. */
export async function readStdin(limit: number): Promise<Bytes> {
  try {
    return await readUpTo(Deno.stdin, limit + 1);
  } catch (error) {
    throw systemError(error, "read", "standard input");
  }
}

/**
 * Reads a file to its end, or to one byte past the limit.
 *
 * @throws {FileNotFoundError} @throws {MissingPermissionError} @throws {PermissionDeniedError}
 */
export async function readFile(path: string, purpose: string, limit: number): Promise<FileContents> {
  try {
    using file = await Deno.open(path, { read: true });
    const { isDirectory, isFile, mode } = await file.stat();
    if (isDirectory) throw new UsageError(`Cannot read ${purpose} "${path}": it is a folder`);
    return { bytes: await readUpTo(file, limit + 1), mode: isFile && mode !== null ? mode & 0o777 : undefined };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new FileNotFoundError(purpose, path, { cause: error });
    throw systemError(error, "read", path);
  }
}

/**
 * Writes a new file that only its owner can read. It appears under its name whole, or not at all.
 *
 * @throws {FileExistsError} when something is at the path
 */
export function writeNewFile(path: string, bytes: Uint8Array): void {
  asFileExists(path, () => publishFile(path, bytes));
}

/** Writes a file that only its owner can read, in the place of another one if there is one. */
export function replaceFile(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  writeNewFile(temporary, bytes);
  try {
    Deno.renameSync(temporary, path);
  } catch (error) {
    Deno.removeSync(temporary);
    throw systemError(error, "replace", path);
  }
}

/** Takes away a file that this process made. */
export function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    throw systemError(error, "remove", path);
  }
}

/**
 * Refuses a path that is taken, before other work is done. Another process may still take it afterwards.
 *
 * @throws {FileExistsError}
 */
export function checkFree(path: string): void {
  asFileExists(path, () => assertFree(path));
}

/**
 * Refuses a path that this process may not write to, before other work is done.
 *
 * @throws {MissingPermissionError}
 */
export function checkMayWrite(path: string, operation: string): void {
  if (Deno.permissions.querySync({ name: "write", path }).state === "granted") return;
  throw new MissingPermissionError("--allow-write", `${operation} "${path}"`);
}

/** Vaults and other files are made the same way; only what is said of a taken path differs. */
function asFileExists(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw error instanceof VaultExistsError ? new FileExistsError(path, { cause: error }) : error;
  }
}

async function readUpTo(source: { read(into: Uint8Array): Promise<number | null> }, most: number): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  for (let total = 0; total < most;) {
    const part = new Uint8Array(Math.min(CHUNK_SIZE, most - total));
    const read = await source.read(part);
    if (read === null) break;
    parts.push(part.subarray(0, read));
    total += read;
  }
  return concat(...parts);
}
