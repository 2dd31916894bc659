/**
 * Transactions that share one draft, and so one commit.
 *
 * @module
 */
import { type AuditEvent, type AuditOrigin, isChange } from "./audit/entry.ts";
import { TransactionClosedError } from "./errors.ts";
import type { Slot } from "./sealed/slot.ts";
import type { Generation } from "./sealed/store.ts";
import { hasChanges } from "./state/changes.ts";
import { assertReason } from "./state/policies.ts";
import { type Changes, Draft, type RecordReader } from "./state/records.ts";

/** What a transaction works on: a private view, gone when it fails. */
export interface Work {
  /** Records. */
  readonly records: Draft;
  /** The key slots, to be replaced as a whole. */
  slots: readonly Slot[];
  /** Number of the next new slot. */
  nextSlotId: number;
  /** The vault as of the last commit. */
  readonly generation: Generation;
  /** Time of the transaction, in milliseconds since 1970. */
  readonly now: number;
  /** Notes what is done in the log; it is committed with the changes, or on its own. */
  audit(event: AuditEvent): void;
  /** Names work that has to end well before the transaction commits, also when the callback does not await it. */
  wait(work: Promise<unknown>): void;
  /** Throws once the transaction has ended. */
  check(): void;
}

/** A transaction, and who waits for it. */
export interface Asked {
  /** The transaction. */
  readonly run: (work: Work) => unknown;
  /** Is told what it gave, once that is durable. */
  readonly resolve: (value: unknown) => void;
  /** Is told why it failed. */
  readonly reject: (reason: unknown) => void;
}

/** What some transactions, run one after another, change together. */
export class Batch {
  /** Time of the commit, in milliseconds since 1970. */
  readonly now: number = Date.now();
  readonly #generation: Generation;
  readonly #origin: AuditOrigin;
  readonly #draft: Draft;
  #slots: readonly Slot[];
  #nextSlotId: number;
  readonly #own: number;
  readonly #events: AuditEvent[];
  readonly #done: (() => void)[] = [];
  readonly #failed: ((reason: unknown) => void)[] = [];

  /**
   * Starts on what is committed.
   *
   * @param own what the vault notes of itself, should there be a commit: by itself it is no reason for one
   */
  constructor(generation: Generation, state: RecordReader, origin: AuditOrigin, own: readonly AuditEvent[]) {
    this.#generation = generation;
    this.#origin = origin;
    this.#draft = new Draft(state);
    this.#slots = generation.meta.slots;
    this.#nextSlotId = generation.meta.nextSlotId;
    this.#own = own.length;
    this.#events = [...own];
  }

  /** How many transactions wait for the commit. */
  get size(): number {
    return this.#done.length;
  }

  /** What changed in the records. Not a copy. */
  get changes(): Changes {
    return this.#draft.changes;
  }

  /** The key slots afterwards. */
  get meta(): { readonly slots: readonly Slot[]; readonly nextSlotId: number } {
    return { slots: this.#slots, nextSlotId: this.#nextSlotId };
  }

  /** What the log is to say. */
  get events(): readonly AuditEvent[] {
    return this.#events;
  }

  /** Whether there is anything to commit. */
  get wantsCommit(): boolean {
    return hasChanges(this.changes) || this.#slots !== this.#generation.meta.slots || this.#events.length > this.#own;
  }

  /** Runs one transaction on top of the ones before it. One that throws leaves nothing but its notes of what it read. */
  async run({ run, resolve, reject }: Asked): Promise<void> {
    let open = true;
    const noted: AuditEvent[] = [];
    const started: Promise<unknown>[] = [];
    const work: Work = {
      records: new Draft(this.#draft),
      slots: this.#slots,
      nextSlotId: this.#nextSlotId,
      generation: this.#generation,
      now: this.now,
      audit: (event) => void noted.push(event),
      wait: (promise) => {
        // It is awaited below; until then its failure is not one that nobody hears of.
        promise.catch(() => {});
        started.push(promise);
      },
      check: () => {
        if (!open) throw new TransactionClosedError();
      },
    };
    try {
      const value = await run(work);
      for (let promise; (promise = started.shift()) !== undefined;) await promise;
      const changes = hasChanges(work.records.changes) || work.slots !== this.#slots;
      const byWill = noted.length === 0 ? changes : noted.some(({ operation }) => isChange(operation));
      if (byWill) assertReason(this.#origin, this.#draft);
      this.#draft.absorb(work.records.changes);
      this.#slots = work.slots;
      this.#nextSlotId = work.nextSlotId;
      // One by one: a large transaction notes more than a call takes arguments.
      for (const event of noted) this.#events.push(event);
      this.#wait(() => resolve(value), reject);
    } catch (error) {
      // What was read was seen, whatever became of the rest: the log is to say so before anyone goes on.
      const reads = noted.filter(({ operation }) => !isChange(operation));
      for (const event of reads) this.#events.push(event);
      if (reads.length === 0) reject(error);
      else this.#wait(() => reject(error), reject);
    } finally {
      open = false;
    }
  }

  /** Tells everyone who waits that the commit is durable. */
  succeed(): void {
    for (const tell of this.#done) tell();
  }

  /** Tells everyone who waits why it is not. */
  fail(reason: unknown): void {
    for (const reject of this.#failed) reject(reason);
  }

  #wait(done: () => void, failed: (reason: unknown) => void): void {
    this.#done.push(done);
    this.#failed.push(failed);
  }
}
