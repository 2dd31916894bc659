/**
 * Reading the audit log: oldest first, piece by piece, and as a chain.
 *
 * Entries stand in the audit segments and, the newest ones, in the deltas. A piece is what one chunk of a segment
 * holds, so that a log of any length takes little memory.
 *
 * @module
 */
import { type Bytes, decodeHex, encodeHex, equalBytes } from "../bytes.ts";
import { CorruptVaultError } from "../errors.ts";
import type { VaultKeys } from "../sealed/keys.ts";
import { chunkCount, openChunk } from "../sealed/segment.ts";
import type { Generation, LiveSegment } from "../sealed/store.ts";
import { type Line, LineDecoder } from "../state/lines.ts";
import { EMPTY_LOG, extendLog, HEAD_SIZE, type LogHead } from "./chain.ts";
import { AUDIT } from "./entry.ts";

/** Key of the line that says what was pruned: where the log ended up to which entries are gone. */
export const CHECKPOINT = "0";

/** Some entries that follow on each other. */
export interface LogPiece {
  /** Where the entries that were pruned ended; only with the first piece of a log of which some were. */
  readonly checkpoint?: LogHead;
  /** Number of the first entry. */
  readonly first: number;
  /** The JSON texts. */
  readonly entries: readonly string[];
}

/**
 * A place in the log, from which it is read on. Between two pieces the vault may be unlocked, and change: what was
 * compacted meanwhile is read again from the start, and passed over up to where the place was.
 */
export class LogCursor {
  /** The segment that is being read, by its id. */
  #id: Bytes | undefined;
  #chunk = 0;
  #decoder = new LineDecoder("delta");
  /** Number of the next entry that is to be found. */
  #found = 1;
  /** Number of the next entry that is to be given. */
  #next = 1;
  #checkpoint: LogHead | undefined;

  /**
   * Gives the entries of the next chunk that has any, or null when there are no more. The caller holds a lock.
   *
   * @throws {CorruptVaultError} when an entry is missing, or there twice
   */
  async read(keys: VaultKeys, { meta, segments }: Generation): Promise<LogPiece | null> {
    const live = segments.filter(({ header }) => header.kind !== "snapshot");
    let index = live.findIndex(({ header }) => this.#id !== undefined && equalBytes(header.id, this.#id));
    if (index < 0) this.#restart(live[index = 0]);
    for (; index < live.length; this.#enter(live[++index])) {
      const { stored, header } = live[index]!;
      for (const count = chunkCount(stored); this.#chunk < count;) {
        const text = await openChunk({ key: keys.data, vaultId: meta.vaultId }, stored, header, this.#chunk++);
        const piece = this.#take(text, header.kind === "audit");
        if (this.#chunk === count) this.#decoder.end();
        if (piece !== null) return piece;
      }
      if (index === live.length - 1) break;
    }
    if (this.#found <= meta.audit.length) throw missing(this.#found);
    if (this.#found > meta.audit.length + 1) throw new CorruptVaultError("the audit log has too many entries");
    return null;
  }

  #restart(segment: LiveSegment | undefined): void {
    this.#found = 1;
    this.#enter(segment);
  }

  #enter(segment: LiveSegment | undefined): void {
    this.#id = segment?.header.id;
    this.#chunk = 0;
    this.#decoder = new LineDecoder(segment?.header.kind === "audit" ? "snapshot" : "delta");
  }

  #take(text: Bytes, onlyEntries: boolean): LogPiece | null {
    const entries: string[] = [];
    let checkpoint: LogHead | undefined;
    for (const line of this.#decoder.push(text)) {
      const [kind, key, json] = line;
      if (kind !== AUDIT) {
        if (onlyEntries) throw new CorruptVaultError("the audit log holds something else");
        continue;
      }
      if (onlyEntries && key === CHECKPOINT && this.#found === 1) {
        const pruned = decodeCheckpoint(json ?? "");
        this.#found = pruned.length + 1;
        // Entries that were pruned while somebody read are gone for him too.
        if (this.#next === 1) checkpoint = pruned;
        this.#next = Math.max(this.#next, this.#found);
        continue;
      }
      const number = entryNumber(line);
      if (number > this.#found) throw missing(this.#found);
      if (number < this.#found) throw new CorruptVaultError(`entry ${number} of the audit log is there twice`);
      if (this.#found++ < this.#next) continue;
      this.#next = this.#found;
      entries.push(json!);
    }
    if (entries.length > 0) {
      const first = this.#next - entries.length;
      const before = checkpoint ?? this.#checkpoint;
      this.#checkpoint = undefined;
      return { first, entries, ...(before === undefined ? {} : { checkpoint: before }) };
    }
    this.#checkpoint = checkpoint ?? this.#checkpoint;
    return null;
  }
}

/** What a check of the whole log found. */
export interface LogCheck extends LogHead {
  /** How many of the entries were pruned. */
  readonly pruned: number;
}

/**
 * Recomputes the chain, from the first entry or from what is left of those that were pruned, and compares it with the
 * meta. The caller holds a lock.
 *
 * @param visit sees every piece, and where the log ended before it
 * @throws {CorruptVaultError} when entries are missing, there twice, or were changed
 */
export async function verifyLog(
  keys: VaultKeys,
  generation: Generation,
  visit?: (piece: LogPiece, before: LogHead) => void | Promise<void>,
): Promise<LogCheck> {
  const cursor = new LogCursor();
  let head = EMPTY_LOG;
  let pruned = 0;
  for (let piece; (piece = await cursor.read(keys, generation)) !== null;) {
    if (piece.checkpoint !== undefined) {
      head = piece.checkpoint;
      pruned = head.length;
    }
    await visit?.(piece, head);
    head = await extendLog(head, piece.entries);
  }
  const { length, head: sealed } = generation.meta.audit;
  if (head.length !== length || !equalBytes(head.head, sealed)) {
    throw new CorruptVaultError(
      `entries ${pruned + 1} to ${length} of the audit log are not the ones that were written`,
    );
  }
  return { ...head, pruned };
}

/** The JSON text of the line that stands for entries that were pruned. */
export function encodeCheckpoint({ length, head }: LogHead): string {
  return JSON.stringify({ length, head: encodeHex(head) });
}

/** @throws {CorruptVaultError} when it is not of the form */
function decodeCheckpoint(json: string): LogHead {
  try {
    const { length, head } = JSON.parse(json);
    const bytes = decodeHex(head);
    if (!Number.isSafeInteger(length) || length < 1 || bytes.length !== HEAD_SIZE) throw new RangeError();
    return { length, head: bytes };
  } catch {
    throw new CorruptVaultError("the checkpoint of the audit log is not of its form");
  }
}

function entryNumber([, key, json]: Line): number {
  const number = /^[1-9][0-9]{0,15}$/.test(key) ? Number(key) : NaN;
  if (json === null || !Number.isSafeInteger(number)) {
    throw new CorruptVaultError("a line of the audit log is not of its form");
  }
  return number;
}

function missing(number: number): CorruptVaultError {
  return new CorruptVaultError(`entry ${number} of the audit log is missing`);
}
