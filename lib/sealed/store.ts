/**
 * A medium seen through its keys: committed generations whose every byte is authenticated.
 *
 * Meta and segments hang together as one chain. The meta, under its HMAC, names the newest segment; each segment names,
 * under its seal, the one before it; a snapshot ends the chain. Whatever the storage says about where segments are, only
 * the ones that were committed together fit.
 *
 * @module
 */
import { type Bytes, equalBytes } from "../bytes.ts";
import { randomBytes } from "../crypto/random.ts";
import { CorruptVaultError, ForkDetectedError, RollbackDetectedError, SealLimitError } from "../errors.ts";
import type { Commit, Committed, Medium, StoredSegment } from "../storage/medium.ts";
import type { VaultKeys } from "./keys.ts";
import { ID_SIZE, type Meta, openMeta, SEAL_LIMIT, sealMeta } from "./meta.ts";
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

/** What a commit writes. */
export interface SealedCommit {
  /** Snapshot, or delta. */
  readonly kind: SegmentHeader["kind"];
  /** The pieces of its plaintext, as {@linkcode sealSegment} wants them. */
  readonly chunks: readonly Bytes[];
  /** How many live segments stay, from the oldest; the others are dropped, the new one takes their place. */
  readonly keep: number;
  /** What changes in the meta. */
  readonly meta: Partial<Pick<Meta, "slots" | "nextSlotId">>;
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
  const meta = await openMeta(committed.meta, keys.meta);
  if (meta.generation !== committed.version) throw new CorruptVaultError("the meta page is not of its generation");
  if (known !== undefined) {
    const forked = !equalBytes(meta.vaultId, known.meta.vaultId) ||
      (meta.generation === known.meta.generation && !equalBytes(meta.head, known.meta.head));
    if (forked) throw new ForkDetectedError(meta.generation);
  }
  return await chain(committed, meta, known);
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
  const { meta, segment, header } = await sealCommit(keys, next, retain.at(-1)?.header, commit);
  const committed = await medium.commit(base.meta.generation, {
    meta: await sealMeta(meta, keys.meta),
    append: [segment],
    retain: retain.map(({ stored }) => stored),
  });
  const headers = [...retain.map(({ header }) => header), header];
  const segments = committed.segments.map((stored, index) => ({ stored, header: headers[index]! }));
  return { committed, meta, segments, known: segments.length, recovered: false };
}

/** Generation 1 as a commit on nothing: an empty state under the given slots. */
export async function sealFirst(keys: VaultKeys, first: Omit<Meta, "head" | "generation" | "seals">): Promise<Commit> {
  const next: Meta = { ...first, generation: 1, seals: 0, head: new Uint8Array(ID_SIZE) };
  const chunks = [new Uint8Array(0)];
  const { meta, segment } = await sealCommit(keys, next, undefined, { kind: "snapshot", chunks });
  return { meta: await sealMeta(meta, keys.meta), append: [segment], retain: [] };
}

/** Opens the chunks of a live segment. */
export function openLive(keys: VaultKeys, vaultId: Bytes, { stored, header }: LiveSegment): AsyncGenerator<Bytes> {
  return openSegment({ key: keys.data, vaultId }, stored, header);
}

async function sealCommit(
  keys: VaultKeys,
  next: Meta,
  previous: SegmentHeader | undefined,
  { kind, chunks }: Pick<SealedCommit, "kind" | "chunks">,
): Promise<{ meta: Meta; segment: Bytes; header: SegmentHeader }> {
  const seals = next.seals + chunks.length;
  if (seals > SEAL_LIMIT) throw new SealLimitError(next.seals);
  const header: SegmentHeader = {
    kind,
    epoch: next.epoch,
    first: kind === "snapshot" ? next.generation : previous!.last + 1,
    last: next.generation,
    id: randomBytes(ID_SIZE),
    previous: kind === "snapshot" ? new Uint8Array(ID_SIZE) : previous!.id,
  };
  const segment = await sealSegment({ key: keys.data, vaultId: next.vaultId }, header, chunks);
  return { meta: { ...next, seals, head: header.id }, segment, header };
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
  return { committed, meta, segments, known: overlaps ? 0 : shared, recovered: committed.recovered };
}

/**
 * Generations follow each other without a gap, each segment came with the last one that it covers, ids link, and the
 * last one is the one the meta names.
 */
function checkChain(meta: Meta, segments: readonly LiveSegment[]): void {
  let before: SegmentHeader | undefined;
  for (const { stored, header } of segments) {
    const fits = header.epoch === meta.epoch && header.last === stored.version &&
      (before === undefined
        ? header.kind === "snapshot"
        : header.kind === "delta" && header.first === before.last + 1 && equalBytes(header.previous, before.id));
    if (!fits) throw new CorruptVaultError("a segment does not belong where it stands");
    before = header;
  }
  if (before === undefined || before.last !== meta.generation || !equalBytes(before.id, meta.head)) {
    throw new CorruptVaultError("the newest segment is not the one that was committed");
  }
}
