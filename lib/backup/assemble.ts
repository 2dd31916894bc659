/**
 * One state out of what opened: the newest form of every record.
 *
 * @module
 */
import { State } from "../state/records.ts";
import type { Fragment } from "./fragment.ts";

/** Generations without a segment, both ends included. */
export interface MissingGenerations {
  /** The first of them. */
  readonly first: number;
  /** The last of them. */
  readonly last: number;
}

/** What the fragments make together. */
export interface Assembled {
  /** The newest form of every record. */
  readonly state: State;
  /** Whose changes are lost, because nothing of their segments opened. */
  readonly missing: readonly MissingGenerations[];
  /** Records that only a segment older than a damaged snapshot holds: they may have been removed or changed since. */
  readonly older: number;
}

/**
 * Lays fragments over each other, the newer over the older. A snapshot that is whole ends the search: what is older than
 * it was changed or removed. One that is not is laid over what older segments hold.
 *
 * @param newest the newest generation that is known of
 */
export function assemble(fragments: readonly Fragment[], newest: number): Assembled {
  const sound = soundUpTo(fragments.filter(({ named }) => named));
  // A segment that no meta page names may be of a commit that was never acknowledged, and replaced by one as new.
  const sorted = fragments.filter(({ named, header }) => named || header.last > sound).sort((a, b) =>
    a.header.last - b.header.last || Number(a.named) - Number(b.named) || (a.header.kind === "snapshot" ? -1 : 1)
  );
  const start = Math.max(0, sorted.findLastIndex(({ header, whole }) => header.kind === "snapshot" && whole));
  const state = new State();
  let older = 0;
  let covered = 0;
  const missing: MissingGenerations[] = [];
  for (const { header, changes } of sorted.slice(start)) {
    if (header.kind === "snapshot") {
      older = state.size - overlap(state, changes);
      // A snapshot repeats everything before it; what is lost of a damaged one is listed with its chunks.
      missing.length = 0;
    } else if (header.first > covered + 1) missing.push({ first: covered + 1, last: header.first - 1 });
    state.apply(changes);
    covered = Math.max(covered, header.last);
  }
  if (covered < newest) missing.push({ first: covered + 1, last: newest });
  return { state, missing, older };
}

/** Up to which generation a whole snapshot and whole deltas follow one another; 0 when there is no such snapshot. */
function soundUpTo(named: readonly Fragment[]): number {
  const whole = named.filter((fragment) => fragment.whole).sort((a, b) => a.header.last - b.header.last);
  const start = whole.findLastIndex(({ header }) => header.kind === "snapshot");
  let covered = whole[start]?.header.last ?? 0;
  for (const { header } of start < 0 ? [] : whole.slice(start + 1)) {
    if (header.first > covered + 1) break;
    covered = Math.max(covered, header.last);
  }
  return covered;
}

function overlap(state: State, changes: Fragment["changes"]): number {
  let both = 0;
  for (const [kind, records] of changes) {
    for (const key of records.keys()) {
      if (state.get(kind, key) !== undefined) both++;
    }
  }
  return both;
}
