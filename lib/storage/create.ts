/**
 * Making a new file appear under its name whole, or not at all.
 *
 * @module
 */
import { encodeHex } from "../bytes.ts";
import { randomBytes } from "../crypto/random.ts";
import { VaultExistsError } from "../errors.ts";
import { folderOf } from "./path_watch.ts";
import { systemError } from "./system_errors.ts";

/**
 * Refuses a path at which there is anything, a dangling link included.
 *
 * @throws {VaultExistsError}
 */
export function assertFree(path: string): void {
  try {
    Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw systemError(error, "look up", path);
  }
  throw new VaultExistsError(path);
}

/**
 * Writes a new file of mode 0600: to a temporary name beside it, synced, then linked to its own name, which fails when
 * there is a file already. A crash leaves no file, or a whole one; only where there are no hard links can it leave a part.
 *
 * @throws {VaultExistsError} when another was first
 */
export function publishFile(path: string, contents: Uint8Array): void {
  assertFree(path);
  const folder = folderOf(path);
  const temporary = temporaryPath(path);
  try {
    writeNew(temporary, contents);
    linkOrWrite(temporary, path, contents);
  } catch (error) {
    // What went wrong first is what the caller must know.
    try {
      removeIfThere(temporary);
    } catch { /* The stale file is hidden, private, and named for what it is. */ }
    throw error instanceof Deno.errors.AlreadyExists
      ? new VaultExistsError(path, { cause: error })
      : systemError(error, "create", path);
  }
  removeIfThere(temporary);
  syncFolder(folder, path);
}

/** A name of its own beside the path; a dot hides it, the ending says what it is. */
function temporaryPath(path: string): string {
  const folder = folderOf(path);
  const name = folder === "." ? path : path.slice(folder.length);
  // Cut short: a name as long as the file system takes must leave room for what is added.
  return `${folder === "." ? "" : folder}.${name.slice(0, 32)}.${encodeHex(randomBytes(8))}.tmp`;
}

function writeNew(path: string, contents: Uint8Array): void {
  const file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  let whole = false;
  try {
    for (let done = 0; done < contents.length;) done += file.writeSync(contents.subarray(done));
    file.syncSync();
    whole = true;
  } finally {
    file.close();
    // The file is ours, since it was not there before: nobody else's is removed.
    if (!whole) removeIfThere(path);
  }
}

/** Some file systems have no hard links; creating the name itself exclusively is the next best there. */
function linkOrWrite(temporary: string, path: string, contents: Uint8Array): void {
  try {
    Deno.linkSync(temporary, path);
  } catch (error) {
    const code = (error as { code?: string }).code;
    const unsupported = error instanceof Deno.errors.NotSupported || code === "EPERM" || code === "ENOTSUP" ||
      code === "EOPNOTSUPP" || code === "ENOSYS" || code === "EMLINK";
    if (!unsupported) throw error;
    writeNew(path, contents);
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw systemError(error, "remove", path);
  }
}

/** The new name is part of the folder: it is durable once the folder is. */
function syncFolder(folder: string, path: string): void {
  // Windows does not open folders; its file system orders the name with the file.
  if (Deno.build.os === "windows") return;
  try {
    const handle = Deno.openSync(folder, { read: true });
    try {
      handle.syncSync();
    } finally {
      handle.close();
    }
  } catch (error) {
    throw systemError(error, "sync the folder of", path);
  }
}
