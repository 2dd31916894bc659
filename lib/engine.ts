/**
 * One open vault: its committed state in memory, kept level with the medium, and the queue of its transactions.
 *
 * Everything that touches the medium goes through one queue, because a process holds one lock on it at a time.
 * Transactions that wait together run one after another on one draft and share one commit.
 *
 * @module
 */
import type { Bytes } from "./bytes.ts";
import { BusyError, CorruptVaultError, TransactionClosedError, VaultClosedError } from "./errors.ts";
import { Mutex } from "./mutex.ts";
import { deriveKeys, type VaultKeys, withVaultKey } from "./sealed/keys.ts";
import { CHUNK_SIZE } from "./sealed/segment.ts";
import type { Slot } from "./sealed/slot.ts";
import { commitGeneration, type Generation, openLive, readGeneration } from "./sealed/store.ts";
import { changeLines, hasChanges, readChanges, readSnapshot } from "./state/changes.ts";
import { planCommit } from "./state/compaction.ts";
import { encodeLines, type Line } from "./state/lines.ts";
import { type Changes, Draft, mergeChanges, type State } from "./state/records.ts";
import type { LockOptions } from "./storage/disk.ts";
import { DEFAULT_TIMEOUT, withLock } from "./storage/locking.ts";
import { MAX_SEGMENTS, type Medium } from "./storage/medium.ts";

/** Most transactions that share one commit. */
const MAX_BATCH = 1024;
/** A process that commits so often is worth loading synchronous crypto for. */
const MANY_COMMITS = 4;

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
  /** Throws once the transaction's callback has returned. */
  check(): void;
}

interface Waiting {
  readonly run: (work: Work) => unknown;
  readonly options: LockOptions;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  started: boolean;
}

/** An open vault without a face. */
export class Engine {
  readonly medium: Medium;
  /** How many tries to open the vault failed that its audit log does not tell of yet, as of opening it. */
  failedUnlocks = 0;
  #keys: VaultKeys;
  #commits = 0;
  readonly #options: LockOptions;
  readonly #mutex = new Mutex();
  readonly #waiting: Waiting[] = [];
  #generation: Generation;
  #state: State;
  /** What each live delta changed, oldest first: what merging them needs. */
  #deltas: Changes[];
  /** Whether this process holds the exclusive lock and has caught up: reads need no lock of their own then. */
  #exclusive = false;
  #draining = false;
  #refreshing: Promise<void> | undefined;
  #closed = false;

  private constructor(medium: Medium, keys: VaultKeys, options: LockOptions, loaded: Loaded) {
    this.medium = medium;
    this.#keys = keys;
    this.#options = options;
    this.#generation = loaded.generation;
    this.#state = loaded.state;
    this.#deltas = loaded.deltas;
  }

  /** Loads the newest generation under keys that open it. */
  static async load(medium: Medium, keys: VaultKeys, options: LockOptions): Promise<Engine> {
    return await withLock(medium, "shared", options, async () => {
      const generation = await readGeneration(medium, keys);
      return new Engine(medium, keys, options, await load(keys, generation!));
    });
  }

  /** The keys of the vault's epoch. */
  get keys(): VaultKeys {
    return this.#keys;
  }

  /** The committed state in memory, and its generation. Call {@linkcode refresh} first. */
  get committed(): { readonly state: State; readonly generation: Generation } {
    return { state: this.#state, generation: this.#generation };
  }

  /** Catches up with what other processes committed before this call. */
  async refresh(): Promise<void> {
    this.#checkOpen();
    if (this.#exclusive) return;
    // A refresh that has not begun yet sees everything committed up to now: later callers may share it.
    this.#refreshing ??= this.#mutex.run(async () => {
      this.#refreshing = undefined;
      this.#checkOpen();
      await withLock(this.medium, "shared", this.#options, () => this.#catchUp());
    });
    await this.#refreshing;
  }

  /**
   * Runs a function while the medium is locked for reading and nothing in this process commits.
   *
   * @throws {BusyError} when its turn does not come in time, as inside of a transaction that awaits it
   */
  async reading<T>(read: (generation: Generation) => Promise<T>, options: LockOptions = {}): Promise<T> {
    this.#checkOpen();
    const merged = { ...this.#options, ...options };
    return await this.#inTurn(() => this.#read(read, merged), false, merged);
  }

  async #read<T>(read: (generation: Generation) => Promise<T>, options: LockOptions): Promise<T> {
    this.#checkOpen();
    return await withLock(this.medium, "shared", options, async () => {
      await this.#catchUp();
      return await read(this.#generation);
    });
  }

  /** Queues a transaction. It resolves once what it changed is durable. */
  transact<T>(run: (work: Work) => T | Promise<T>, options: LockOptions = {}): Promise<T> {
    this.#checkOpen();
    const merged = { ...this.#options, ...options };
    merged.signal?.throwIfAborted();
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = {
        run,
        options: merged,
        resolve: resolve as (value: unknown) => void,
        reject,
        started: false,
      };
      this.#limitWait(waiting);
      this.#waiting.push(waiting);
      if (this.#draining) return;
      this.#draining = true;
      void this.#drain();
    });
  }

  /** Hands the raw vault key to a function for a moment. */
  async withVaultKey<T>(use: (vaultKey: Bytes) => Promise<T>): Promise<T> {
    return await withVaultKey(this.#keys, use);
  }

  /**
   * Ends the vault: what is queued fails, what runs finishes first.
   *
   * @throws {BusyError} when that takes too long, as inside of a transaction that awaits it; it is closed afterwards
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(new VaultClosedError());
    await this.#inTurn(() => Promise.resolve(this.medium.close()), true, this.#options);
  }

  /** Waits in line with transactions, and gives up the wait, though not always the work, after the time-out. */
  async #inTurn<T>(work: () => Promise<T>, evenLate: boolean, options: LockOptions): Promise<T> {
    const { timeout = DEFAULT_TIMEOUT } = options;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(otherDidNotEnd(timeout));
    }, timeout);
    void this.#mutex.run(async () => {
      clearTimeout(timer);
      if (!late || evenLate) await work().then(resolve, reject);
    });
    return await promise;
  }

  /**
   * A transaction that waits for its turn longer than for a lock is given up. It is also what ends a transaction that
   * was started, and is awaited, inside another one of the same vault.
   */
  #limitWait(waiting: Waiting): void {
    const { timeout = DEFAULT_TIMEOUT, signal } = waiting.options;
    const giveUp = (reason: unknown) => {
      if (waiting.started) return;
      const index = this.#waiting.indexOf(waiting);
      if (index >= 0) this.#waiting.splice(index, 1);
      finish();
      waiting.reject(reason);
    };
    const onAbort = () => giveUp(signal!.reason);
    // Being already at work counts from here; being next in line counts as waiting.
    const timer = setTimeout(() => giveUp(otherDidNotEnd(timeout)), timeout + 50);
    signal?.addEventListener("abort", onAbort, { once: true });
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const { resolve, reject } = waiting;
    Object.assign(waiting, {
      resolve: (value: unknown) => (finish(), resolve(value)),
      reject: (reason: unknown) => (finish(), reject(reason)),
    });
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        await this.#mutex.run(async () => {
          const first = this.#waiting[0];
          if (first === undefined) return;
          try {
            await withLock(this.medium, "exclusive", first.options, async () => {
              try {
                await this.#batch();
              } finally {
                this.#exclusive = false;
              }
            });
          } catch (error) {
            // No lock, or nothing readable: that is the answer to the one who asked first; the others try for themselves.
            const index = this.#waiting.indexOf(first);
            if (index >= 0) this.#waiting.splice(index, 1);
            first.reject(error);
          }
        });
      }
    } finally {
      this.#draining = false;
    }
  }

  async #batch(): Promise<void> {
    await this.#catchUp();
    this.#exclusive = true;
    const now = Date.now();
    const { meta } = this.#generation;
    const draft = new Draft(this.#state);
    let slots = meta.slots;
    let nextSlotId = meta.nextSlotId;
    const done: (() => void)[] = [];
    const failed: ((reason: unknown) => void)[] = [];
    for (let waiting; done.length < MAX_BATCH && (waiting = this.#waiting.shift()) !== undefined;) {
      const { run, resolve, reject } = waiting;
      waiting.started = true;
      let open = true;
      const check = () => {
        if (!open) throw new TransactionClosedError();
      };
      const work: Work = { records: new Draft(draft), slots, nextSlotId, generation: this.#generation, now, check };
      try {
        const value = await run(work);
        draft.absorb(work.records.changes);
        slots = work.slots;
        nextSlotId = work.nextSlotId;
        done.push(() => resolve(value));
        failed.push(reject);
      } catch (error) {
        reject(error);
      } finally {
        open = false;
      }
    }
    try {
      if (hasChanges(draft.changes) || slots !== meta.slots) {
        await this.#commit(draft.changes, { slots, nextSlotId }, now);
      }
    } catch (error) {
      for (const reject of failed) reject(error);
      return;
    }
    for (const resolve of done) resolve();
  }

  async #commit(changes: Changes, meta: { slots: readonly Slot[]; nextSlotId: number }, now: number): Promise<void> {
    if (++this.#commits === MANY_COMMITS) {
      const { vaultId } = this.#generation.meta;
      this.#keys = await this.withVaultKey((vaultKey) => deriveKeys(vaultKey, vaultId, true));
    }
    const added = encode(changeLines(changes));
    const plan = this.#plan(added);
    const { segments } = this.#generation;
    if (plan.write === "snapshot") {
      const chunks = encode(snapshotLines(this.#state, changes));
      const commit = { kind: "snapshot", chunks, keep: 0, meta, now } as const;
      this.#generation = await commitGeneration(this.medium, this.#keys, this.#generation, commit);
      this.#deltas = [];
    } else {
      const from = this.#deltas.length - plan.absorb;
      const merged: Changes = new Map();
      for (const delta of this.#deltas.slice(from)) mergeChanges(merged, delta);
      mergeChanges(merged, changes);
      const chunks = plan.absorb === 0 ? added : encode(changeLines(merged));
      const commit = { kind: "delta", chunks, keep: segments.length - plan.absorb, meta, now } as const;
      this.#generation = await commitGeneration(this.medium, this.#keys, this.#generation, commit);
      this.#deltas.splice(from, plan.absorb, merged);
    }
    this.#state.apply(changes);
  }

  #plan(added: readonly Bytes[]): ReturnType<typeof planCommit> {
    const [snapshot, ...deltas] = this.#generation.segments.map(({ stored }) => stored.length);
    const size = added.reduce((sum, chunk) => sum + chunk.length, 0);
    return planCommit(snapshot!, deltas, size, MAX_SEGMENTS - 1);
  }

  /** Brings the memory level with the medium. Everything new is opened before anything is taken over. */
  async #catchUp(): Promise<void> {
    const generation = await readGeneration(this.medium, this.#keys, this.#generation);
    if (generation === null) return;
    if (generation.known === 0) {
      const loaded = await load(this.#keys, generation);
      this.#state = loaded.state;
      this.#deltas = loaded.deltas;
    } else {
      const fresh: Changes[] = [];
      for (const segment of generation.segments.slice(generation.known)) {
        fresh.push(await readChanges(openLive(this.#keys, generation.meta.vaultId, segment)));
      }
      // A merged delta repeats older changes in their final form: applying it over them again changes nothing.
      for (const changes of fresh) this.#state.apply(changes);
      this.#deltas.splice(generation.known - 1, this.#deltas.length, ...fresh);
    }
    this.#generation = generation;
  }

  #checkOpen(): void {
    if (this.#closed) throw new VaultClosedError();
  }
}

function otherDidNotEnd(timeout: number): BusyError {
  return new BusyError("Another transaction of this process did not end", timeout, {
    hint: "Inside a transaction, do not await another use of the same vault",
  });
}

interface Loaded {
  readonly generation: Generation;
  readonly state: State;
  readonly deltas: Changes[];
}

async function load(keys: VaultKeys, generation: Generation): Promise<Loaded> {
  const [snapshot, ...rest] = generation.segments;
  if (snapshot === undefined) throw new CorruptVaultError("there is no snapshot");
  const { vaultId } = generation.meta;
  const state = await readSnapshot(openLive(keys, vaultId, snapshot));
  const deltas: Changes[] = [];
  for (const segment of rest) {
    const changes = await readChanges(openLive(keys, vaultId, segment));
    state.apply(changes);
    deltas.push(changes);
  }
  return { generation, state, deltas };
}

function encode(lines: Iterable<Line>): readonly Bytes[] {
  return [...encodeLines(lines, CHUNK_SIZE)];
}

function* snapshotLines(state: State, changes: Changes): Generator<Line> {
  for (const record of state.records()) {
    if (!changes.get(record[0])?.has(record[1])) yield record;
  }
  for (const line of changeLines(changes)) {
    if (line[2] !== null) yield line;
  }
}
