/**
 * Anchors for tests: in memory, and failing on demand.
 *
 * @module
 */
import { InputOutputError } from "../lib/errors.ts";
import { inspectAnchor } from "../lib/sealed/anchor.ts";
import type { AnchorStore } from "../lib/storage/anchor_store.ts";

/** Where the lowest byte of the epoch stands in a record. */
const EPOCH_OFFSET = 12;

/** An anchor that several vaults may share. */
export class MemoryAnchor implements AnchorStore {
  readonly name = "memory-anchor";
  /** The contents. */
  bytes: Uint8Array<ArrayBuffer> | null;
  /** What becomes of a write: it takes place, is lost without a word, or fails. */
  writes: "kept" | "lost" | "failing" = "kept";
  /** Writes of this epoch are lost. */
  lostEpoch: number | undefined;
  /** Writes of this epoch fail. */
  failingEpoch: number | undefined;

  /** Starts with a copy of the contents of another one, or empty. */
  constructor(bytes: Uint8Array | null = null) {
    this.bytes = bytes === null ? null : new Uint8Array(bytes);
  }

  /** The generation that it names. */
  get generation(): number {
    return Math.max(...inspectAnchor(this.bytes!, this.name).map(({ generation }) => generation));
  }

  read(): Uint8Array<ArrayBuffer> | null {
    return this.bytes?.slice() ?? null;
  }

  assertWritable(): void {}

  write(bytes: Uint8Array<ArrayBuffer>, offset: number): void {
    if (this.#takes(bytes)) this.bytes!.set(bytes, offset);
  }

  replace(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#takes(bytes)) this.bytes = bytes.slice();
  }

  remove(): void {
    this.bytes = null;
  }

  release(): void {}

  #takes(bytes: Uint8Array): boolean {
    if (this.writes === "failing" || bytes[EPOCH_OFFSET] === this.failingEpoch) {
      throw new InputOutputError("write", this.name);
    }
    return this.writes === "kept" && bytes[EPOCH_OFFSET] !== this.lostEpoch;
  }
}
