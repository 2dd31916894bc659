/**
 * One open vault: its committed state in memory, kept level with the medium, and the queue of its transactions.
 *
 * Everything that touches the medium goes through one queue, because a process holds one lock on it at a time.
 * Transactions that wait together run one after another on one draft and share one commit.
 *
 * @module
 */
import { extendLog, type LogHead } from "./audit/chain.ts";
import { AUDIT, type AuditEvent, type AuditOrigin, encodeEntry, isChange } from "./audit/entry.ts";
import type { Bytes } from "./bytes.ts";
import { type CommitPlan, type Live, planChanges, planRewrite } from "./commit_plan.ts";
import { wipe } from "./crypto/random.ts";
import {
  BackupReadOnlyError,
  BusyError,
  NoAnchorError,
  PolicyError,
  TransactionClosedError,
  VaultClosedError,
  VaultRotatedError,
} from "./errors.ts";
import { logFailure, logger, logRecovered } from "./log.ts";
import { Mutex } from "./mutex.ts";
import type { Anchor, AnchorState } from "./sealed/anchor.ts";
import { deriveAnchorKey, deriveKeys, newVaultKey, type VaultKeys, withVaultKey } from "./sealed/keys.ts";
import type { Meta } from "./sealed/meta.ts";
import {
  encodePreviousAnchorKey,
  forgetSuperseded,
  highestEpoch,
  PREVIOUS_ANCHOR,
  previousAnchorKey,
  readSuperseded,
} from "./sealed/rotation.ts";
import type { Slot } from "./sealed/slot.ts";
import {
  commitGeneration,
  type Generation,
  openLive,
  readGeneration,
  type SealedCommit,
  snapshotIndex,
} from "./sealed/store.ts";
import { hasChanges, readChanges, readSnapshot } from "./state/changes.ts";
import { readPolicy } from "./state/policies.ts";
import { type Changes, Draft, type RecordReader, setChange, type State } from "./state/records.ts";
import type { LockMode, LockOptions } from "./storage/disk.ts";
import { DEFAULT_TIMEOUT, withLock } from "./storage/locking.ts";
import type { Medium } from "./storage/medium.ts";

/** Most transactions that share one commit. */
const MAX_BATCH = 1024;
/** A process that commits so often is worth loading synchronous crypto for. */
const MANY_COMMITS = 4;
/** How often one use of a vault follows it to a new key. */
const MAX_KEYS = 16;

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
  /** Throws once the transaction's callback has returned. */
  check(): void;
}

/** How an engine works. */
export interface EngineOptions extends LockOptions {
  /** Who the log says does things. */
  readonly origin: AuditOrigin;
  /** The anchor of a vault that has one. */
  readonly anchor?: Anchor | undefined;
  /** How many tries to open the vault failed that its log does not tell of yet. @default {0} */
  readonly failedUnlocks?: number;
  /** Is told once the log tells of them. */
  readonly onLogged?: (failures: number) => unknown;
  /** Opens the slots of a newer key. Without it a vault that got one must be opened again. */
  readonly unlock?: (meta: Meta) => Promise<{ readonly keys: VaultKeys; readonly slot: number }>;
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
  /** How many tries to open the vault failed that its log does not tell of yet. */
  #failedUnlocks: number;
  #keys: VaultKeys;
  #commits = 0;
  #options: EngineOptions;
  readonly #mutex = new Mutex();
  readonly #waiting: Waiting[] = [];
  #generation: Generation;
  #state: State;
  /** What each live delta changed, oldest first: what merging them needs. */
  #deltas: readonly Changes[];
  /** Whether this process holds the exclusive lock and has caught up: reads need no lock of their own then. */
  #exclusive = false;
  #draining = false;
  #refreshing: Promise<void> | undefined;
  #closed = false;

  private constructor(medium: Medium, keys: VaultKeys, options: EngineOptions, loaded: Live) {
    this.medium = medium;
    this.#keys = keys;
    this.#options = options;
    this.#failedUnlocks = options.failedUnlocks ?? 0;
    this.#generation = loaded.generation;
    this.#state = loaded.state;
    this.#deltas = loaded.deltas;
  }

  /** Loads the newest generation under keys that open it. */
  static async load(medium: Medium, keys: VaultKeys, options: EngineOptions): Promise<Engine> {
    return await withLock(medium, "shared", options, async () => {
      try {
        const generation = (await readGeneration(medium, keys))!;
        const loaded = await loadLive(keys, generation);
        await verifyAnchor(options.anchor, generation, keys, loaded.state);
        return new Engine(medium, keys, options, loaded);
      } finally {
        options.anchor?.release();
      }
    });
  }

  /** The keys of the vault's epoch. */
  get keys(): VaultKeys {
    return this.#keys;
  }

  /** Who the log says does things. */
  get origin(): AuditOrigin {
    return this.#options.origin;
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
      await this.#locked("shared", this.#options, () => Promise.resolve());
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
    return await this.#locked("shared", options, () => read(this.#generation));
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
      // The lock has a time-out of its own: a timer is for those that wait for their turn before that.
      if (this.#draining || this.#mutex.busy) this.#limitWait(waiting);
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
            await this.#locked("exclusive", first.options, async () => {
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
            logFailure("vault", "begin a transaction", error);
            first.reject(error);
          }
        });
      }
    } finally {
      this.#draining = false;
    }
  }

  /** Runs work under a lock, level with the medium. */
  async #locked<T>(mode: LockMode, options: LockOptions, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1;; attempt++) {
      let level = false;
      try {
        return await withLock(this.medium, mode, options, async () => {
          try {
            await this.#catchUp();
            level = true;
            return await work();
          } finally {
            this.#options.anchor?.release();
          }
        });
      } catch (error) {
        // Nothing was done yet: under the key that the vault has now it still can be.
        const { unlock } = this.#options;
        if (level || !(error instanceof VaultRotatedError) || unlock === undefined || attempt === MAX_KEYS) throw error;
        await this.#follow({ ...this.#options, ...options, unlock });
      }
    }
  }

  async #follow(options: EngineOptions & Required<Pick<EngineOptions, "unlock">>): Promise<void> {
    const { follow } = await import("./following.ts");
    const { keys, slot, generation, state, deltas } = await follow(this.medium, options, this.#generation);
    this.#keys = keys;
    this.#generation = generation;
    this.#state = state;
    this.#deltas = deltas;
    this.#options = { ...this.#options, origin: { ...this.#options.origin, slot } };
  }

  async #batch(): Promise<void> {
    this.#exclusive = true;
    const now = Date.now();
    const { meta } = this.#generation;
    const draft = new Draft(this.#state);
    let slots = meta.slots;
    let nextSlotId = meta.nextSlotId;
    const events: AuditEvent[] = [];
    // A crash came between a commit and its anchor: the log says so, and this commit moves the anchor up.
    if (await this.#verifyAnchor() === "behind") events.push({ operation: "anchor.move" });
    const failures = this.#failedUnlocks;
    if (failures > 0) events.push({ operation: "unlock.failed", count: failures });
    const own = events.length;
    const done: (() => void)[] = [];
    const failed: ((reason: unknown) => void)[] = [];
    for (let waiting; done.length < MAX_BATCH && (waiting = this.#waiting.shift()) !== undefined;) {
      const { run, resolve, reject } = waiting;
      waiting.started = true;
      let open = true;
      const check = () => {
        if (!open) throw new TransactionClosedError();
      };
      const noted: AuditEvent[] = [];
      const audit = (event: AuditEvent) => void noted.push(event);
      const generation = this.#generation;
      const work: Work = { records: new Draft(draft), slots, nextSlotId, generation, now, audit, check };
      try {
        const value = await run(work);
        const changes = hasChanges(work.records.changes) || work.slots !== slots;
        if (changes || noted.some(({ operation }) => isChange(operation))) assertReason(this.#options.origin, draft);
        draft.absorb(work.records.changes);
        slots = work.slots;
        nextSlotId = work.nextSlotId;
        // One by one: a large transaction notes more than a call takes arguments.
        for (const event of noted) events.push(event);
        done.push(() => resolve(value));
        failed.push(reject);
      } catch (error) {
        // What was read was seen, whatever became of the rest: the log is to say so before anyone goes on.
        const reads = noted.filter(({ operation }) => !isChange(operation));
        events.push(...reads);
        if (reads.length === 0) reject(error);
        else {
          done.push(() => reject(error));
          failed.push(reject);
        }
      } finally {
        open = false;
      }
    }
    try {
      if (hasChanges(draft.changes) || slots !== meta.slots || events.length > own) {
        await this.#commit(draft.changes, { slots, nextSlotId }, events, now);
        if (failures > 0) await this.#logged(failures);
      }
    } catch (error) {
      logFailure("vault", "commit", error);
      for (const reject of failed) reject(error);
      return;
    }
    for (const resolve of done) resolve();
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

  async #commit(
    changes: Changes,
    meta: { slots: readonly Slot[]; nextSlotId: number },
    events: readonly AuditEvent[],
    now: number,
  ): Promise<void> {
    this.#assertChangeable();
    if (++this.#commits === MANY_COMMITS) {
      const { vaultId } = this.#generation.meta;
      this.#keys = await this.withVaultKey((vaultKey) => deriveKeys(vaultKey, vaultId, true));
    }
    const audit = await this.#note(changes, events, now);
    const plan = await planChanges(this.#keys, this.live, changes);
    await this.#publish(this.#keys, plan, { ...meta, audit }, changes, now);
  }

  /** Adds the entries of some events to the changes; gives where the log ends then. */
  async #note(changes: Changes, events: readonly AuditEvent[], now: number): Promise<LogHead> {
    const { audit } = this.#generation.meta;
    const entries = events.map((event) => encodeEntry(event, this.#options.origin, now));
    for (const [index, json] of entries.entries()) setChange(changes, AUDIT, String(audit.length + 1 + index), json);
    return await extendLog(audit, entries);
  }

  /** Commits, then moves the anchor, then takes over what was committed. */
  async #publish(
    keys: VaultKeys,
    { append, keep, deltas }: CommitPlan,
    meta: SealedCommit["meta"],
    changes: Changes,
    now: number,
  ): Promise<void> {
    const commit = { append, keep, meta, now };
    const before = this.#generation.segments.length;
    this.#generation = await commitGeneration(this.medium, keys, this.#generation, commit);
    this.#keys = keys;
    this.#deltas = deltas;
    this.#state.apply(changes);
    if (this.#generation.meta.anchored) await this.#options.anchor?.move(this.#generation, keys.anchor);
    this.#logCommit(append.at(-1)!.kind, before - keep);
  }

  #logCommit(kind: string, replaced: number): void {
    const debug = logger("vault", "debug");
    if (debug === undefined) return;
    const { meta, segments } = this.#generation;
    const { generation } = meta;
    const bytes = segments.at(-1)!.stored.length;
    debug("Committed generation {generation}: a {kind} of {bytes} bytes", { generation, kind, bytes });
    if (replaced > 0) debug("Compacted {replaced} segments into the new one", { generation, replaced });
  }

  /**
   * Gives the vault a new key, in one commit that writes everything anew. To be called from {@linkcode exclusively}.
   *
   * @param wrap makes the slots for the new key and the next epoch
   */
  async rekey(
    wrap: (vaultKey: Bytes, vault: Pick<Meta, "vaultId" | "epoch">) => Promise<Pick<Meta, "slots" | "nextSlotId">>,
    now: number,
  ): Promise<void> {
    const { meta } = this.#generation;
    this.#assertChangeable();
    assertReason(this.#options.origin, this.#state);
    const epoch = highestEpoch(meta.epoch, this.#state) + 1;
    const vaultKey = newVaultKey();
    try {
      const slots = await wrap(vaultKey, { vaultId: meta.vaultId, epoch });
      const keys = await deriveKeys(vaultKey, meta.vaultId, this.#commits >= MANY_COMMITS);
      const changes: Changes = new Map();
      const previous = await this.withVaultKey((old) => deriveAnchorKey(old, meta.vaultId));
      setChange(changes, PREVIOUS_ANCHOR.kind, PREVIOUS_ANCHOR.key, encodePreviousAnchorKey(previous));
      wipe(previous);
      forgetSuperseded(changes, this.#state);
      const audit = await this.#note(changes, [{ operation: "vault.rotate", count: epoch }], now);
      const plan = await planRewrite(this.#keys, this.live, changes);
      await this.#publish(keys, plan, { ...slots, audit, epoch, seals: 0 }, changes, now);
    } finally {
      wipe(vaultKey);
    }
  }

  /** Commits an event with a plan of the caller's. To be called from {@linkcode exclusively}. */
  async rewrite(event: AuditEvent, plan: (live: Live, changes: Changes) => CommitPlan, now: number): Promise<void> {
    this.#assertChangeable();
    assertReason(this.#options.origin, this.#state);
    const changes: Changes = new Map();
    const audit = await this.#note(changes, [event], now);
    await this.#publish(this.#keys, plan(this.live, changes), { audit }, changes, now);
  }

  /** Runs a function in turn with transactions, under the exclusive lock, level with the medium and the anchor. */
  async exclusively<T>(work: (now: number) => Promise<T>, options: LockOptions = {}): Promise<T> {
    this.#checkOpen();
    const merged = { ...this.#options, ...options };
    return await this.#inTurn(
      () =>
        this.#locked("exclusive", merged, async () => {
          const now = Date.now();
          // A new key on top of a commit that the anchor missed would leave it two keys behind, should it be missed too.
          if (await this.#verifyAnchor() === "behind") {
            await this.#commit(new Map(), this.#generation.meta, [{ operation: "anchor.move" }], now);
          }
          return await work(now);
        }),
      false,
      merged,
    );
  }

  /** Makes the anchor at another place, then takes the old one away. */
  async moveAnchor(makeNext: () => Anchor): Promise<void> {
    await this.exclusively(async () => {
      const old = this.#options.anchor;
      if (old === undefined || !this.#generation.meta.anchored) throw new NoAnchorError();
      const next = makeNext();
      await next.replace(this.#generation, this.#keys.anchor);
      // Two anchors are no harm: one that is behind is moved up.
      this.#options = { ...this.#options, anchor: next };
      old.remove();
    });
  }

  /** What is live, and in memory. Call {@linkcode refresh} first. */
  get live(): Live {
    return { generation: this.#generation, state: this.#state, deltas: this.#deltas };
  }

  #assertChangeable(): void {
    const { backup, anchored } = this.#generation.meta;
    if (backup) throw new BackupReadOnlyError();
    // What may not be written is found out before anything is.
    if (anchored) this.#options.anchor?.assertWritable();
  }

  async #verifyAnchor(): Promise<AnchorState> {
    return await verifyAnchor(this.#options.anchor, this.#generation, this.#keys, this.#state);
  }

  /** Brings the memory level with the medium. Everything new is opened before anything is taken over. */
  async #catchUp(): Promise<void> {
    const generation = await readGeneration(this.medium, this.#keys, this.#generation);
    if (generation === null) return;
    const loaded = generation.known === 0 ? await loadLive(this.#keys, generation) : undefined;
    await verifyAnchor(this.#options.anchor, generation, this.#keys, loaded?.state ?? this.#state);
    if (loaded !== undefined) {
      this.#state = loaded.state;
      this.#deltas = loaded.deltas;
    } else {
      const fresh: Changes[] = [];
      for (const segment of generation.segments.slice(generation.known)) {
        fresh.push(await readChanges(openLive(this.#keys, generation.meta.vaultId, segment)));
      }
      // A merged delta repeats older changes in their final form: applying it over them again changes nothing.
      for (const changes of fresh) this.#state.apply(changes);
      const kept = generation.known - snapshotIndex(generation.segments) - 1;
      this.#deltas = [...this.#deltas.slice(0, kept), ...fresh];
    }
    this.#generation = generation;
    if (generation.recovered) logRecovered(generation.meta.generation, this.medium.name);
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

/** Reads everything that is live: the state, and what each delta changed. */
export async function loadLive(keys: VaultKeys, generation: Generation): Promise<Live> {
  const { segments, meta: { vaultId } } = generation;
  const at = snapshotIndex(segments);
  const state = await readSnapshot(openLive(keys, vaultId, segments[at]!));
  const deltas: Changes[] = [];
  for (const segment of segments.slice(at + 1)) {
    const changes = await readChanges(openLive(keys, vaultId, segment));
    state.apply(changes);
    deltas.push(changes);
  }
  return { generation, state, deltas };
}

/**
 * Fails when a vault's policy asks for a reason and none was given.
 *
 * @throws {PolicyError}
 */
export function assertReason({ reason }: AuditOrigin, records: RecordReader): void {
  if (reason || !readPolicy(records, "require-reason")) return;
  throw new PolicyError("require-reason", "reason-required", "Every change of this vault needs a reason");
}

/**
 * A vault that was made without an anchor is level with it, unless it stands in the place of one that has one. Of a vault
 * that has one an engine without has its reasons: it mends the vault.
 */
export async function verifyAnchor(
  anchor: Anchor | undefined,
  generation: Generation,
  keys: VaultKeys,
  state: State,
): Promise<AnchorState> {
  if (anchor === undefined) return "level";
  if (!generation.meta.anchored) {
    anchor.verifyAbsent(generation);
    return "level";
  }
  return await anchor.verify(generation, keys.anchor, {
    previousKey: () => previousAnchorKey(state),
    superseded: () => readSuperseded(state)?.anchor,
  });
}
