/**
 * Making a new file appear under its name whole, or not at all.
 *
 * @module
 */
import { encodeHex } from "../bytes.ts";
import { randomBytes } from "../crypto/random.ts";
import { CofferError, VaultExistsError } from "../errors.ts";
import { folderOf } from "./path_watch.ts";
import { systemError } from "./system_errors.ts";

/** What a caller may do with a file whose name is not durable. */
const STAYS_HINT = "The file is there and whole, but a loss of power may take its name away; " +
  "sync the disk and use it, or remove it and try again";

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
 * When the folder can not be made durable in the end, the file stays. Taking it away again could take away what another
 * process has found under its name and already written to; and a removal is no more durable than the name was. So the
 * error says that the file is whole and there.
 *
 * @throws {VaultExistsError} when another was first
 * @throws {MissingPermissionError} @throws {PermissionDeniedError} @throws {InputOutputError} and their kin; the hint
 *   says so when the file is there nonetheless
 */
export function publishFile(path: string, contents: Uint8Array): void {
  assertFree(path);
  // Opened first: when the folder may not be read, that shows before there is a file.
  const folder = openFolder(path);
  try {
    const temporary = temporaryPath(path);
    try {
      writeNew(temporary, contents);
      linkOrWrite(temporary, path, contents);
    } catch (error) {
      discard(temporary);
      throw error instanceof Deno.errors.AlreadyExists
        ? new VaultExistsError(path, { cause: error })
        : systemError(error, "create", path);
    }
    settle(temporary, folder, path);
  } finally {
    folder?.close();
  }
}

/**
 * Puts a file of mode 0600 at a path, in the place of another one if there is one. A crash leaves the one before, or this.
 *
 * @param held gets the new file, locked, before it takes the place: who opens the path then waits until it is closed
 * @throws {MissingPermissionError} @throws {PermissionDeniedError} @throws {InputOutputError} and their kin
 */
export function replacePublished(path: string, contents: Uint8Array, held?: (file: Deno.FsFile) => void): void {
  const folder = openFolder(path);
  try {
    const temporary = temporaryPath(path);
    try {
      writeNew(temporary, contents);
      if (held !== undefined) held(openLocked(temporary));
      Deno.renameSync(temporary, path);
    } catch (error) {
      discard(temporary);
      throw systemError(error, "replace", path);
    }
    try {
      syncFolder(folder);
    } catch (error) {
      throw systemError(error, "sync the folder of", path, STAYS_HINT);
    }
  } finally {
    folder?.close();
  }
}

/** Makes the new name durable, and the temporary one go. That one stays is no reason to say that the file could not be made. */
function settle(temporary: string, folder: Deno.FsFile | undefined, path: string): void {
  discard(temporary);
  try {
    syncFolder(folder);
  } catch (error) {
    throw systemError(error, "sync the folder of", path, STAYS_HINT);
  }
}

/** Whether an error of {@linkcode publishFile} or {@linkcode replacePublished} leaves the whole new file under its name. */
export function isThereNonetheless(error: unknown): boolean {
  return error instanceof CofferError && error.hint === STAYS_HINT;
}

/** Whether a name is one that {@linkcode publishFile} gives, beside the path, to a file that is not whole yet. */
export function isTemporaryOf(path: string, name: string): boolean {
  const start = temporaryStart(path);
  return name.startsWith(start) && /^[0-9a-f]{16}\.tmp$/.test(name.slice(start.length));
}

/** A name of its own beside the path; a dot hides it, the ending says what it is. */
export function temporaryPath(path: string): string {
  const folder = folderOf(path);
  return `${folder === "." ? "" : folder}${temporaryStart(path)}${encodeHex(randomBytes(8))}.tmp`;
}

function temporaryStart(path: string): string {
  const folder = folderOf(path);
  const name = folder === "." ? path : path.slice(folder.length);
  // Cut short: a name as long as the file system takes must leave room for what is added.
  return `.${name.slice(0, 32)}.`;
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
    if (!whole) discard(path);
  }
}

function openLocked(path: string): Deno.FsFile {
  const file = Deno.openSync(path, { read: true, write: true });
  try {
    file.lockSync(true);
    return file;
  } catch (error) {
    file.close();
    throw error;
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

/** Removes a file, unless it is gone already. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Removes a file that is of no use after an error. What went wrong first is what the caller must know. */
export function discard(path: string): void {
  try {
    removeIfThere(path);
  } catch { /* The stale file is private, and when it has a temporary name, hidden and named for what it is. */ }
}

/** Opens the folder of a path, whose own sync is what makes a new name durable. */
export function openFolder(path: string): Deno.FsFile | undefined {
  // Windows does not open folders; its file system orders the name with the file.
  if (Deno.build.os === "windows") return undefined;
  try {
    return Deno.openSync(folderOf(path), { read: true });
  } catch (error) {
    throw systemError(error, "create", path);
  }
}

/** Makes the names in a folder durable, as far as its file system can. */
export function syncFolder(folder: Deno.FsFile | undefined): void {
  try {
    folder?.syncSync();
  } catch (error) {
    // This is how a file system answers that knows no sync of a folder, as some on a network do. It never will, and
    // nothing failed: a vault there is as durable as that system makes names.
    const { code } = error as { code?: string };
    if (code !== "EINVAL" && code !== "ENOTSUP" && code !== "EOPNOTSUPP") throw error;
  }
}
