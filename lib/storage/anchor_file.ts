/**
 * The anchor in a file of its own, by default beside the vault; another disk is better.
 *
 * @module
 */
import { type Bytes, encodeHex } from "../bytes.ts";
import { AnchorExistsError, AnchorMissingError, type CofferError } from "../errors.ts";
import type { AnchorStore, WaitingAnchor } from "./anchor_store.ts";
import { openFolder, removeIfThere, replacePublished, syncFolder } from "./create.ts";
import { folderOf, PathWatch } from "./path_watch.ts";
import { isWriteRefusal, systemError } from "./system_errors.ts";

/** Nothing longer is an anchor. */
const MOST = 2048;

/** The path of a vault's anchor unless a caller names another. */
export function anchorPath(vault: string): string {
  return `${vault}.anchor`;
}

/** How many bytes of a vault's id tell its waiting anchor from others beside it. */
const ID_PART = 8;

/** The name under which the anchor of a new vault waits, beside the anchor's own. */
function waitingPath(anchor: string, vaultId: Uint8Array): string {
  const folder = folderOf(anchor);
  return `${folder === "." ? "" : folder}${waitingStart(anchor)}${encodeHex(vaultId.subarray(0, ID_PART))}.new`;
}

/** Whole, unlike the names of other temporary files: what waits for one anchor must not be taken for another's. */
function waitingStart(anchor: string): string {
  const folder = folderOf(anchor);
  return `.${folder === "." ? anchor : anchor.slice(folder.length)}.`;
}

/** Whether a name beside an anchor is that of one that waits; of which vault, as the first part of its id in hex. */
export function waitingFor(anchor: string, name: string): string | undefined {
  const start = waitingStart(anchor);
  const rest = name.startsWith(start) ? /^([0-9a-f]{16})\.new$/.exec(name.slice(start.length)) : null;
  return rest?.[1];
}

/**
 * An anchor in a file. What was opened to be read is written to as well.
 *
 * Between two locks of an open vault it stays open, since opening it anew costs more than reading it. Whoever put another
 * file there is noticed as for the vault itself, before anything is read under a lock: the name is looked up, or the
 * folder's time says that no name in it changed. What others wrote into the file is read in any case.
 */
export class FileAnchor implements AnchorStore {
  readonly name: string;
  readonly #buffer = new Uint8Array(MOST);
  #file: Deno.FsFile | undefined;
  /** Tells when another file takes the path. */
  #watch: PathWatch | undefined;
  /** Whether the open file is known to be the one at the path, for as long as the lock is held. */
  #current = false;
  /** Why it is open for reading only. */
  #refusal: CofferError | undefined;

  /** The anchor at a path. */
  constructor(path: string) {
    this.name = path;
  }

  /** @throws {AnchorExistsError} when something is at the path */
  static assertFree(path: string): void {
    try {
      Deno.lstatSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw systemError(error, "look up", path);
    }
    throw new AnchorExistsError(path);
  }

  read(): Bytes | null {
    try {
      const again = this.#file !== undefined;
      const file = this.#open();
      if (file === null) return null;
      if (again) file.seekSync(0, Deno.SeekMode.Start);
      let size = 0;
      for (let got: number | null; size < MOST && (got = file.readSync(this.#buffer.subarray(size))) !== null;) {
        size += got;
      }
      return this.#buffer.slice(0, size);
    } catch (error) {
      throw systemError(error, "read", this.name);
    }
  }

  assertWritable(): void {
    this.#writable();
  }

  write(bytes: Bytes, offset: number, durable = false): void {
    const file = this.#writable();
    try {
      file.seekSync(offset, Deno.SeekMode.Start);
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      if (durable) file.syncDataSync();
    } catch (error) {
      throw systemError(error, "write", this.name);
    }
  }

  replace(bytes: Bytes): void {
    this.release();
    replacePublished(this.name, bytes);
  }

  remove(): void {
    this.release();
    const folder = folderIfAllowed(this.name);
    try {
      Deno.removeSync(this.name);
      // Should the power fail it must not come back: whoever looks here would take it for the anchor, and move it alone.
      syncFolder(folder);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw systemError(error, "remove", this.name);
    } finally {
      folder?.close();
    }
  }

  waiting(vaultId: Bytes): WaitingAnchor {
    const path = waitingPath(this.name, vaultId);
    const file = new FileAnchor(path);
    return {
      read: () => file.read(),
      replace: (bytes) => file.replace(bytes),
      remove: () => file.remove(),
      release: () => file.release(),
      settle: () => giveName(path, this.name),
    };
  }

  release(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#watch = undefined;
    this.#refusal = undefined;
  }

  pause(): void {
    // A file that may not be written now may be later; and on Windows one that is open is in the way of who replaces it.
    if (this.#refusal !== undefined || Deno.build.os === "windows") this.release();
    this.#current = false;
  }

  #writable(): Deno.FsFile {
    let file: Deno.FsFile | null;
    try {
      file = this.#open();
    } catch (error) {
      throw systemError(error, "write", this.name);
    }
    if (file === null) throw new AnchorMissingError(this.name);
    if (this.#refusal !== undefined) throw this.#refusal;
    return file;
  }

  /** Open for writing where that is allowed. Null when there is no file. */
  #open(): Deno.FsFile | null {
    if (this.#file !== undefined && !this.#current && !this.#isAtPath()) this.release();
    this.#current = true;
    if (this.#file !== undefined) return this.#file;
    try {
      return this.#file = Deno.openSync(this.name, { read: true, write: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      if (!isWriteRefusal(error)) throw error;
      this.#refusal = systemError(error, "write", this.name);
    }
    try {
      return this.#file = Deno.openSync(this.name, { read: true });
    } catch (error) {
      // Deno refuses writing before anybody looks whether the file is there.
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  #isAtPath(): boolean {
    try {
      this.#watch ??= new PathWatch(this.name, this.#file!.statSync());
      return this.#watch.isSame();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }
}

/** The folder of a path; undefined where there is none, or it may not be opened, though what is in it may be removed. */
function folderIfAllowed(path: string): Deno.FsFile | undefined {
  try {
    return openFolder(path);
  } catch (error) {
    if (isWriteRefusal(error) || (error as CofferError).cause instanceof Deno.errors.NotFound) return undefined;
    throw systemError((error as CofferError).cause, "remove", path);
  }
}

/** Gives an anchor that waited its own name; the link is exclusive, so that no other anchor is written over. */
function giveName(waiting: string, name: string): void {
  const folder = openFolder(name);
  try {
    try {
      Deno.linkSync(waiting, name);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw new AnchorExistsError(name, { cause: error });
      // No hard links here: nothing was at the name a moment ago, and the vault's lock is held.
      Deno.renameSync(waiting, name);
    }
    syncFolder(folder);
    removeIfThere(waiting);
  } catch (error) {
    throw systemError(error, "create", name);
  } finally {
    folder?.close();
  }
}
