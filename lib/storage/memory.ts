/**
 * The memory medium: committed versions as plain values. It shows what a medium promises with nothing in the way.
 *
 * @module
 */
import { ConflictError } from "../errors.ts";
import { assertCommit } from "./commit_rules.ts";
import type { Lock, LockMode, LockOptions } from "./disk.ts";
import { MemoryDisk, MemoryFile } from "./disk_memory.ts";
import type { Commit, Committed, Medium, MediumUsage, StoredSegment } from "./medium.ts";

/** What several media share: the newest version, and the locks on it. */
export class MemoryStore {
  /** The newest version, once there is one. */
  newest: Committed | undefined;
  readonly #file: MemoryFile = new MemoryFile();

  /** A handle for the locks between media. */
  connect(): Pick<Medium, "lock" | "close"> {
    return new MemoryDisk(this.#file);
  }
}

/** One handle on a {@linkcode MemoryStore}. */
export class MemoryMedium implements Medium {
  readonly name = "memory";
  readonly #store: MemoryStore;
  readonly #locks: Pick<Medium, "lock" | "close">;

  /** Opens a handle, on a store of its own by default. */
  constructor(store: MemoryStore = new MemoryStore()) {
    this.#store = store;
    this.#locks = store.connect();
  }

  lock(mode: LockMode, options: LockOptions = {}): Promise<Lock> {
    return this.#locks.lock(mode, options);
  }

  read(since?: Committed): Promise<Committed | null> {
    const { newest } = this.#store;
    return Promise.resolve(newest === undefined || newest === since ? null : newest);
  }

  // deno-lint-ignore require-await
  async commit(base: number, commit: Commit): Promise<Committed> {
    assertCommit(commit);
    const { meta, append, retain } = commit;
    const newest = this.#store.newest?.version ?? 0;
    if (newest !== base) throw new ConflictError(base, newest);
    const retained = this.#store.newest?.segments.filter((segment) => retain.includes(segment)) ?? [];
    if (retained.length !== retain.length) throw new RangeError("A segment to retain is not one of the base version");
    const segments = [...retained, ...append.map((bytes) => segment(base + 1, new Uint8Array(bytes)))];
    return this.#store.newest = { version: base + 1, meta: new Uint8Array(meta), segments, recovered: false };
  }

  usage(): Promise<MediumUsage> {
    const total = this.#store.newest?.segments.reduce((sum, { length }) => sum + length, 0) ?? 0;
    return Promise.resolve({ total, live: total });
  }

  close(): void {
    this.#locks.close();
  }
}

function segment(version: number, bytes: Uint8Array<ArrayBuffer>): StoredSegment {
  return {
    version,
    length: bytes.length,
    // deno-lint-ignore require-await
    read: async (offset, length) => {
      if (offset < 0 || length < 0 || offset + length > bytes.length) {
        throw new RangeError(`Cannot read ${length} bytes at ${offset} of a segment of ${bytes.length}`);
      }
      return bytes.slice(offset, offset + length);
    },
  };
}
