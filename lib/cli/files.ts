/**
 * Files that the commands read and write beside the vault, and stdin.
 *
 * @module
 */
import { type Bytes, concat } from "../bytes.ts";
import {
  FileExistsError,
  FileNotFoundError,
  FolderNotFoundError,
  MissingPermissionError,
  UsageError,
  VaultExistsError,
} from "../errors.ts";
import { assertFree } from "../storage/create.ts";
import { folderOf } from "../storage/path_watch.ts";
import { isWriteRefusal, systemError } from "../storage/system_errors.ts";

/** Stands for stdin where a file is asked for. */
export const STDIN = "-";

const CHUNK_SIZE = 64 * 1024;

let stdinClaimedBy: string | undefined;

/** What to do about a file that is there, for commands with this flag. */
export const REPLACEABLE = "Choose another path, or replace the file with --overwrite";

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

/** Whether there is anything at a path that can be followed. */
export function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw systemError(error, "look up", path);
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
 * @param hint what to do about it, where the command has a flag for that
 * @throws {FileExistsError}
 */
export function checkFree(path: string, hint?: string): void {
  try {
    assertFree(path);
  } catch (error) {
    if (!(error instanceof VaultExistsError)) throw error;
    throw new FileExistsError(path, { cause: error, ...(hint === undefined ? {} : { hint }) });
  }
}

/**
 * Refuses a path at which no new file can be made, before other work is done.
 *
 * @param hint what to do when there is a file, where the command has a flag for that
 * @throws {FileExistsError} @throws {MissingPermissionError} @throws {FolderNotFoundError}
 */
export function checkMayCreate(path: string, hint?: string): void {
  checkFree(path, hint);
  checkMayWrite(path, "write");
}

/**
 * Refuses a path that this process has no permission to write to, or whose folder is not there, before other work is
 * done. The folder counts: a file is written beside its place first, so a permission for its own name alone is too little.
 *
 * @param operation what is wanted, as a verb: `write`, `create vault`
 * @throws {MissingPermissionError} @throws {FolderNotFoundError}
 */
export function checkMayWrite(path: string, operation: string): void {
  const folder = folderOf(path);
  for (const name of ["write", "read"] as const) {
    if (Deno.permissions.querySync({ name, path: folder }).state === "granted") continue;
    throw new MissingPermissionError(`--allow-${name}=${folder}`, `${operation} "${path}"`);
  }
  if (!isThere(folder)) throw new FolderNotFoundError(folder.replace(/(?<=.)\/+$/, ""));
}

/**
 * Refuses a file that is there and cannot be changed, before other work is done: before something is asked for that would
 * then be of no use, or shown that would not count.
 *
 * @throws {MissingPermissionError} @throws {PermissionDeniedError} @throws {ReadOnlyFileSystemError}
 */
export function checkMayChange(path: string): void {
  try {
    Deno.openSync(path, { read: true, write: true }).close();
  } catch (error) {
    if (isWriteRefusal(error)) throw systemError(error, "write", path);
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
