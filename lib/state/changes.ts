/**
 * Deltas and snapshots as lines.
 *
 * @module
 */
import { CorruptVaultError } from "../errors.ts";
import { type Line, LineDecoder } from "./lines.ts";
import { type Changes, setChange, State } from "./records.ts";

/** The lines of a delta. */
export function* changeLines(changes: Changes): Generator<Line> {
  for (const [kind, records] of changes) {
    for (const [key, json] of records) yield [kind, key, json];
  }
}

/**
 * Reads a delta from the pieces of its text.
 *
 * @throws {CorruptVaultError} when it is not of the form, or a record comes twice
 */
export async function readChanges(chunks: AsyncIterable<Uint8Array>): Promise<Changes> {
  const decoder = new LineDecoder("delta");
  const changes: Changes = new Map();
  let lines = 0;
  for await (const chunk of chunks) {
    for (const [kind, key, json] of decoder.push(chunk)) {
      setChange(changes, kind, key, json);
      lines++;
    }
  }
  decoder.end();
  let records = 0;
  for (const { size } of changes.values()) records += size;
  checkCount(lines, records);
  return changes;
}

/**
 * Reads a snapshot from the pieces of its text.
 *
 * @throws {CorruptVaultError} when it is not of the form, or a record comes twice
 */
export async function readSnapshot(chunks: AsyncIterable<Uint8Array>): Promise<State> {
  const decoder = new LineDecoder("snapshot");
  const state = new State();
  let lines = 0;
  for await (const chunk of chunks) {
    for (const [kind, key, json] of decoder.push(chunk)) {
      state.put(kind, key, json!);
      lines++;
    }
  }
  decoder.end();
  checkCount(lines, state.size);
  return state;
}

/** Fewer records than lines: one of them stood twice. Counting is cheaper than asking at every line. */
function checkCount(lines: number, records: number): void {
  if (lines !== records) throw new CorruptVaultError("a record stands twice in a segment");
}

/** Whether there is anything in the changes. */
export function hasChanges(changes: Changes): boolean {
  for (const records of changes.values()) {
    if (records.size > 0) return true;
  }
  return false;
}
