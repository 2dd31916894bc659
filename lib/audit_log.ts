/**
 * The audit log of an open vault: reading it, checking its chain, letting old entries go.
 *
 * @module
 */
import { type AuditEntry, type AuditOperation, decodeEntry } from "./audit/entry.ts";
import { encodeHex } from "./bytes.ts";
import type { Engine } from "./engine.ts";
import { globMatcher } from "./state/names.ts";

/** Which entries to give; all by default. */
export interface AuditFilter {
  /** Only entries of this time or later. */
  readonly since?: Date | undefined;
  /** Only entries before this time. */
  readonly until?: Date | undefined;
  /** Only entries of one operation, such as `secret.set`. */
  readonly operation?: AuditOperation | undefined;
  /** Only entries with a name, old or new, that matches: a glob as for `Secrets.list`. */
  readonly name?: string | undefined;
  /** Only entries of one actor, in the words with which the vault was opened. */
  readonly actor?: string | undefined;
}

/** What a check of the log found. */
export interface AuditReport {
  /** How many entries were ever written. */
  readonly length: number;
  /** How many of them, the oldest, were pruned. */
  readonly pruned: number;
  /** The newest head of the chain, in hex. It changes with every entry. */
  readonly head: string;
}

/** Which entries to let go. */
export interface PruneOptions {
  /** Entries before this time go. */
  readonly before: Date;
}

/**
 * The audit log: an entry for every change, and for every read of a value where the vault's policy says so.
 *
 * Entries never hold values. Their order is their number's; their times are those of the clocks of who wrote them, and
 * may go back when a clock was set back. Every method throws `BusyError` when the lock is not had in time and
 * `VaultClosedError` once the vault is closed.
 */
export class AuditLog {
  readonly #engine: Engine;

  /** Made by `Vault`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** How many entries were ever written, those that were pruned included. */
  async length(): Promise<number> {
    await this.#engine.refresh();
    return this.#engine.committed.generation.meta.audit.length;
  }

  /**
   * The entries that match, oldest first, as of the moment when the first one is asked for. They come as they are read,
   * so that a log of any length takes little memory; between two of them the vault may be used, and changed.
   *
   * @throws {InvalidNameError} when the pattern is not of its form
   * @throws {CorruptVaultError} when an entry is missing, there twice, or not of its form
   */
  async *entries(filter: AuditFilter = {}): AsyncGenerator<AuditEntry> {
    const matches = matcher(filter);
    const end = await this.length();
    const { LogCursor } = await import("./audit/log.ts");
    const cursor = new LogCursor();
    while (true) {
      const piece = await this.#engine.reading((generation) => cursor.read(this.#engine.keys, generation));
      if (piece === null) return;
      for (const [index, json] of piece.entries.entries()) {
        const sequence = piece.first + index;
        if (sequence > end) return;
        const entry = decodeEntry(sequence, json);
        if (matches(entry)) yield entry;
      }
      if (piece.first + piece.entries.length > end) return;
    }
  }

  /**
   * Recomputes the chain over every entry and compares it with the vault's authenticated head.
   *
   * @throws {CorruptVaultError} when entries are missing, there twice, or were changed
   */
  async verify(): Promise<AuditReport> {
    const { verifyLog } = await import("./audit/log.ts");
    const { length, pruned, head } = await this.#engine.reading((generation) =>
      verifyLog(this.#engine.keys, generation)
    );
    return { length, pruned, head: encodeHex(head) };
  }

  /**
   * Lets the oldest entries go, up to the first one that is not before the time, and notes how many went. What is left
   * still verifies. Nothing is committed when no entry is as old. The log is verified first: damage is never pruned
   * away.
   *
   * @returns how many entries went
   * @throws {TypeError} when the time is no valid date
   * @throws {CorruptVaultError} when the log does not verify
   * @throws {PolicyError} when the vault's policy asks for a reason and none was given
   * @throws {BackupReadOnlyError} when the vault is a backup
   */
  async prune({ before }: PruneOptions): Promise<number> {
    const { pruneLog } = await import("./prune_log.ts");
    return await pruneLog(this.#engine, before);
  }
}

function matcher({ since, until, operation, name, actor }: AuditFilter): (entry: AuditEntry) => boolean {
  const [from, to] = [since?.getTime() ?? -Infinity, until?.getTime() ?? Infinity];
  if (Number.isNaN(from) || Number.isNaN(to)) throw new TypeError("A time to filter by is no valid date");
  const matchesName = name === undefined ? undefined : globMatcher(name);
  return (entry) =>
    entry.time >= from && entry.time < to &&
    (operation === undefined || entry.operation === operation) &&
    (actor === undefined || entry.actor === actor) &&
    (matchesName === undefined || namesOf(entry).some(matchesName));
}

/** A rename has two names, and is found by either; what a policy was set to is no name. */
function namesOf({ operation, name, to }: AuditEntry): string[] {
  return [name, operation === "secret.rename" ? to : undefined].filter((text) => text !== undefined);
}
