/**
 * The state of a vault: records by kind and key, as values without any I/O.
 *
 * A record's value is kept as its JSON text and is parsed when it is asked for. Text can not be changed by whoever got
 * hold of it, so views may share it freely, and opening a large vault parses nothing that is not read.
 *
 * @module
 */

import { AUDIT } from "../audit/entry.ts";

/** Changes to records, by kind and key: the new JSON text, or null for a removal. */
export type Changes = Map<string, Map<string, string | null>>;

/** Records that can be looked up. */
export interface RecordReader {
  /** The JSON text of a record, or undefined. */
  get(kind: string, key: string): string | undefined;
  /** All keys of a kind, in no order that means anything. */
  keys(kind: string): IterableIterator<string>;
}

/** Records that can be changed. */
export interface RecordWriter extends RecordReader {
  /** Sets a record. */
  put(kind: string, key: string, json: string): void;
  /** Removes a record; one that is not there stays away. */
  remove(kind: string, key: string): void;
}

/** The records of one committed generation. */
export class State implements RecordReader {
  readonly #kinds = new Map<string, Map<string, string>>();

  /** The JSON text of a record, or undefined. */
  get(kind: string, key: string): string | undefined {
    return this.#kinds.get(kind)?.get(key);
  }

  /** All keys of a kind. */
  *keys(kind: string): IterableIterator<string> {
    yield* this.#kinds.get(kind)?.keys() ?? [];
  }

  /** How many records of a kind there are. */
  count(kind: string): number {
    return this.#kinds.get(kind)?.size ?? 0;
  }

  /** How many records there are. */
  get size(): number {
    let size = 0;
    for (const records of this.#kinds.values()) size += records.size;
    return size;
  }

  /** Sets a record. For decoding; what users change goes through a {@linkcode Draft}. */
  put(kind: string, key: string, json: string): void {
    const records = this.#kinds.get(kind);
    if (records === undefined) this.#kinds.set(kind, new Map([[key, json]]));
    else records.set(key, json);
  }

  /** Applies changes that were committed. */
  apply(changes: Changes): void {
    for (const [kind, records] of changes) {
      // The log travels with the changes and is no part of the state.
      if (kind === AUDIT) continue;
      for (const [key, json] of records) {
        if (json === null) this.#kinds.get(kind)?.delete(key);
        else this.put(kind, key, json);
      }
    }
  }

  /** Every record, kind by kind. */
  *records(): IterableIterator<readonly [kind: string, key: string, json: string]> {
    for (const [kind, records] of this.#kinds) {
      for (const [key, json] of records) yield [kind, key, json];
    }
  }
}

/** A private copy-on-write view: reads fall through to the base, changes stay here until they are taken over. */
export class Draft implements RecordWriter {
  readonly #base: RecordReader;
  readonly #changes: Changes = new Map();

  /** Starts a view on a base, which must not change while the view is in use. */
  constructor(base: RecordReader) {
    this.#base = base;
  }

  /** The JSON text of a record as this view sees it, or undefined. */
  get(kind: string, key: string): string | undefined {
    const changed = this.#changes.get(kind)?.get(key);
    return changed === undefined ? this.#base.get(kind, key) : changed ?? undefined;
  }

  /** All keys of a kind as this view sees them. */
  *keys(kind: string): IterableIterator<string> {
    const changes = this.#changes.get(kind);
    for (const key of this.#base.keys(kind)) {
      if (!changes?.has(key)) yield key;
    }
    for (const [key, json] of changes ?? []) {
      if (json !== null) yield key;
    }
  }

  /** Sets a record in this view. */
  put(kind: string, key: string, json: string): void {
    setChange(this.#changes, kind, key, json);
  }

  /** Removes a record from this view. */
  remove(kind: string, key: string): void {
    setChange(this.#changes, kind, key, null);
  }

  /** What was changed, to be committed or to be laid on the view below. Not a copy. */
  get changes(): Changes {
    return this.#changes;
  }

  /** Takes over the changes of a view that was based on this one. */
  absorb(changes: Changes): void {
    mergeChanges(this.#changes, changes);
  }
}

/** Lays newer changes over older ones, in place. */
export function mergeChanges(older: Changes, newer: Changes): void {
  for (const [kind, records] of newer) {
    for (const [key, json] of records) setChange(older, kind, key, json);
  }
}

/** Notes one change. */
export function setChange(changes: Changes, kind: string, key: string, json: string | null): void {
  const records = changes.get(kind);
  if (records === undefined) changes.set(kind, new Map([[key, json]]));
  else records.set(key, json);
}
