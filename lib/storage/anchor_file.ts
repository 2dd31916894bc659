/**
 * The anchor in a file of its own, by default beside the vault; another disk is better.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { AnchorExistsError, AnchorMissingError, type CofferError } from "../errors.ts";
import type { AnchorStore } from "./anchor_store.ts";
import { replacePublished } from "./create.ts";
import { isWriteRefusal, systemError } from "./system_errors.ts";

/** Nothing longer is an anchor. */
const MOST = 2048;

/** The path of a vault's anchor unless a caller names another. */
export function anchorPath(vault: string): string {
  return `${vault}.anchor`;
}

/**
 * An anchor in a file. It is opened anew under each lock: whoever put another file there must be noticed. What was opened to
 * be read is written to as well, until the lock is given up.
 */
export class FileAnchor implements AnchorStore {
  readonly name: string;
  readonly #buffer = new Uint8Array(MOST);
  #file: Deno.FsFile | undefined;
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
    try {
      Deno.removeSync(this.name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw systemError(error, "remove", this.name);
    }
  }

  release(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#refusal = undefined;
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
    if (this.#file !== undefined) return this.#file;
    try {
      return this.#file = Deno.openSync(this.name, { read: true, write: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      if (!isWriteRefusal(error)) throw error;
      this.#refusal = systemError(error, "write", this.name);
      return this.#file = Deno.openSync(this.name, { read: true });
    }
  }
}
