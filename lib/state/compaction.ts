/**
 * When small deltas become larger ones, and when they become a snapshot.
 *
 * Deltas are kept in tiers, each tier up to eight times the size of the one below, with fewer than eight deltas a tier.
 * A commit that would be the eighth of its tier takes the seven before it into itself. So a record is rewritten once
 * for each tier it rises through, a few times over the life of a vault, and a version names few segments whatever the
 * number of commits. When the deltas together outweigh the snapshot, a commit writes a snapshot: its cost, spread over
 * the bytes that led to it, is constant.
 *
 * @module
 */

/** Deltas of one tier that are merged. */
export const FAN_OUT = 8;
/** Size of the largest delta of the lowest tier, in bytes: what fits into a page beside the header. */
export const LOWEST_TIER = 4096;
/** Below this many bytes of deltas no snapshot is worth its while. */
export const SMALL_DELTAS = 32 * 1024;

/** What a commit writes: a snapshot of everything, or a delta that takes the last `absorb` deltas into itself. */
export type Plan =
  | { readonly write: "snapshot" }
  | { readonly write: "delta"; readonly absorb: number };

/**
 * Decides what a commit writes.
 *
 * @param snapshot size of the snapshot, in bytes
 * @param deltas sizes of the live deltas, oldest first, in bytes
 * @param added size of what the commit changes, in bytes
 * @param most how many deltas there may be at most afterwards
 */
export function planCommit(snapshot: number, deltas: readonly number[], added: number, most: number): Plan {
  const total = deltas.reduce((sum, size) => sum + size, added);
  if (total > Math.max(snapshot, SMALL_DELTAS)) return { write: "snapshot" };
  let absorb = 0;
  let size = added;
  while (absorb < deltas.length) {
    const tier = tierOf(size);
    let run = 0;
    let sum = 0;
    // Smaller deltas that a larger one came to lie on go with it: tiers fall from old to new, and so stay few.
    let below = 0;
    for (let i = deltas.length - 1 - absorb; i >= 0 && tierOf(deltas[i]!) <= tier; i--) {
      run++;
      sum += deltas[i]!;
      if (tierOf(deltas[i]!) < tier) below = run;
    }
    if (run + 1 < FAN_OUT) {
      absorb += below;
      break;
    }
    absorb += run;
    size += sum;
  }
  return deltas.length - absorb + 1 > most ? { write: "snapshot" } : { write: "delta", absorb };
}

/** Audit segments of one tier that are merged. */
const AUDIT_FAN_OUT = 4;
/** Most audit segments: they share the room for segments with the deltas. */
const MAX_AUDIT_SEGMENTS = 12;

/**
 * Decides how many of the last audit segments a new one takes into itself.
 *
 * @param sizes sizes of the audit segments, oldest first, in bytes
 * @param added size of the new one, in bytes
 */
export function planAudit(sizes: readonly number[], added: number): number {
  let absorb = 0;
  let size = added;
  while (absorb < sizes.length) {
    let run = 0;
    let sum = 0;
    for (let i = sizes.length - 1 - absorb; i >= 0 && tierOf(sizes[i]!) <= tierOf(size); i--) {
      run++;
      sum += sizes[i]!;
    }
    if (run + 1 < AUDIT_FAN_OUT) break;
    absorb += run;
    size += sum;
  }
  const needed = sizes.length + 1 - MAX_AUDIT_SEGMENTS;
  if (absorb >= needed) return absorb;
  // There is no room. Taking in the least would rewrite the newest one with every commit: so all go along that are not much
  // larger than what is rewritten anyway, and those that stay are each a multiple of what comes after them.
  for (; absorb < sizes.length; absorb++) {
    const next = sizes[sizes.length - 1 - absorb]!;
    if (absorb >= needed && next >= AUDIT_FAN_OUT * size) break;
    size += next;
  }
  return absorb;
}

function tierOf(size: number): number {
  let tier = 0;
  for (let bound = LOWEST_TIER; size > bound; bound *= FAN_OUT) tier++;
  return tier;
}
