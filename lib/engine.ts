/**
 * One open vault: its memory, and the turns in which what touches the medium is done.
 *
 * Everything that touches the medium goes through one queue, because a process holds one lock on it at a time.
 * Transactions that wait together run one after another on one draft and share one commit.
 *
 * @module
 */
import type { AuditEvent, AuditOrigin } from "./audit/entry.ts";
import { Batch, type Work } from "./batch.ts";
import type { Bytes } from "./bytes.ts";
import type { CommitPlan, Live } from "./commit_plan.ts";
import { VaultClosedError, VaultRotatedError } from "./errors.ts";
import { logFailure } from "./log.ts";
import { Mutex } from "./mutex.ts";
import { Replica, type ReplicaOptions } from "./replica.ts";
import type { Anchor } from "./sealed/anchor.ts";
import type { Meta } from "./sealed/meta.ts";
import { type VaultKeys, withVaultKey } from "./sealed/keys.ts";
import type { Generation } from "./sealed/store.ts";
import type { Changes, State } from "./state/records.ts";
import type { LockMode, LockOptions } from "./storage/disk.ts";
import { DEFAULT_TIMEOUT, withLock } from "./storage/locking.ts";
import type { Medium } from "./storage/medium.ts";
import { otherDidNotEnd, WaitingLine } from "./waiting.ts";

export type { Work } from "./batch.ts";

/** Most transactions that share one commit. */
const MAX_BATCH = 1024;
/** How often one use of a vault follows it to a new key. */
const MAX_KEYS = 16;

/** How an engine works. */
export interface EngineOptions extends LockOptions, ReplicaOptions {
  /** How many tries to open the vault failed that its log does not tell of yet. @default {0} */
  readonly failedUnlocks?: number;
  /** Is told once the log tells of them. */
  readonly onLogged?: (failures: number) => unknown;
  /** Opens the slots of a newer key. Without it a vault that got one must be opened again. */
  readonly unlock?: Unlock;
}

/** Opens the slots of a vault: gives its keys, and the number of the slot. */
export type Unlock = (meta: Meta) => Promise<{ readonly keys: VaultKeys; readonly slot: number }>;

/** An open vault without a face. */
export class Engine {
  readonly #replica: Replica;
  readonly #options: EngineOptions;
  /** How many tries to open the vault failed that its log does not tell of yet. */
  #failedUnlocks: number;
  readonly #mutex = new Mutex();
  readonly #waiting = new WaitingLine();
  /** Whether this process holds the exclusive lock and has caught up: reads need no lock of their own then. */
  #exclusive = false;
  #draining = false;
  #refreshing: Promise<void> | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;
  readonly #beforeClose: (() => Promise<void>)[] = [];
  /** When the memory was last found level with the medium, by the clock of `performance.now`. */
  #level = performance.now();

  private constructor(replica: Replica, options: EngineOptions) {
    this.#replica = replica;
    this.#options = options;
    this.#failedUnlocks = options.failedUnlocks ?? 0;
  }

  /** Loads the newest generation under keys that open it. */
  static async load(medium: Medium, keys: VaultKeys, options: EngineOptions): Promise<Engine> {
    const replica = await withLock(medium, "shared", options, () => Replica.load(medium, keys, options));
    return new Engine(replica, options);
  }

  /** Where the vault is. */
  get medium(): Medium {
    return this.#replica.medium;
  }

  /** The keys of the vault's epoch. */
  get keys(): VaultKeys {
    return this.#replica.keys;
  }

  /** Who the log says does things. */
  get origin(): AuditOrigin {
    return this.#replica.origin;
  }

  /** The committed state in memory, and its generation. Call {@linkcode refresh} first. */
  get committed(): { readonly state: State; readonly generation: Generation } {
    return this.#replica;
  }

  /** What is live, and in memory. Call {@linkcode refresh} first. */
  get live(): Live {
    return this.#replica.live;
  }

  /** Catches up with what other processes committed before this call. */
  async refresh(): Promise<void> {
    this.#checkOpen();
    if (this.#exclusive) return;
    // A refresh that has not begun yet sees everything committed up to now: later callers may share it.
    this.#refreshing ??= this.#mutex.run(async () => {
      this.#refreshing = undefined;
      this.#checkOpen();
      await this.#locked("shared", this.#options, () => Promise.resolve());
    });
    await this.#refreshing;
  }

  /** Whether the memory was level with the medium so many milliseconds ago: enough for checks by the thousand. */
  isLevelWithin(maxAge: number): boolean {
    this.#checkOpen();
    return performance.now() - this.#level <= maxAge;
  }

  /** Names work to be done before the vault closes, such as writing down what was gathered in memory. */
  beforeClose(work: () => Promise<void>): void {
    this.#beforeClose.push(work);
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
    return await this.#locked("shared", options, () => read(this.#replica.generation));
  }

  /** Queues a transaction. It resolves once what it changed is durable. */
  transact<T>(run: (work: Work) => T | Promise<T>, options: LockOptions = {}): Promise<T> {
    this.#checkOpen();
    const merged = { ...this.#options, ...options };
    merged.signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiting = { run, options: merged, resolve: resolve as (value: unknown) => void, reject };
    this.#waiting.join(waiting, this.#draining || this.#mutex.busy);
    if (!this.#draining) {
      this.#draining = true;
      void this.#drain();
    }
    return promise;
  }

  /** Runs a function in turn with transactions, under the exclusive lock, level with the medium and the anchor. */
  async exclusively<T>(work: (now: number) => Promise<T>, options: LockOptions = {}): Promise<T> {
    this.#checkOpen();
    const merged = { ...this.#options, ...options };
    const locked = async () => {
      const now = Date.now();
      // A new key on top of a commit that the anchor missed would leave it two keys behind, should it be missed too.
      if (await this.#replica.verifyAnchor() === "behind") {
        await this.#replica.commit(new Map(), this.#replica.generation.meta, [{ operation: "anchor.move" }], now);
      }
      return await work(now);
    };
    return await this.#inTurn(() => this.#locked("exclusive", merged, locked), false, merged);
  }

  /** Fails as any change would: see {@linkcode Replica.assertMayChange}. To be called from a transaction, or {@linkcode exclusively}. */
  assertMayChange(): void {
    this.#replica.assertMayChange();
  }

  /** Gives the vault a new key: see {@linkcode Replica.rekey}. To be called from {@linkcode exclusively}. */
  async rekey(...all: Parameters<Replica["rekey"]>): Promise<void> {
    await this.#replica.rekey(...all);
  }

  /** Commits an event with a plan of the caller's. To be called from {@linkcode exclusively}. */
  async rewrite(event: AuditEvent, plan: (live: Live, changes: Changes) => CommitPlan, now: number): Promise<void> {
    await this.#replica.rewrite(event, plan, now);
  }

  /** Makes the anchor at another place, then takes the old one away. */
  async moveAnchor(makeNext: () => Anchor): Promise<void> {
    await this.exclusively(() => this.#replica.moveAnchor(makeNext));
  }

  /** Hands the raw vault key to a function for a moment. */
  async withVaultKey<T>(use: (vaultKey: Bytes) => Promise<T>): Promise<T> {
    return await withVaultKey(this.keys, use);
  }

  /**
   * Ends the vault: what is queued fails, what runs finishes first.
   *
   * @throws {BusyError} when that takes too long, as inside of a transaction that awaits it; it is closed afterwards
   * @throws what writing down failed with, of what was gathered in memory; it is closed all the same
   */
  async close(): Promise<void> {
    await (this.#closing ??= this.#end());
  }

  async #end(): Promise<void> {
    const last = await Promise.allSettled(this.#beforeClose.map((work) => work()));
    this.#closed = true;
    this.#waiting.close();
    await this.#inTurn(() => Promise.resolve(this.#replica.close()), true, this.#options);
    for (const result of last) if (result.status === "rejected") throw result.reason;
  }

  /** Waits in line with transactions, and gives up the wait, though not always the work, after the time-out. */
  async #inTurn<T>(work: () => Promise<T>, evenLate: boolean, options: LockOptions): Promise<T> {
    // Nothing to wait for, and so no timer: the first one of a process takes as long as opening a small vault.
    if (!this.#mutex.busy) return await this.#mutex.run(work);
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

  /** Runs work under a lock, level with the medium. */
  async #locked<T>(mode: LockMode, options: LockOptions, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1;; attempt++) {
      let level = false;
      try {
        return await withLock(this.medium, mode, options, async () => {
          try {
            const now = performance.now();
            await this.#replica.catchUp();
            this.#level = now;
            level = true;
            return await work();
          } finally {
            this.#replica.pause();
          }
        });
      } catch (error) {
        // Nothing was done yet: under the key that the vault has now it still can be.
        const { unlock } = this.#options;
        if (level || !(error instanceof VaultRotatedError) || unlock === undefined || attempt === MAX_KEYS) throw error;
        const { follow } = await import("./following.ts");
        const { anchor, generation } = this.#replica;
        const followed = await follow(this.medium, { ...this.#options, ...options, anchor, unlock }, generation);
        this.#replica.adopt(followed, followed.keys, followed.slot);
      }
    }
  }

  async #drain(): Promise<void> {
    while (this.#waiting.first !== undefined) {
      const tell = await this.#mutex.run(() => this.#turn());
      // Whoever asks for the next thing once they are told finds nothing in the way, and needs no timer for a wait.
      this.#draining = this.#waiting.first !== undefined;
      tell();
      if (!this.#draining) return;
    }
    this.#draining = false;
  }

  /** Runs what waits; gives what tells them how it went, to be called once the next turn may begin. */
  async #turn(): Promise<() => void> {
    const { first } = this.#waiting;
    let tell = () => {};
    if (first === undefined) return tell;
    try {
      await this.#locked("exclusive", first.options, async () => {
        try {
          this.#exclusive = true;
          tell = await this.#batch();
        } finally {
          this.#exclusive = false;
        }
      });
    } catch (error) {
      // What is durable stays so, though the lock could not be given up.
      tell();
      // No lock, or nothing readable: that is the answer to the one who asked first; the others try for themselves.
      this.#waiting.leave(first);
      logFailure("vault", "begin a transaction", error);
      first.reject(error);
    }
    return tell;
  }

  /** Runs what waits on one draft and commits it; gives what tells them how it went. */
  async #batch(): Promise<() => void> {
    const own: AuditEvent[] = [];
    // A crash came between a commit and its anchor: the log says so, and this commit moves the anchor up.
    if (await this.#replica.verifyAnchor() === "behind") own.push({ operation: "anchor.move" });
    const failures = this.#failedUnlocks;
    if (failures > 0) own.push({ operation: "unlock.failed", count: failures });
    const { generation, state } = this.#replica;
    const batch = new Batch(generation, state, this.origin, own);
    for (let next; batch.size < MAX_BATCH && (next = this.#waiting.take()) !== undefined;) await batch.run(next);
    try {
      if (batch.wantsCommit) {
        await this.#replica.commit(batch.changes, batch.meta, batch.events, batch.now);
        if (failures > 0) await this.#logged(failures);
      }
    } catch (error) {
      logFailure("vault", "commit", error);
      return () => batch.fail(error);
    }
    return () => batch.succeed();
  }

  /** The failures are in the log: they need not be told of again. That they are, twice, is better than never. */
  async #logged(failures: number): Promise<void> {
    this.#failedUnlocks = 0;
    try {
      await this.#options.onLogged?.(failures);
    } catch (error) {
      logFailure("vault", "note that failures are logged", error);
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new VaultClosedError();
  }
}
