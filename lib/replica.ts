/**
 * The committed vault as this process has it in memory: brought level with the medium, and committed to.
 *
 * It knows no turns and takes no locks: whoever calls holds the lock that the call needs.
 *
 * @module
 */
import { extendLog, type LogHead } from "./audit/chain.ts";
import { AUDIT, type AuditEvent, type AuditOrigin, encodeEntry } from "./audit/entry.ts";
import { encodePreviousSession, PREVIOUS_SESSION } from "./auth/session_keys.ts";
import type { Bytes } from "./bytes.ts";
import { type CommitPlan, type Live, planChanges, planRewrite } from "./commit_plan.ts";
import { wipe } from "./crypto/random.ts";
import { BackupReadOnlyError, NoAnchorError } from "./errors.ts";
import { logger, logRecovered } from "./log.ts";
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
import {
  commitGeneration,
  type Generation,
  openLive,
  readGeneration,
  type SealedCommit,
  snapshotIndex,
} from "./sealed/store.ts";
import { readChanges, readSnapshot } from "./state/changes.ts";
import { assertReason } from "./state/policies.ts";
import { type Changes, setChange, type State } from "./state/records.ts";
import type { Medium } from "./storage/medium.ts";

/** A process that commits so often is worth loading synchronous crypto for. */
const MANY_COMMITS = 4;

/** Who changes a vault, and what stands for its newest generation. */
export interface ReplicaOptions {
  /** Who the log says does things. */
  readonly origin: AuditOrigin;
  /** The anchor of a vault that has one. */
  readonly anchor?: Anchor | undefined;
}

/** An open vault's memory. */
export class Replica {
  readonly medium: Medium;
  #origin: AuditOrigin;
  #anchor: Anchor | undefined;
  #keys: VaultKeys;
  #commits = 0;
  #generation: Generation;
  #state: State;
  /** What each live delta changed, oldest first: what merging them needs. */
  #deltas: readonly Changes[];

  private constructor(medium: Medium, keys: VaultKeys, { origin, anchor }: ReplicaOptions, loaded: Live) {
    this.medium = medium;
    this.#origin = origin;
    this.#anchor = anchor;
    this.#keys = keys;
    this.#generation = loaded.generation;
    this.#state = loaded.state;
    this.#deltas = loaded.deltas;
  }

  /** Loads the newest generation under keys that open it. */
  static async load(medium: Medium, keys: VaultKeys, options: ReplicaOptions): Promise<Replica> {
    try {
      const generation = (await readGeneration(medium, keys))!;
      const loaded = await loadLive(keys, generation);
      await verifyAnchor(options.anchor, generation, keys, loaded.state);
      options.anchor?.pause();
      return new Replica(medium, keys, options, loaded);
    } catch (error) {
      options.anchor?.release();
      throw error;
    }
  }

  /** Who the log says does things. */
  get origin(): AuditOrigin {
    return this.#origin;
  }

  /** The anchor of a vault that has one. */
  get anchor(): Anchor | undefined {
    return this.#anchor;
  }

  /** The keys of the vault's epoch. */
  get keys(): VaultKeys {
    return this.#keys;
  }

  /** What is live, and in memory. */
  get live(): Live {
    return { generation: this.#generation, state: this.#state, deltas: this.#deltas };
  }

  /** The newest generation that this process knows of. */
  get generation(): Generation {
    return this.#generation;
  }

  /** Its records. */
  get state(): State {
    return this.#state;
  }

  /** How the vault stands to its anchor. */
  verifyAnchor(): Promise<AnchorState> {
    return verifyAnchor(this.#anchor, this.#generation, this.#keys, this.#state);
  }

  /** To be called before the lock is given up. */
  pause(): void {
    this.#anchor?.pause();
  }

  /** Closes medium and anchor. */
  close(): void {
    this.#anchor?.release();
    this.medium.close();
  }

  /** Brings the memory level with the medium. Everything new is opened before anything is taken over. */
  async catchUp(): Promise<void> {
    const generation = await readGeneration(this.medium, this.#keys, this.#generation);
    if (generation === null) return;
    const loaded = generation.known === 0 ? await loadLive(this.#keys, generation) : undefined;
    await verifyAnchor(this.#anchor, generation, this.#keys, loaded?.state ?? this.#state);
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

  /** Takes over the vault as it is under a new key, opened by the slot of a number. */
  adopt({ generation, state, deltas }: Live, keys: VaultKeys, slot: number): void {
    this.#keys = keys;
    this.#generation = generation;
    this.#state = state;
    this.#deltas = deltas;
    this.#origin = { ...this.#origin, slot };
  }

  /** Commits changes, with what the log is to say of them. */
  async commit(
    changes: Changes,
    meta: Pick<Meta, "slots" | "nextSlotId">,
    events: readonly AuditEvent[],
    now: number,
  ): Promise<void> {
    this.#assertChangeable();
    if (++this.#commits === MANY_COMMITS) {
      const { vaultId } = this.#generation.meta;
      this.#keys = await withVaultKey(this.#keys, (vaultKey) => deriveKeys(vaultKey, vaultId, true));
    }
    const audit = await this.#note(changes, events, now);
    const plan = await planChanges(this.#keys, this.live, changes);
    await this.#publish(this.#keys, plan, { slots: meta.slots, nextSlotId: meta.nextSlotId, audit }, changes, now);
  }

  /**
   * Gives the vault a new key, in one commit that writes everything anew.
   *
   * @param wrap makes the slots for the new key and the next epoch
   */
  async rekey(
    wrap: (vaultKey: Bytes, vault: Pick<Meta, "vaultId" | "epoch">) => Promise<Pick<Meta, "slots" | "nextSlotId">>,
    now: number,
  ): Promise<void> {
    const { meta } = this.#generation;
    this.assertMayChange();
    const epoch = highestEpoch(meta.epoch, this.#state) + 1;
    const vaultKey = newVaultKey();
    try {
      const slots = await wrap(vaultKey, { vaultId: meta.vaultId, epoch });
      const keys = await deriveKeys(vaultKey, meta.vaultId, this.#commits >= MANY_COMMITS);
      const changes: Changes = new Map();
      const previous = await withVaultKey(this.#keys, (old) => deriveAnchorKey(old, meta.vaultId));
      setChange(changes, PREVIOUS_ANCHOR.kind, PREVIOUS_ANCHOR.key, encodePreviousAnchorKey(previous));
      wipe(previous);
      forgetSuperseded(changes, this.#state);
      const session = await withVaultKey(
        this.#keys,
        (old) => encodePreviousSession(old, meta.vaultId, meta.epoch, now),
      );
      setChange(changes, PREVIOUS_SESSION.kind, PREVIOUS_SESSION.key, session);
      const audit = await this.#note(changes, [{ operation: "vault.rotate", count: epoch }], now);
      const plan = await planRewrite(this.#keys, this.live, changes);
      // The new key knows the anchor key before it, and none from before that: should this commit be followed by a loss of
      // power, the anchor may be one key behind and no more.
      if (meta.anchored) await this.#anchor?.move(this.#generation, this.#keys.anchor, true);
      await this.#publish(keys, plan, { ...slots, audit, epoch, seals: 0 }, changes, now);
    } finally {
      wipe(vaultKey);
    }
  }

  /** Commits an event with a plan of the caller's. */
  async rewrite(event: AuditEvent, plan: (live: Live, changes: Changes) => CommitPlan, now: number): Promise<void> {
    this.assertMayChange();
    const changes: Changes = new Map();
    const audit = await this.#note(changes, [event], now);
    await this.#publish(this.#keys, plan(this.live, changes), { audit }, changes, now);
  }

  /** Makes the anchor at another place, then takes the old one away. */
  async moveAnchor(makeNext: () => Anchor): Promise<void> {
    const old = this.#anchor;
    if (old === undefined || !this.#generation.meta.anchored) throw new NoAnchorError();
    const next = makeNext();
    await next.replace(this.#generation, this.#keys.anchor);
    // Two anchors are no harm: one that is behind is moved up.
    this.#anchor = next;
    old.remove();
  }

  /**
   * Fails as any change by will would. To be called under the exclusive lock, before something is shown that only counts
   * once a change is committed.
   *
   * @throws {BackupReadOnlyError} @throws {PolicyError} @throws {MissingPermissionError} @throws {PermissionDeniedError}
   */
  assertMayChange(): void {
    this.#assertChangeable();
    assertReason(this.#origin, this.#state);
  }

  #assertChangeable(): void {
    const { backup, anchored } = this.#generation.meta;
    if (backup) throw new BackupReadOnlyError();
    // What may not be written is found out before anything is.
    if (anchored) this.#anchor?.assertWritable();
  }

  /** Adds the entries of some events to the changes; gives where the log ends then. */
  async #note(changes: Changes, events: readonly AuditEvent[], now: number): Promise<LogHead> {
    const { audit } = this.#generation.meta;
    const entries = events.map((event) => encodeEntry(event, this.#origin, now));
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
    if (this.#generation.meta.anchored) await this.#anchor?.move(this.#generation, keys.anchor);
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
 * A vault that was made without an anchor is level with it, unless it stands in the place of one that has one. Of a vault
 * that has one a replica without has its reasons: it mends the vault.
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
