/**
 * Deltas and snapshots as lines.
 *
 * @module
 */
import { type Line, LineDecoder } from "./lines.ts";
import { type Changes, setChange, State } from "./records.ts";

/** The lines of a delta. */
export function* changeLines(changes: Changes): Generator<Line> {
  for (const [kind, records] of changes) {
    for (const [key, json] of records) yield [kind, key, json];
  }
}

/** Reads a delta from the pieces of its text. A key that comes twice has its later value. */
export async function readChanges(chunks: AsyncIterable<Uint8Array>): Promise<Changes> {
  const decoder = new LineDecoder("delta");
  const changes: Changes = new Map();
  for await (const chunk of chunks) {
    for (const [kind, key, json] of decoder.push(chunk)) setChange(changes, kind, key, json);
  }
  decoder.end();
  return changes;
}

/** Reads a snapshot from the pieces of its text. */
export async function readSnapshot(chunks: AsyncIterable<Uint8Array>): Promise<State> {
  const decoder = new LineDecoder("snapshot");
  const state = new State();
  for await (const chunk of chunks) {
    for (const [kind, key, json] of decoder.push(chunk)) state.put(kind, key, json!);
  }
  decoder.end();
  return state;
}

/** Whether there is anything in the changes. */
export function hasChanges(changes: Changes): boolean {
  for (const records of changes.values()) {
    if (records.size > 0) return true;
  }
  return false;
}
