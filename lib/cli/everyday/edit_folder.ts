/**
 * The folder in which a value lies while an editor has it.
 *
 * A process that is killed leaves it behind. So whoever makes one keeps a lock on a file in it, and whoever makes the next
 * one at the same place takes away those that nobody locks.
 *
 * @module
 */
import { folderOf } from "../../storage/path_watch.ts";
import { systemError } from "../../storage/system_errors.ts";
import { warn } from "../output.ts";

const PREFIX = "coffer-edit-";
const LOCK = ".lock";
/** A file system in memory that every Linux has. */
const MEMORY = "/dev/shm";

/** A private folder, gone when it is disposed of. */
export interface EditFolder extends Disposable {
  /** Its path. */
  readonly path: string;
}

/** Makes a private folder: in memory where that can be done, else beside the vault, which is said. */
export function makeEditFolder(vault: string): EditFolder {
  if (Deno.build.os === "linux" && mayUse(MEMORY)) {
    try {
      return make(MEMORY);
    } catch { /* Not there, or not to be written: a disk has to do. */ }
  }
  warn("While the editor runs the value lies on a disk" + hint());
  try {
    return make(folderOf(vault));
  } catch (error) {
    throw systemError(error, "make a folder beside", vault);
  }
}

function hint(): string {
  return Deno.build.os === "linux"
    ? `; with --allow-read=${MEMORY} --allow-write=${MEMORY} it would stay in memory`
    : "";
}

function make(parent: string): EditFolder {
  sweep(parent);
  // Of mode 0700, and under a name that was not there before.
  const path = Deno.makeTempDirSync({ dir: parent, prefix: PREFIX });
  let lock: Deno.FsFile | undefined;
  try {
    lock = Deno.openSync(`${path}/${LOCK}`, { write: true, createNew: true, mode: 0o600 });
    lock.lockSync(true);
  } catch { /* Where there are no locks, nobody sweeps either. */ }
  return {
    path,
    [Symbol.dispose]: () => {
      lock?.close();
      remove(path);
    },
  };
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw systemError(error, "remove", path);
  }
}

/** Takes away what killed processes left. That it cannot be done is no reason not to go on. */
function sweep(parent: string): void {
  try {
    for (const { name, isDirectory } of Deno.readDirSync(parent)) {
      if (isDirectory && name.startsWith(PREFIX)) removeIfLost(`${parent}/${name}`);
    }
  } catch { /* A folder that may not be listed. */ }
}

function removeIfLost(path: string): void {
  try {
    using lock = Deno.openSync(`${path}/${LOCK}`, { write: true });
    if (lock.tryLockSync(true)) Deno.removeSync(path, { recursive: true });
  } catch { /* Another user's, being made at this moment, or gone. */ }
}

function mayUse(path: string): boolean {
  return (["read", "write"] as const).every((name) => Deno.permissions.querySync({ name, path }).state === "granted");
}
