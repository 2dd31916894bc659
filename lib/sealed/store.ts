/**
 * A medium seen through its keys: committed generations whose every byte is authenticated.
 *
 * Meta and segments hang together as one chain. The meta, under its HMAC, names the newest segment; each segment names,
 * under its seal, the one before it; a snapshot ends the chain. Whatever the storage says about where segments are, only
 * the ones that were committed together fit.
 *
 * @module
 */
import { type Bytes, equalBytes, isZero } from "../bytes.ts";
import { randomBytes } from "../crypto/random.ts";
import {
  CorruptVaultError,
  ForkDetectedError,
  RollbackDetectedError,
  SealLimitError,
  VaultRotatedError,
} from "../errors.ts";
import type { Commit, Committed, Medium, StoredSegment } from "../storage/medium.ts";
import type { VaultKeys } from "./keys.ts";
import { decodeMeta, ID_SIZE, type Meta, openMeta, SEAL_LIMIT, sealMeta } from "./meta.ts";
import { openSegment, readSegmentHeader, sealSegment, type SegmentHeader } from "./segment.ts";

/** A live segment: where it is stored, and its header. */
export interface LiveSegment {
  /** The medium's handle. */
  readonly stored: StoredSegment;
  /** To be believed once a chunk has opened. */
  readonly header: SegmentHeader;
}

/** A committed generation, its meta authenticated, its segments chained but not opened yet. */
export interface Generation {
  /** The medium's own handle. */
  readonly committed: Committed;
  /** The authenticated meta. */
  readonly meta: Meta;
  /** The live segments, oldest first. */
  readonly segments: readonly LiveSegment[];
  /** How many segments from the start are the ones that were known before. */
  readonly known: number;
  /** Whether a torn newer commit was passed over. */
  readonly recovered: boolean;
}

/** One new segment, before it is sealed. */
export interface NewSegment {
  /** Snapshot, delta or audit. */
  readonly kind: SegmentHeader["kind"];
  /** The pieces of its plaintext, as {@linkcode sealSegment} wants them. */
  readonly chunks: readonly Bytes[];
}

/** What a commit writes. */
export interface SealedCommit {
  /** New segments, in order; they follow those that are kept. */
  readonly append: readonly NewSegment[];
  /** How many live segments stay, from the oldest; the others are dropped. */
  readonly keep: number;
  /** What changes in the meta. */
  readonly meta: Partial<Pick<Meta, "slots" | "nextSlotId" | "audit" | "epoch" | "seals">>;
  /** The time of the commit, in milliseconds since 1970. */
  readonly now: number;
}

/**
 * Reads the newest generation, or gives null when it is the known one. The caller holds a lock.
 *
 * @throws {CorruptVaultError} when something is damaged or not authentic
 * @throws {RollbackDetectedError} when the newest one is older than the known one
 * @throws {ForkDetectedError} when it is another one of the same number, or of another vault
 */
export async function readGeneration(medium: Medium, keys: VaultKeys, known?: Generation): Promise<Generation | null> {
  const committed = await medium.read(known?.committed);
  if (committed === null) return null;
  if (known !== undefined && committed.version < known.meta.generation) {
    throw new RollbackDetectedError(committed.version, known.meta.generation);
  }
  const meta = await openKnown(committed, keys, known);
  if (meta.generation !== committed.version) throw new CorruptVaultError("the meta page is not of its generation");
  if (known !== undefined) {
    const forked = !equalBytes(meta.vaultId, known.meta.vaultId) ||
      (meta.generation === known.meta.generation && !equalBytes(meta.head, known.meta.head));
    if (forked) throw new ForkDetectedError(meta.generation);
  }
  return await chain(committed, meta, known);
}

/**
 * A meta that does not open under the known key, and says that it is of another one, is of a vault that was rotated, or of a
 * backup from before a rotation. Nothing of it is believed: opening the vault again tells.
 */
async function openKnown(committed: Committed, keys: VaultKeys, known: Generation | undefined): Promise<Meta> {
  try {
    return await openMeta(committed.meta, keys.meta);
  } catch (error) {
    if (known === undefined || !(error instanceof CorruptVaultError)) throw error;
    const { vaultId, epoch, slots } = decodeMeta(committed.meta);
    if (!equalBytes(vaultId, known.meta.vaultId)) throw error;
    // Epochs come again after a backup from before a rotation was restored. A new key leaves no slot as it was.
    const kept = slots.some(({ wrapped }) => known.meta.slots.some((slot) => equalBytes(slot.wrapped, wrapped)));
    if (epoch !== known.meta.epoch || !kept) throw new VaultRotatedError(epoch);
    throw error;
  }
}

/** Seals and publishes the generation after `base`. The caller holds the exclusive lock and has caught up. */
export async function commitGeneration(
  medium: Medium,
  keys: VaultKeys,
  base: Generation,
  commit: SealedCommit,
): Promise<Generation> {
  const retain = base.segments.slice(0, commit.keep);
  const generation = base.meta.generation + 1;
  const next: Meta = { ...base.meta, ...commit.meta, generation, updated: commit.now };
  const sealed = await sealCommit(keys, next, retain.at(-1)?.header, commit.append);
  const committed = await medium.commit(base.meta.generation, {
    meta: await sealMeta(sealed.meta, keys.meta),
    append: sealed.segments,
    retain: retain.map(({ stored }) => stored),
  });
  const headers = [...retain.map(({ header }) => header), ...sealed.headers];
  const segments = committed.segments.map((stored, index) => ({ stored, header: headers[index]! }));
  return { committed, meta: sealed.meta, segments, known: segments.length, recovered: false };
}

/** A whole vault as one commit on nothing, whatever its generation. */
export async function sealWhole(
  keys: VaultKeys,
  meta: Omit<Meta, "head">,
  append: readonly NewSegment[],
): Promise<{ readonly meta: Meta; readonly sealedMeta: Bytes; readonly segments: readonly Bytes[] }> {
  const sealed = await sealCommit(keys, { ...meta, head: new Uint8Array(ID_SIZE) }, undefined, append);
  return { meta: sealed.meta, sealedMeta: await sealMeta(sealed.meta, keys.meta), segments: sealed.segments };
}

/** Generation 1 as a commit on nothing: the first state under the given slots, and the log's first entries. */
export async function sealFirst(
  keys: VaultKeys,
  first: Omit<Meta, "head" | "generation" | "seals">,
  log: readonly Bytes[],
  state: readonly Bytes[] = [new Uint8Array(0)],
): Promise<Commit> {
  const { sealedMeta, segments } = await sealWhole(keys, { ...first, generation: 1, seals: 0 }, [
    { kind: "audit", chunks: log },
    { kind: "snapshot", chunks: state },
  ]);
  return { meta: sealedMeta, append: segments, retain: [] };
}

/** Opens the chunks of a live segment. */
export function openLive(keys: VaultKeys, vaultId: Bytes, { stored, header }: LiveSegment): AsyncGenerator<Bytes> {
  return openSegment({ key: keys.data, vaultId }, stored, header);
}

async function sealCommit(
  keys: VaultKeys,
  next: Meta,
  before: SegmentHeader | undefined,
  append: readonly NewSegment[],
): Promise<{ meta: Meta; segments: Bytes[]; headers: SegmentHeader[] }> {
  const seals = append.reduce((sum, { chunks }) => sum + chunks.length, next.seals);
  if (seals > SEAL_LIMIT) throw new SealLimitError(next.seals);
  const headers: SegmentHeader[] = [];
  const segments: Bytes[] = [];
  for (const { kind, chunks } of append) {
    const previous: SegmentHeader | undefined = headers.at(-1) ?? before;
    const header: SegmentHeader = {
      kind,
      epoch: next.epoch,
      first: kind === "snapshot" ? next.generation : (previous?.last ?? 0) + 1,
      last: next.generation,
      id: randomBytes(ID_SIZE),
      previous: previous?.id ?? new Uint8Array(ID_SIZE),
    };
    headers.push(header);
    segments.push(await sealSegment({ key: keys.data, vaultId: next.vaultId }, header, chunks));
  }
  return { meta: { ...next, seals, head: headers.at(-1)!.id }, segments, headers };
}

async function chain(committed: Committed, meta: Meta, known: Generation | undefined): Promise<Generation> {
  const segments: LiveSegment[] = [];
  let shared = 0;
  for (const stored of committed.segments) {
    const before = known?.segments[segments.length];
    const same = shared === segments.length && before !== undefined && before.stored.version === stored.version &&
      before.stored.length === stored.length;
    if (same) shared++;
    // What was committed up to the known generation was live in it: a segment as old that was not is of another history.
    else if (known !== undefined && stored.version <= known.meta.generation) {
      throw new ForkDetectedError(meta.generation);
    }
    const newest = stored.version === known?.meta.generation;
    const header = same && !newest ? before.header : await readSegmentHeader(stored);
    if (same && !equalBytes(header.id, before.header.id)) throw new ForkDetectedError(meta.generation);
    segments.push({ stored, header });
  }
  checkChain(meta, segments);
  // A segment that reaches back behind what is known may be of another history: laid over the known state, it would mix
  // the two. Reading everything anew costs time, not truth.
  const overlaps = segments.slice(shared).some(({ header }) => header.first <= (known?.meta.generation ?? 0));
  const goesOn = !overlaps && shared > snapshotIndex(segments);
  return { committed, meta, segments, known: goesOn ? shared : 0, recovered: committed.recovered };
}

/** Where the snapshot stands among the live segments: behind it come deltas, before it old entries of the audit log. */
export function snapshotIndex(segments: readonly LiveSegment[]): number {
  return segments.findIndex(({ header }) => header.kind === "snapshot");
}

/**
 * Audit segments come first, then one snapshot, then deltas. Each covers the generations from where the one before it
 * ended and came with the last one that it covers, ids link, and the last one is the one the meta names.
 */
function checkChain(meta: Meta, segments: readonly LiveSegment[]): void {
  let before: SegmentHeader | undefined;
  for (const { stored, header } of segments) {
    const fits = header.epoch === meta.epoch && header.last === stored.version && followsOn(header, before) &&
      (before === undefined ? isZero(header.previous) : equalBytes(header.previous, before.id));
    if (!fits) throw new CorruptVaultError("a segment does not belong where it stands");
    before = header;
  }
  if (
    before === undefined || before.kind === "audit" || before.last !== meta.generation ||
    !equalBytes(before.id, meta.head)
  ) {
    throw new CorruptVaultError("the newest segment is not the one that was committed");
  }
}

function followsOn({ kind, first }: SegmentHeader, before: SegmentHeader | undefined): boolean {
  switch (kind) {
    case "audit":
      return before === undefined ? first === 1 : before.kind === "audit" && first === before.last + 1;
    case "snapshot":
      return before === undefined || (before.kind === "audit" && first === before.last);
    case "delta":
      return before !== undefined && before.kind !== "audit" && first === before.last + 1;
  }
}
