/**
 * A folder for files with secrets that must be there for a while and then be gone: in memory where that can be had, for
 * its owner alone.
 *
 * A process that is killed leaves its folder behind. So each one holds a lock on a file in its folder for as long as it
 * runs, and whoever makes the next folder takes away those that nobody locks.
 *
 * @module
 */
import { MissingPermissionError } from "../errors.ts";
import { systemError } from "../storage/system_errors.ts";
import { environment } from "./environment.ts";
import { warn } from "./output.ts";

const PREFIX = "coffer-private-";
const LOCK = ".lock";
/** Its maker locks a folder within moments: one that has been without a lock for so many milliseconds is lost. */
const MAKING = 10 * 60_000;

/** A folder that is gone when it is disposed of. */
export class PrivateFolder implements Disposable {
  readonly #path: string;
  readonly #lock: Deno.FsFile;

  private constructor(path: string, lock: Deno.FsFile) {
    this.#path = path;
    this.#lock = lock;
  }

  /**
   * Makes a folder of mode 0700, in the first of these that takes it: /dev/shm (to which the runtime lets a process
   * only with all permissions), $XDG_RUNTIME_DIR, the folder for temporary files, the fallback. Takes away what killed
   * processes left there.
   *
   * @param fallback a folder that takes it when no other may be written to
   * @throws {MissingPermissionError} when none of them may be written to
   */
  static make(fallback?: string): PrivateFolder {
    let failure: unknown;
    for (const base of bases(fallback)) {
      try {
        return PrivateFolder.#makeIn(base);
      } catch (error) {
        // The next place may do; the last one's failure is what the user can act on.
        failure = error;
      }
    }
    if (failure instanceof Deno.errors.NotCapable) {
      throw new MissingPermissionError("--allow-write", "make a temporary folder", {
        cause: failure,
        hint: "Run deno with --allow-write of the folder for temporary files, or with --allow-env=XDG_RUNTIME_DIR, " +
          "and --allow-read and --allow-write of that one",
      });
    }
    throw systemError(failure, "make", "a temporary folder");
  }

  static #makeIn(base: string | undefined): PrivateFolder {
    const path = Deno.makeTempDirSync({ prefix: PREFIX, ...(base === undefined ? {} : { dir: base }) });
    try {
      // Where it goes may let others in by default; the system's call for such folders does not everywhere.
      if (Deno.build.os !== "windows") Deno.chmodSync(path, 0o700);
      sweep(path.slice(0, path.lastIndexOf(PREFIX)), path);
      const lock = Deno.openSync(`${path}/${LOCK}`, { write: true, createNew: true, mode: 0o600 });
      try {
        lock.lockSync(true);
      } catch { /* Where there are no locks, nobody gets one to sweep with either. */ }
      return new PrivateFolder(path, lock);
    } catch (error) {
      Deno.removeSync(path, { recursive: true });
      throw error;
    }
  }

  /** Writes a new file of mode 0600, and gives its path. */
  write(name: string, bytes: Uint8Array): string {
    const path = `${this.#path}/${name}`;
    try {
      using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    } catch (error) {
      throw systemError(error, "write", path);
    }
    return path;
  }

  /** Takes the folder away with all that is in it. */
  [Symbol.dispose](): void {
    try {
      Deno.removeSync(this.#path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) warn(`Cannot remove "${this.#path}", which holds secrets`);
    } finally {
      this.#lock.close();
    }
  }
}

function* bases(fallback: string | undefined): Generator<string | undefined> {
  if (Deno.build.os === "linux") yield "/dev/shm";
  const runtime = environment("XDG_RUNTIME_DIR");
  if (runtime !== undefined) yield runtime;
  yield undefined;
  if (fallback !== undefined) yield fallback;
}

/** Takes away what killed processes left. That it cannot be done is no reason to leave more. */
function sweep(base: string, own: string): void {
  for (const path of privateFoldersIn(base)) if (path !== own) removeIfLost(path);
}

/** Paths of private folders in a folder, as far as it may be looked into. */
function privateFoldersIn(base: string): readonly string[] {
  try {
    return [...Deno.readDirSync(base === "" ? "." : base)]
      .filter(({ name, isDirectory }) => isDirectory && name.startsWith(PREFIX))
      .map(({ name }) => `${base}${name}`);
  } catch {
    return [];
  }
}

/**
 * Paths of folders that killed processes left with something in them, in the places where they are made, as far as this
 * process may look there.
 *
 * @param fallback as for {@linkcode PrivateFolder.make}
 */
export function lostPrivateFolders(fallback?: string): readonly string[] {
  const places = [...bases(fallback)].map((base) => base ?? temporaryFolder());
  const distinct = new Set(places.map((place) => place === "." ? "" : place.replace(/\/*$/, "/")));
  return [...distinct].flatMap((place) => privateFoldersIn(place)).filter(isLost);
}

/** Takes a folder away that has lost its process; leaves it where that cannot be done. */
export function removeIfLost(path: string): void {
  try {
    if (!isYoung(path, { read: true, write: true })) return Deno.removeSync(path, { recursive: true });
  } catch { /* Another user's, or gone in the meantime. */ }
}

function isLost(path: string): boolean {
  try {
    return !isYoung(path, { read: true });
  } catch {
    return false;
  }
}

/** Where the runtime makes temporary folders, as far as the environment may be read. */
function temporaryFolder(): string {
  const windows = Deno.build.os === "windows";
  const variables = windows ? ["TMP", "TEMP"] : ["TMPDIR"];
  return variables.map(environment).find((path) => path !== undefined) ?? (windows ? "C:\\Windows\\Temp" : "/tmp");
}

/** Whether a folder's process runs, or may not have come to lock it yet. */
function isYoung(path: string, opening: Deno.OpenOptions): boolean {
  const age = Date.now() - (Deno.statSync(path).mtime?.getTime() ?? 0);
  try {
    // Anybody may make such a folder among temporary files. What is no file was not made here: a pipe would not open
    // before somebody writes to it, and a link leads to what is somebody's own.
    if (!Deno.lstatSync(`${path}/${LOCK}`).isFile) return true;
    using lock = Deno.openSync(`${path}/${LOCK}`, opening);
    if (!lock.tryLockSync(true)) return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return age < MAKING;
  }
  // Secrets are written behind the lock: a folder with nothing in it but the lock may be about to be locked.
  return [...Deno.readDirSync(path)].length < 2 && age < MAKING;
}
