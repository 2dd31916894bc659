/**
 * Whether one committed version of a damaged file can be read to its end.
 *
 * @module
 */
import { CorruptVaultError, ForkDetectedError, TruncatedVaultError } from "../errors.ts";
import { type Generation, openLive, readGeneration } from "../sealed/store.ts";
import { readChanges, readSnapshot } from "../state/changes.ts";
import { State } from "../state/records.ts";
import { incompleteness } from "../storage/choose.ts";
import type { Disk } from "../storage/disk.ts";
import type { Committed, Medium } from "../storage/medium.ts";
import { namedSegments } from "./scan.ts";
import type { MetaCandidate, Ring } from "./source.ts";

/** A version that opens. */
export interface Readable {
  /** Its meta and its segments. */
  readonly generation: Generation;
  /** Everything in it. */
  readonly state: State;
}

/** Why a version can not be read. */
export type Unreadable = CorruptVaultError | TruncatedVaultError;

/**
 * Opens every seal of the version that a meta page names. The caller holds a lock.
 *
 * @returns the version, or what is wrong with it
 */
export async function judge(
  disk: Disk,
  { valid, page, meta, number }: MetaCandidate,
  rings: readonly Ring[],
): Promise<Readable | Unreadable> {
  if (!valid || page === undefined) return new CorruptVaultError("a meta page is torn or damaged", { page: number });
  if (meta === undefined) return new CorruptVaultError("a sealed meta is not of its form", { page: number });
  const ring = rings.find(({ epoch }) => epoch === meta.epoch);
  if (ring === undefined) return new CorruptVaultError("a key slot does not open", { page: number });
  try {
    const incomplete = await incompleteness(disk, page, await disk.size());
    if (incomplete !== null) return incomplete;
    const segments = namedSegments(disk, page).map(({ version, length, read }) => ({
      version: version!,
      length,
      read,
    }));
    const committed = { version: page.version, meta: page.meta, segments, recovered: false };
    const generation = (await readGeneration(readOnly(disk.path, committed), ring.keys))!;
    return { generation, state: await load(generation, ring) };
  } catch (error) {
    if (error instanceof CorruptVaultError || error instanceof TruncatedVaultError) return error;
    if (error instanceof ForkDetectedError) return new CorruptVaultError("a segment does not belong where it stands");
    throw error;
  }
}

/** A segment of another kind than these holds no records, and is as good as its header says. */
async function load({ meta, segments }: Generation, { keys }: Ring): Promise<State> {
  let state = new State();
  for (const segment of segments) {
    const kind: string = segment.header.kind;
    const chunks = openLive(keys, meta.vaultId, segment);
    if (kind === "snapshot") state = await readSnapshot(chunks);
    else if (kind === "delta") state.apply(await readChanges(chunks));
  }
  return state;
}

/** One version as a medium that nobody can write to. */
function readOnly(name: string, committed: Committed): Medium {
  const refuse = () => Promise.reject(new RangeError("This version can only be read"));
  return {
    name,
    lock: refuse,
    read: () => Promise.resolve(committed),
    commit: refuse,
    usage: refuse,
    close: () => {},
  };
}
