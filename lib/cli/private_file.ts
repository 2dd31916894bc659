/**
 * Files with secrets that commands write: for their owner alone, and under their name whole or not at all.
 *
 * Such a file is written beside its place under a hidden name first. A process that is killed then leaves that one
 * behind, with the secret in it, where nobody looks for it. So whoever writes keeps a lock on it for as long as it is
 * there, and whoever writes next into the same folder takes away those that nobody locks.
 *
 * @module
 */
import { FileExistsError } from "../errors.ts";
import { folderOf } from "../storage/path_watch.ts";
import { systemError } from "../storage/system_errors.ts";

const TEMPORARY = /^\.coffer\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/**
 * Writes a new file that only its owner can read. It appears under its name whole, or not at all; only where there are
 * no hard links can a crash leave a part.
 *
 * @throws {FileExistsError} when something is at the path
 */
export function writeNewFile(path: string, bytes: Uint8Array): void {
  write(path, bytes, (temporary) => {
    try {
      Deno.linkSync(temporary, path);
    } catch (error) {
      if (!hasNoLinks(error)) throw error;
      using file = create(path);
      fill(file, bytes);
    }
  });
}

/**
 * Writes a file that only its owner can read, in the place of another one if there is one.
 *
 * @param before runs once the bytes are whole and on the disk, and before they take the place
 */
export function replaceFile(path: string, bytes: Uint8Array, before: () => void = () => {}): void {
  write(path, bytes, (temporary) => {
    before();
    Deno.renameSync(temporary, path);
  });
}

function write(path: string, bytes: Uint8Array, place: (temporary: string) => void): void {
  const folder = folderOf(path);
  sweep(folder);
  const temporary = inside(folder, `.coffer.${crypto.randomUUID()}.tmp`);
  try {
    using file = create(temporary);
    try {
      // Locked before there is a byte in it, and until it is gone: one with bytes and no lock has lost its writer.
      lock(file);
      fill(file, bytes);
      place(temporary);
    } finally {
      removeIfThere(temporary);
    }
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw new FileExistsError(path, { cause: error });
    throw systemError(error, "write", path);
  }
  syncFolder(folder, path);
}

/** Takes away what killed processes left. That it cannot be done is no reason not to write. */
function sweep(folder: string): void {
  try {
    for (const path of temporariesIn(folder)) removeIfLost(path);
  } catch { /* A folder that nobody may list, or that is not there: writing says so better. */ }
}

/** Paths of the temporary files in a folder, those that are being written among them. Throws the system's own errors. */
export function* temporariesIn(folder: string): Generator<string> {
  for (const { name, isFile } of Deno.readDirSync(folder)) {
    if (isFile && TEMPORARY.test(name)) yield inside(folder, name);
  }
}

/** Whether a temporary file has something in it and has lost its writer. */
export function isLost(path: string): boolean {
  try {
    using file = Deno.openSync(path, { read: true });
    return file.tryLockSync(true) && file.statSync().size > 0;
  } catch {
    return false;
  }
}

/** Takes a temporary file away that has lost its writer; leaves it where that cannot be done. */
export function removeIfLost(path: string): void {
  try {
    using file = Deno.openSync(path, { read: true, write: true });
    // An empty one may be so young that its writer has not locked it yet, and holds nothing.
    if (file.tryLockSync(true) && file.statSync().size > 0) Deno.removeSync(path);
  } catch { /* Another user's, or gone in the meantime. */ }
}

function create(path: string): Deno.FsFile {
  return Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
}

function lock(file: Deno.FsFile): void {
  try {
    file.lockSync(true);
  } catch { /* Where there are no locks, nobody gets one to sweep with either. */ }
}

function fill(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  file.syncSync();
}

/** Some file systems have no hard links; creating the name itself exclusively is the next best there. */
function hasNoLinks(error: unknown): boolean {
  if (error instanceof Deno.errors.NotSupported) return true;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code);
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The new name is part of the folder: it is durable once the folder is. */
function syncFolder(folder: string, path: string): void {
  // Windows does not open folders; its file system orders the name with the file.
  if (Deno.build.os === "windows") return;
  try {
    using handle = Deno.openSync(folder, { read: true });
    handle.syncSync();
  } catch (error) {
    throw systemError(error, "sync the folder of", path);
  }
}

function inside(folder: string, name: string): string {
  return folder === "." ? name : `${folder}${name}`;
}
