/**
 * A Disk in memory: for tests, and where there is no file system.
 *
 * @module
 */
import { DiskFullError } from "../errors.ts";
import type { Disk, Lock, LockMode, LockOptions } from "./disk.ts";
import { acquire, once } from "./locking.ts";

/** A file in memory takes no more bytes than one array can have everywhere. */
const MAX_SIZE = 2 ** 32;

/** The bytes that several handles share, with the locks between them. */
export class MemoryFile {
  /** The contents. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Handles that hold a shared lock. */
  readonly shared: Set<MemoryDisk> = new Set();
  /** The handle that holds the exclusive lock. */
  exclusive: MemoryDisk | undefined;

  /** Starts with a copy of the given contents. */
  constructor(contents: Uint8Array = new Uint8Array(0)) {
    this.bytes = new Uint8Array(contents);
  }
}

/** One handle on a {@linkcode MemoryFile}. */
export class MemoryDisk implements Disk {
  readonly path: string;
  readonly readOnly = false;
  readonly #file: MemoryFile;

  /** Opens a handle; the path is for messages only. */
  constructor(file: MemoryFile = new MemoryFile(), path = "memory") {
    this.#file = file;
    this.path = path;
  }

  readAt(target: Uint8Array, offset: number): Promise<number> {
    const part = this.#file.bytes.subarray(offset, offset + target.length);
    target.set(part);
    return Promise.resolve(part.length);
  }

  writeAt(data: Uint8Array, offset: number): Promise<void> {
    if (data.length > 0 && offset + data.length > this.#file.bytes.length) this.#resize(offset + data.length, "write");
    if (data.length > 0) this.#file.bytes.set(data, offset);
    return Promise.resolve();
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  size(): Promise<number> {
    return Promise.resolve(this.#file.bytes.length);
  }

  truncate(size: number): Promise<void> {
    this.#resize(size, "resize");
    return Promise.resolve();
  }

  async lock(mode: LockMode, options: LockOptions = {}): Promise<Lock & { readonly replaced: boolean }> {
    const file = this.#file;
    await acquire(this.path, () => {
      if (file.exclusive !== undefined || (mode === "exclusive" && file.shared.size > 0)) return false;
      if (mode === "exclusive") file.exclusive = this;
      else file.shared.add(this);
      return true;
    }, options);
    return { replaced: false, release: once(() => this.#unlock()) };
  }

  close(): void {
    this.#unlock();
  }

  #unlock(): void {
    this.#file.shared.delete(this);
    if (this.#file.exclusive === this) this.#file.exclusive = undefined;
  }

  #resize(size: number, operation: string): void {
    if (size > MAX_SIZE) throw new DiskFullError(operation, this.path);
    const bytes = new Uint8Array(size);
    bytes.set(this.#file.bytes.subarray(0, size));
    this.#file.bytes = bytes;
  }
}
