/**
 * Whether one committed version of a damaged file can be read to its end.
 *
 * @module
 */
import type { Live } from "../commit_plan.ts";
import { CorruptVaultError, ForkDetectedError, TruncatedVaultError } from "../errors.ts";
import { loadLive } from "../replica.ts";
import { openLive, readGeneration, snapshotIndex } from "../sealed/store.ts";
import { incompleteness } from "../storage/choose.ts";
import type { Disk } from "../storage/disk.ts";
import type { Committed, Medium } from "../storage/medium.ts";
import { namedSegments } from "./scan.ts";
import type { MetaCandidate, Ring } from "./source.ts";

/** A version that opens: its meta and segments, and everything in it. */
export type Readable = Live;

/** Why a version can not be read. */
export type Unreadable = CorruptVaultError | TruncatedVaultError;

/**
 * Opens every seal of the version that a meta page names. The caller holds a lock.
 *
 * @param log whether to open the old entries of the log as well
 * @returns the version, or what is wrong with it
 */
export async function judge(
  disk: Disk,
  { valid, page, meta, number }: MetaCandidate,
  rings: readonly Ring[],
  log = true,
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
    // Old entries of the log are not part of the state, but belong to what can be read.
    const old = log ? generation.segments.slice(0, snapshotIndex(generation.segments)) : [];
    for (const segment of old) {
      for await (const _ of openLive(ring.keys, generation.meta.vaultId, segment));
    }
    return await loadLive(ring.keys, generation);
  } catch (error) {
    if (error instanceof CorruptVaultError || error instanceof TruncatedVaultError) return error;
    if (error instanceof ForkDetectedError) return new CorruptVaultError("a segment does not belong where it stands");
    throw error;
  }
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
