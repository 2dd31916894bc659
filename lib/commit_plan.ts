/**
 * What a commit writes: a delta, or a snapshot with the log's old entries beside it.
 *
 * @module
 */
import { AUDIT } from "./audit/entry.ts";
import type { Bytes } from "./bytes.ts";
import { concat } from "./bytes.ts";
import type { VaultKeys } from "./sealed/keys.ts";
import { CHUNK_SIZE } from "./sealed/segment.ts";
import { type Generation, type NewSegment, openLive, snapshotIndex } from "./sealed/store.ts";
import { changeLines } from "./state/changes.ts";
import { planAudit, planCommit } from "./state/compaction.ts";
import { encodeLines, type Line } from "./state/lines.ts";
import { type Changes, mergeChanges, type State } from "./state/records.ts";
import { MAX_SEGMENTS } from "./storage/medium.ts";

/** What is live, and in memory. */
export interface Live {
  readonly generation: Generation;
  readonly state: State;
  /** What each live delta changed, oldest first. */
  readonly deltas: readonly Changes[];
}

/** What to write, and which deltas are live afterwards. */
export interface CommitPlan {
  readonly append: readonly NewSegment[];
  /** How many live segments stay, from the oldest. */
  readonly keep: number;
  readonly deltas: readonly Changes[];
}

/** Plans the commit of some changes, entries of the log among them. */
export async function planChanges(keys: VaultKeys, live: Live, changes: Changes): Promise<CommitPlan> {
  const { segments } = live.generation;
  const at = snapshotIndex(segments);
  const sizes = segments.map(({ stored }) => stored.length);
  const added = encode(changeLines(changes));
  const size = added.reduce((sum, chunk) => sum + chunk.length, 0);
  const plan = planCommit(sizes[at]!, sizes.slice(at + 1), size, MAX_SEGMENTS - at - 1);
  if (plan.write === "snapshot") return await planSnapshot(keys, live, changes);
  if (plan.absorb === 0) {
    return {
      append: [{ kind: "delta", chunks: added }],
      keep: segments.length,
      deltas: [...live.deltas, changes],
    };
  }
  const from = live.deltas.length - plan.absorb;
  const merged: Changes = new Map();
  for (const delta of live.deltas.slice(from)) mergeChanges(merged, delta);
  mergeChanges(merged, changes);
  return {
    append: [{ kind: "delta", chunks: encode(changeLines(merged)) }],
    keep: segments.length - plan.absorb,
    deltas: [...live.deltas.slice(0, from), merged],
  };
}

/** Plans a commit that writes the whole state anew; the deltas' entries of the log move into a segment of their own. */
async function planSnapshot(keys: VaultKeys, live: Live, changes: Changes): Promise<CommitPlan> {
  const { segments } = live.generation;
  const entries = encode(auditLines([...live.deltas, changes]));
  const sizes = segments.slice(0, snapshotIndex(segments)).map(({ stored }) => stored.length);
  const absorb = planAudit(sizes, entries.reduce((sum, chunk) => sum + chunk.length, 0));
  return await planWhole(keys, live, changes, sizes.length - absorb, entries);
}

/** Plans a commit that writes everything anew, the whole log included: nothing that was sealed before is kept. */
export async function planRewrite(keys: VaultKeys, live: Live, changes: Changes): Promise<CommitPlan> {
  return await planWhole(keys, live, changes, 0, encode(auditLines([...live.deltas, changes])));
}

/** Plans a commit that writes everything anew, with a log that the caller made, in pieces of any size. */
export function planWithLog(live: Live, changes: Changes, log: readonly Bytes[]): CommitPlan {
  return {
    append: [
      { kind: "audit", chunks: rechunk(log) },
      { kind: "snapshot", chunks: encode(snapshotLines(live.state, changes)) },
    ],
    keep: 0,
    deltas: [],
  };
}

async function planWhole(
  keys: VaultKeys,
  live: Live,
  changes: Changes,
  keep: number,
  entries: readonly Bytes[],
): Promise<CommitPlan> {
  const older = await readPieces(keys, live.generation, keep);
  return {
    append: [
      { kind: "audit", chunks: older.length === 0 ? entries : rechunk([...older, ...entries]) },
      { kind: "snapshot", chunks: encode(snapshotLines(live.state, changes)) },
    ],
    keep,
    deltas: [],
  };
}

/** The lines as the chunks of a segment. */
export function encode(lines: Iterable<Line>): readonly Bytes[] {
  return [...encodeLines(lines, CHUNK_SIZE)];
}

/** The entries of the log in some deltas, oldest first. */
export function* auditLines(deltas: readonly Changes[]): Generator<Line> {
  for (const delta of deltas) {
    for (const [key, json] of delta.get(AUDIT) ?? []) yield [AUDIT, key, json];
  }
}

/** The plaintext of the audit segments from one on. */
async function readPieces(keys: VaultKeys, { meta, segments }: Generation, from: number): Promise<Bytes[]> {
  const pieces: Bytes[] = [];
  for (const segment of segments.slice(from, snapshotIndex(segments))) {
    for await (const piece of openLive(keys, meta.vaultId, segment)) pieces.push(piece);
  }
  return pieces;
}

/** Pieces of any size as the chunks of a segment. */
function rechunk(pieces: readonly Bytes[]): readonly Bytes[] {
  const chunks: Bytes[] = [];
  let parts: Bytes[] = [];
  let filled = 0;
  for (let piece of pieces) {
    while (piece.length > 0) {
      const part = piece.subarray(0, CHUNK_SIZE - filled);
      parts.push(part);
      filled += part.length;
      piece = piece.subarray(part.length);
      if (filled < CHUNK_SIZE) continue;
      chunks.push(concat(...parts));
      parts = [];
      filled = 0;
    }
  }
  if (filled > 0 || chunks.length === 0) chunks.push(concat(...parts));
  return chunks;
}

function* snapshotLines(state: State, changes: Changes): Generator<Line> {
  for (const record of state.records()) {
    if (!changes.get(record[0])?.has(record[1])) yield record;
  }
  for (const line of changeLines(changes)) {
    if (line[2] !== null && line[0] !== AUDIT) yield line;
  }
}
