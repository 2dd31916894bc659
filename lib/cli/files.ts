/**
 * Files that the commands read and write beside the vault, and stdin.
 *
 * @module
 */
import { type Bytes, concat } from "../bytes.ts";
import {
  CofferError,
  DiskFullError,
  FileExistsError,
  FileNotFoundError,
  InputOutputError,
  MissingPermissionError,
  PermissionDeniedError,
  ReadOnlyFileSystemError,
  UsageError,
} from "../errors.ts";

/** Stands for stdin where a file is asked for. */
export const STDIN = "-";

/** Mode of every file that is written: its owner's only. */
const PRIVATE = 0o600;
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
 * @throws {UsageError} when it is claimed already
 */
export function claimStdin(by: string): void {
  if (stdinClaimedBy !== undefined) throw new UsageError(`stdin cannot be read by both ${stdinClaimedBy} and ${by}`);
  stdinClaimedBy = by;
}

/** Reads stdin to its end, or to one byte past the limit. */
export async function readStdin(limit: number): Promise<Bytes> {
  try {
    return await readUpTo(Deno.stdin, limit + 1);
  } catch (error) {
    throw new InputOutputError("read", "standard input", { cause: error });
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
    throw fileError(error, "read", "--allow-read", path);
  }
}

/**
 * Writes a new file that only its owner can read. It appears under its name whole, or not at all.
 *
 * @throws {FileExistsError} when something is at the path
 */
export async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  await writing(path, async () => {
    const temporary = await writeTemporary(path, bytes);
    try {
      await publish(temporary, path, bytes);
    } finally {
      await Deno.remove(temporary);
    }
  });
}

/** Writes a file that only its owner can read, in the place of another one if there is one. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  await writing(path, async () => {
    const temporary = await writeTemporary(path, bytes);
    try {
      await Deno.rename(temporary, path);
    } catch (error) {
      await Deno.remove(temporary);
      throw error;
    }
  });
}

/**
 * Refuses a path that is taken, before other work is done. Another process may still take it afterwards.
 *
 * @throws {FileExistsError}
 */
export async function checkFree(path: string): Promise<void> {
  if (await exists(path)) throw new FileExistsError(path);
}

/** Whether anything is at a path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw fileError(error, "look at", "--allow-read", path);
  }
}

async function writing(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
    await syncFolder(path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw new FileExistsError(path, { cause: error });
    throw fileError(error, "write", "--allow-write", path);
  }
}

async function writeTemporary(path: string, bytes: Uint8Array): Promise<string> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  await writeExclusively(temporary, bytes);
  return temporary;
}

/** A link is made only where nothing is. File systems without links take the file itself, made exclusively. */
async function publish(temporary: string, path: string, bytes: Uint8Array): Promise<void> {
  try {
    await Deno.link(temporary, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    await writeExclusively(path, bytes);
  }
}

async function writeExclusively(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: PRIVATE });
  try {
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    await file.sync();
  } catch (error) {
    await Deno.remove(path);
    throw error;
  }
}

/** Makes a new name durable. Not every system lets a folder be opened; the file's own bytes are synced either way. */
async function syncFolder(path: string): Promise<void> {
  const folder = path.replace(/[^/\\]*$/, "") || ".";
  try {
    using file = await Deno.open(folder, { read: true });
    await file.sync();
  } catch {
    // See above.
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

function fileError(error: unknown, operation: string, flag: string, path: string): unknown {
  const options = { cause: error };
  if (error instanceof CofferError) return error;
  if (error instanceof Deno.errors.NotCapable) {
    return new MissingPermissionError(flag, `${operation} "${path}"`, {
      ...options,
      hint: `Run deno with ${flag}="${path}"`,
    });
  }
  if (error instanceof Deno.errors.PermissionDenied) return new PermissionDeniedError(operation, path, options);
  if (error instanceof Deno.errors.NotFound) return new FileNotFoundError("the folder of", path, options);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EROFS") return new ReadOnlyFileSystemError(operation, path, options);
  if (code === "ENOSPC" || code === "EDQUOT") return new DiskFullError(operation, path, options);
  return new InputOutputError(operation, path, options);
}
