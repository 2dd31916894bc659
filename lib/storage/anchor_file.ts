/**
 * The anchor in a file of its own, by default beside the vault; another disk is better.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { AnchorExistsError, AnchorMissingError } from "../errors.ts";
import type { AnchorStore } from "./anchor_store.ts";
import { replacePublished } from "./create.ts";
import { systemError } from "./system_errors.ts";

/** Nothing longer is an anchor. */
const MOST = 4096;

/** The path of a vault's anchor unless a caller names another. */
export function anchorPath(vault: string): string {
  return `${vault}.anchor`;
}

/** An anchor in a file. It is opened for each use: whoever put another file there must be noticed. */
export class FileAnchor implements AnchorStore {
  readonly name: string;

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
      using file = Deno.openSync(this.name, { read: true });
      const bytes = new Uint8Array(MOST);
      let size = 0;
      for (let got: number | null; size < MOST && (got = file.readSync(bytes.subarray(size))) !== null;) size += got;
      return bytes.slice(0, size);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw systemError(error, "read", this.name);
    }
  }

  assertWritable(): void {
    this.#open().close();
  }

  write(bytes: Bytes, offset: number): void {
    using file = this.#open();
    try {
      file.seekSync(offset, Deno.SeekMode.Start);
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    } catch (error) {
      throw systemError(error, "write", this.name);
    }
  }

  replace(bytes: Bytes): void {
    replacePublished(this.name, bytes);
  }

  #open(): Deno.FsFile {
    try {
      return Deno.openSync(this.name, { read: true, write: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) throw new AnchorMissingError(this.name, { cause: error });
      throw systemError(error, "write", this.name);
    }
  }
}
