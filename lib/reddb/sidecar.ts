/**
 * The note beside a RedDB file that tells what its header page was and shall be, while it is being rewritten.
 *
 * | bytes     | field                                                      |
 * | --------- | ---------------------------------------------------------- |
 * | 4         | `RDVH`                                                     |
 * | 4         | version of the note: 1, little-endian                      |
 * | page size | the header page as it was                                  |
 * | page size | the header page as it shall be; its chain is written       |
 * | 32        | SHA-256 of all before: a note that is cut short is no note |
 *
 * @module
 */
import { type Bytes, concat, encodeUtf8, equalBytes, viewOf } from "../bytes.ts";
import { DIGEST_SIZE, sha256 } from "../crypto/sha256.ts";
import { systemError } from "../storage/system_errors.ts";
import { PAGE_SIZES } from "./page.ts";

/** Where the note is kept. */
export interface Sidecar {
  /** The note, or null when there is none. Whether it is whole is for the caller to find out. */
  read(): Promise<Bytes | null>;
  /** Writes the note where there is none, and returns when it would survive a loss of power. */
  write(note: Uint8Array): Promise<void>;
  /** Removes the note, if there is one. */
  remove(): Promise<void>;
}

/** What a note says. */
export interface HeaderNote {
  /** The header page as it was. */
  readonly before: Bytes;
  /** The header page as it shall be. */
  readonly after: Bytes;
}

const MAGIC = encodeUtf8("RDVH");
const VERSION = 1;
const PAGES_OFFSET = 8;
const MAX_SIZE = PAGES_OFFSET + 2 * Math.max(...PAGE_SIZES) + DIGEST_SIZE;

/** The bytes of a note. */
export async function encodeNote({ before, after }: HeaderNote): Promise<Bytes> {
  const start = new Uint8Array(PAGES_OFFSET);
  start.set(MAGIC);
  viewOf(start).setUint32(4, VERSION, true);
  return concat(start, before, after, await sha256(start, before, after));
}

/** What the bytes say, or null when they are no whole note for pages of this size. */
export async function decodeNote(bytes: Bytes | null, pageSize: number): Promise<HeaderNote | null> {
  const length = PAGES_OFFSET + 2 * pageSize;
  if (bytes?.length !== length + DIGEST_SIZE || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return null;
  if (viewOf(bytes).getUint32(4, true) !== VERSION) return null;
  if (!equalBytes(await sha256(bytes.subarray(0, length)), bytes.subarray(length))) return null;
  const before = bytes.subarray(PAGES_OFFSET, PAGES_OFFSET + pageSize);
  return { before, after: bytes.subarray(PAGES_OFFSET + pageSize, length) };
}

/** No note at all: for a disk that has no place beside it. A torn header page is not put back then. */
export const NO_SIDECAR: Sidecar = {
  read: () => Promise.resolve(null),
  write: () => Promise.resolve(),
  remove: () => Promise.resolve(),
};

/** A note in a file beside the vault's. */
export class FileSidecar implements Sidecar {
  readonly #path: string;
  readonly #folder: string;

  /** The note of the RedDB file at a path. */
  constructor(path: string) {
    this.#path = `${path}-vault-header`;
    const slash = Math.max(path.lastIndexOf("/"), Deno.build.os === "windows" ? path.lastIndexOf("\\") : -1);
    this.#folder = slash < 0 ? "." : path.slice(0, slash + 1);
  }

  // deno-lint-ignore require-await
  async read(): Promise<Bytes | null> {
    try {
      // What is no file was not written here: a pipe would not end, a link may lead anywhere.
      if (!Deno.lstatSync(this.#path).isFile) return null;
      using file = Deno.openSync(this.#path, { read: true });
      const bytes = new Uint8Array(MAX_SIZE + 1);
      let size = 0;
      for (let got: number | null = 0; got !== null && size < bytes.length; size += got ?? 0) {
        got = file.readSync(bytes.subarray(size));
      }
      return bytes.slice(0, size);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw systemError(error, "read", this.#path);
    }
  }

  // deno-lint-ignore require-await
  async write(note: Uint8Array): Promise<void> {
    try {
      // A new file always: whatever has the name, a link too, is not followed and not written through.
      using file = Deno.openSync(this.#path, { write: true, createNew: true, mode: 0o600 });
      for (let done = 0; done < note.length;) done += file.writeSync(note.subarray(done));
      file.syncSync();
      this.#syncFolder();
    } catch (error) {
      throw systemError(error, "write", this.#path);
    }
  }

  // deno-lint-ignore require-await
  async remove(): Promise<void> {
    try {
      Deno.removeSync(this.#path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw systemError(error, "remove", this.#path);
    }
  }

  /** The name is part of the folder: it is durable once the folder is. */
  #syncFolder(): void {
    // Windows does not open folders; its file system orders the name with the file.
    if (Deno.build.os === "windows") return;
    using folder = Deno.openSync(this.#folder, { read: true });
    folder.syncSync();
  }
}
