/**
 * The small file beside a vault that counts failed tries to open it: its bytes, changed under a lock.
 *
 * It is made when there is first something to count, whole or not at all, and from then on written in place. A change
 * reads and writes under the exclusive lock of the file, so that processes which fail at the same time lose no count. The
 * write is of one sector and is not synced: every process sees it at once, and a killed one takes nothing with it. Only a
 * loss of power can forget the last counts, and whoever can cut the power can take the disk; a sync would cost every
 * mistyped passphrase a turn of the disk for that.
 *
 * Who may read the vault and not write this file is not slowed down. That gives nothing away: they can copy the vault
 * and guess elsewhere.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { InputOutputError, NotAFileError, VaultExistsError, VaultNotFoundError } from "../errors.ts";
import { publishFile } from "./create.ts";
import type { LockOptions } from "./disk.ts";
import { DenoDisk } from "./disk_deno.ts";
import { withLock } from "./locking.ts";
import { systemError } from "./system_errors.ts";

/** Longest file that is looked at, in bytes. What is longer was not written by any coffer. */
const MAX_SIZE = 4096;
/** How often to begin again when the file comes and goes between two looks. */
const MOST_TRIES = 16;

/** The file of one vault. It holds no secret, so its mode is not judged; it is made with 0600. */
export class AttemptsFile {
  /** Where it is. */
  readonly path: string;

  /** The file of the vault at a path; nothing is opened yet. */
  constructor(vaultPath: string) {
    this.path = `${vaultPath}.attempts`;
  }

  /**
   * The bytes of the file, or undefined when there is none. Of a file that is too long to be one, the first few.
   *
   * @throws {PermissionDeniedError} @throws {MissingPermissionError} @throws {InputOutputError}
   * @throws {BusyError} when the lock is not had in time
   */
  async read(options: LockOptions = {}): Promise<Bytes | undefined> {
    // Locked, since a read beside a write could get half of each, which would look like damage.
    return await this.#onDisk((disk) => withLock(disk, "shared", options, () => readAll(disk)));
  }

  /**
   * Changes the file under its exclusive lock.
   *
   * @param change is given the bytes, or undefined when there is no file; gives the new ones, or undefined to leave
   *   things as they are. It may be called more than once when the file comes or goes meanwhile; the last call counts.
   * @throws {PermissionDeniedError} @throws {MissingPermissionError} @throws {ReadOnlyFileSystemError}
   * @throws {DiskFullError} @throws {InputOutputError} when it could not be written
   * @throws {BusyError} when the lock is not had in time
   */
  async update(
    change: (bytes: Bytes | undefined) => Promise<Bytes | undefined>,
    options: LockOptions = {},
  ): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const found = await this.#onDisk((disk) =>
        withLock(disk, "exclusive", options, async () => {
          const next = await change(await readAll(disk));
          if (next !== undefined) await writeAll(disk, next);
          return true;
        })
      );
      if (found) return;
      const first = await change(undefined);
      if (first === undefined || this.#create(first)) return;
    }
    throw new InputOutputError("create", this.path, { hint: "Look at what is at this path; it is no regular file" });
  }

  /**
   * Removes the file, if there is one.
   *
   * @throws {PermissionDeniedError} @throws {MissingPermissionError} @throws {InputOutputError}
   */
  remove(): void {
    try {
      Deno.removeSync(this.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw systemError(error, "remove", this.path);
    }
  }

  /** Makes the file; false when another process was first. */
  #create(bytes: Bytes): boolean {
    try {
      publishFile(this.path, bytes);
      return true;
    } catch (error) {
      if (error instanceof VaultExistsError) return false;
      throw error;
    }
  }

  /** Works on the file, or gives undefined when there is none, or none any more. */
  async #onDisk<T>(work: (disk: DenoDisk) => Promise<T>): Promise<T | undefined> {
    try {
      const disk = DenoDisk.open(this.path, { allowInsecurePermissions: true });
      try {
        return await work(disk);
      } finally {
        disk.close();
      }
    } catch (error) {
      if (error instanceof VaultNotFoundError) return undefined;
      if (!(error instanceof NotAFileError)) throw error;
      throw new InputOutputError("read", this.path, {
        cause: error,
        hint: "Remove what is at this path; failed tries to open the vault are counted in a file there",
      });
    }
  }
}

async function readAll(disk: DenoDisk): Promise<Bytes> {
  const bytes = new Uint8Array(Math.min(await disk.size(), MAX_SIZE));
  return bytes.slice(0, await disk.readAt(bytes, 0));
}

/** Writes in place. The size changes only where a damaged file had another one. */
async function writeAll(disk: DenoDisk, bytes: Bytes): Promise<void> {
  await disk.writeAt(bytes, 0);
  if (await disk.size() !== bytes.length) await disk.truncate(bytes.length);
}
