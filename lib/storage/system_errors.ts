/**
 * The system's errors as coffer's own, each with its operation and path.
 *
 * @module
 */
import {
  CofferError,
  DiskFullError,
  InputOutputError,
  MissingPermissionError,
  PermissionDeniedError,
  ReadOnlyFileSystemError,
} from "../errors.ts";
import { folderOf } from "./path_watch.ts";

/**
 * The typed error for a failed call on a file; the system's is its cause.
 *
 * @param operation what was tried, as a verb: `open`, `write`, `sync`
 * @param hint what to do about it, where that is not what the error's class says
 * @returns the error itself when it is one of coffer's already
 */
export function systemError(error: unknown, operation: string, path: string, hint?: string): CofferError {
  if (error instanceof CofferError) return error;
  const options = hint === undefined ? { cause: error } : { cause: error, hint };
  const code = (error as { code?: unknown } | null)?.code;
  if (error instanceof Deno.errors.NotCapable) {
    const flag = neededFlag(error, path);
    return new MissingPermissionError(flag, `${operation} "${path}"`, {
      // The runtime keeps such folders, as those of the kernel's own files, from all but who may do anything.
      ...(flag === "--allow-all" ? { hint: "Choose a path outside of /proc, /sys and /dev" } : {}),
      ...options,
    });
  }
  if (code === "EROFS") return new ReadOnlyFileSystemError(operation, path, options);
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") return new DiskFullError(operation, path, options);
  if (error instanceof Deno.errors.PermissionDenied || code === "EACCES" || code === "EPERM") {
    return new PermissionDeniedError(operation, path, options);
  }
  return new InputOutputError(operation, path, options);
}

/** Whether the system, or Deno, refuses writing: reading may go on. */
export function isWriteRefusal(error: unknown): boolean {
  const typed = systemError(error, "open", "");
  return typed instanceof PermissionDeniedError || typed instanceof MissingPermissionError ||
    typed instanceof ReadOnlyFileSystemError;
}

/**
 * Deno names the flag in its message: `run again with the --allow-write flag`. The folder counts, not the file alone: what
 * belongs to it lies beside it.
 */
function neededFlag(error: Error, path: string): string {
  const flag = /--allow-[a-z]+/.exec(error.message)?.[0] ?? "--allow-read and --allow-write";
  return flag === "--allow-read" || flag === "--allow-write" ? `${flag}=${folderOf(path)}` : flag;
}
