/**
 * A Disk on a file, by way of `Deno.FsFile`.
 *
 * @module
 */
import { type CofferError, InsecurePermissionsError, NotAFileError, VaultNotFoundError } from "../errors.ts";
import { Mutex } from "../mutex.ts";
import type { Disk, Lock, LockMode, LockOptions } from "./disk.ts";
import { acquire, Courtesy, once } from "./locking.ts";
import { PathWatch } from "./path_watch.ts";
import type { FileSystem } from "./permissions.ts";
import { isWriteRefusal, systemError } from "./system_errors.ts";

/** Up to this many bytes a call takes microseconds and is made at once; larger ones leave the thread to others. */
const SMALL = 64 * 1024;

/** A sync that takes fewer milliseconds is quick: it holds up the thread less than a garbage collection does. */
const QUICK_SYNC = 1;

/** What to accept. */
export interface DenoDiskOptions {
  /** Accepts a file that group or others may read or write. @default {false} */
  readonly allowInsecurePermissions?: boolean;
  /** The system that the file is on, where it is not this one. */
  readonly system?: FileSystem;
}

/** A file, open for reading and, where that is allowed, for writing. */
export class DenoDisk implements Disk {
  readonly path: string;
  readonly #options: DenoDiskOptions;
  /** Large calls seek and then wait: nobody may seek in between. */
  readonly #turns = new Mutex();
  readonly #courtesy = new Courtesy();
  #large = 0;
  /** Whether the last sync was quick, and so the next one may be made without leaving the thread. */
  #syncsQuickly = false;
  #opened: Opened;

  private constructor(path: string, options: DenoDiskOptions, opened: Opened) {
    this.path = path;
    this.#options = options;
    this.#opened = opened;
  }

  /**
   * Opens an existing file. When writing is not allowed it is opened for reading, and writing says why not.
   *
   * @throws {VaultNotFoundError} @throws {NotAFileError} @throws {InsecurePermissionsError}
   * @throws {PermissionDeniedError} @throws {MissingPermissionError} when not even reading is allowed
   */
  static open(path: string, options: DenoDiskOptions = {}): DenoDisk {
    return new DenoDisk(path, options, openFile(path, options));
  }

  /**
   * Opens an existing file as {@linkcode DenoDisk.open} does, and where files have access lists instead of modes, looks
   * at that too. Where neither is there to be looked at, the log says so.
   *
   * @throws {InsecurePermissionsError} and what else opening throws
   */
  static async openPrivate(path: string, options: DenoDiskOptions = {}): Promise<DenoDisk> {
    const disk = DenoDisk.open(path, options);
    const { system, allowInsecurePermissions } = options;
    if ((system?.os ?? Deno.build.os) !== "windows" || allowInsecurePermissions) return disk;
    try {
      const { assertPrivate, thisFileSystem } = await import("./permissions.ts");
      await assertPrivate(path, system ?? await thisFileSystem());
      return disk;
    } catch (error) {
      disk.close();
      throw error;
    }
  }

  /** Whether writing was refused when the file was opened. */
  get readOnly(): boolean {
    return this.#opened.refusal !== undefined;
  }

  async readAt(target: Uint8Array, offset: number): Promise<number> {
    const { file } = this.#opened;
    try {
      if (target.length > SMALL || this.#large > 0) return await this.#inTurn(() => readLarge(file, target, offset));
      file.seekSync(offset, Deno.SeekMode.Start);
      let done = 0;
      while (done < target.length) {
        const got = file.readSync(target.subarray(done));
        if (got === null || got === 0) break;
        done += got;
      }
      return done;
    } catch (error) {
      throw systemError(error, "read", this.path);
    }
  }

  async writeAt(data: Uint8Array, offset: number): Promise<void> {
    this.#assertWritable();
    if (data.length === 0) return;
    const { file } = this.#opened;
    try {
      if (data.length > SMALL || this.#large > 0) return await this.#inTurn(() => writeLarge(file, data, offset));
      file.seekSync(offset, Deno.SeekMode.Start);
      for (let done = 0; done < data.length;) done += file.writeSync(data.subarray(done));
    } catch (error) {
      throw systemError(error, "write", this.path);
    }
  }

  async sync(): Promise<void> {
    const start = performance.now();
    try {
      // On a disk that syncs at once, handing the call to another thread and back costs as much as the sync.
      if (this.#syncsQuickly && this.#large === 0) this.#opened.file.syncDataSync();
      else await this.#opened.file.syncData();
      this.#syncsQuickly = performance.now() - start < QUICK_SYNC;
    } catch (error) {
      throw systemError(error, "sync", this.path);
    }
  }

  // deno-lint-ignore require-await
  async size(): Promise<number> {
    try {
      return this.#opened.file.statSync().size;
    } catch (error) {
      throw systemError(error, "read the size of", this.path);
    }
  }

  // deno-lint-ignore require-await
  async truncate(size: number): Promise<void> {
    this.#assertWritable();
    try {
      this.#opened.file.truncateSync(size);
    } catch (error) {
      throw systemError(error, "resize", this.path);
    }
  }

  async lock(mode: LockMode, options: LockOptions = {}): Promise<Lock & { readonly replaced: boolean }> {
    if (this.#courtesy.isDue) await this.#courtesy.pause(options.signal);
    for (let replaced = false;; replaced = true) {
      const { file } = this.#opened;
      await acquire(this.path, () => this.#tryLock(file, mode), options);
      const release = once(() => {
        this.#courtesy.released();
        unlock(file, this.path);
      });
      try {
        // The lock is on the file that was opened. If another one has its name now, nobody else looks at this one.
        if (this.#isAtPath()) return { replaced, release };
        const opened = openFile(this.path, this.#options);
        this.#opened = opened;
        closeOld(file);
      } catch (error) {
        try {
          release();
        } catch { /* What failed first is what the caller must know. */ }
        throw error;
      }
    }
  }

  close(): void {
    try {
      this.#opened.file.close();
    } catch (error) {
      // Closing twice is no mistake: a vault is closed by its owner and by what failed in it.
      if (!(error instanceof Deno.errors.BadResource)) throw systemError(error, "close", this.path);
    }
  }

  #tryLock(file: Deno.FsFile, mode: LockMode): boolean {
    try {
      return file.tryLockSync(mode === "exclusive");
    } catch (error) {
      throw systemError(error, "lock", this.path);
    }
  }

  #isAtPath(): boolean {
    try {
      return this.#opened.watch.isSame();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) throw new VaultNotFoundError(this.path, { cause: error });
      throw systemError(error, "look up", this.path);
    }
  }

  /** @throws what refused writing, with its operation, path and cause */
  #assertWritable(): void {
    if (this.#opened.refusal !== undefined) throw this.#opened.refusal;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#large++;
    try {
      return await this.#turns.run(work);
    } finally {
      this.#large--;
    }
  }
}

interface Opened {
  readonly file: Deno.FsFile;
  /** Tells when another file takes the path. */
  readonly watch: PathWatch;
  /** Why it can only be read. */
  readonly refusal: CofferError | undefined;
}

function openFile(path: string, options: DenoDiskOptions): Opened {
  // Looked at before it is opened: opening a pipe or a device would wait, or do something.
  const before = statVault(path);
  if (!before.isFile) throw new NotAFileError(path);
  const { file, refusal } = openWritableOrNot(path);
  try {
    const { dev, ino, mode } = file.statSync();
    const open = mode !== null && Deno.build.os !== "windows" && (mode & 0o077) !== 0;
    if (open && !options.allowInsecurePermissions) throw new InsecurePermissionsError(path, mode);
    return { file, watch: new PathWatch(path, { dev, ino }), refusal };
  } catch (error) {
    file.close();
    throw systemError(error, "open", path);
  }
}

function statVault(path: string): Deno.FileInfo {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new VaultNotFoundError(path, { cause: error });
    if ((error as { code?: string }).code === "ENOTDIR") throw new VaultNotFoundError(path, { cause: error });
    throw systemError(error, "open", path);
  }
}

function openWritableOrNot(path: string): { file: Deno.FsFile; refusal: CofferError | undefined } {
  try {
    return { file: Deno.openSync(path, { read: true, write: true }), refusal: undefined };
  } catch (error) {
    if (!isWriteRefusal(error)) throw systemError(error, "open", path);
    try {
      return { file: Deno.openSync(path, { read: true }), refusal: systemError(error, "write", path) };
    } catch (second) {
      throw systemError(second, "open", path);
    }
  }
}

function unlock(file: Deno.FsFile, path: string): void {
  try {
    file.unlockSync();
  } catch (error) {
    // A closed file has given up its locks already.
    if (!(error instanceof Deno.errors.BadResource)) throw systemError(error, "unlock", path);
  }
}

/** Closes a file that lost its name, and with it gives up the lock. */
function closeOld(file: Deno.FsFile): void {
  try {
    file.close();
  } catch { /* Nothing was written to it, and nobody will look at it again. */ }
}

async function readLarge(file: Deno.FsFile, target: Uint8Array, offset: number): Promise<number> {
  file.seekSync(offset, Deno.SeekMode.Start);
  let done = 0;
  while (done < target.length) {
    const got = await file.read(target.subarray(done));
    if (got === null || got === 0) break;
    done += got;
  }
  return done;
}

async function writeLarge(file: Deno.FsFile, data: Uint8Array, offset: number): Promise<void> {
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let done = 0; done < data.length;) done += await file.write(data.subarray(done));
}
