/**
 * Making what was salvaged a state that a vault may have: every version has its value, and every value its version.
 *
 * @module
 */
import { CorruptVaultError } from "../errors.ts";
import { type Changes, type RecordReader, setChange, type State } from "../state/records.ts";
import { getSecret, readValue, SECRET, type StoredSecret, VALUE } from "../state/secret.ts";

/** What had to go, so that the rest fits together. */
export interface Pruned {
  /** What to change in the state. */
  readonly changes: Changes;
  /** Names of secrets of which no value is left. */
  readonly lost: readonly string[];
  /** Names of secrets that lack their current value or an older one. */
  readonly shortened: readonly string[];
  /** Values that no secret names. */
  readonly orphans: number;
}

/** Says what of a state cannot stay: versions without a value, and values without a secret. */
export function prune(state: State): Pruned {
  const changes: Changes = new Map();
  const lost: string[] = [];
  const shortened: string[] = [];
  const used = new Set<string>();
  for (const name of state.keys(SECRET)) {
    const secret = read(state, name);
    const kept = secret === undefined ? [] : newestRun(state, name, secret);
    if (secret === undefined || kept.length === 0) {
      setChange(changes, SECRET, name, null);
      lost.push(name);
      continue;
    }
    for (const { ref } of kept) {
      if (ref !== undefined) used.add(ref);
    }
    if (kept.length === secret.versions.length) continue;
    setChange(changes, SECRET, name, JSON.stringify({ ...secret, versions: kept }));
    shortened.push(name);
  }
  let orphans = 0;
  for (const key of state.keys(VALUE)) {
    if (used.has(key)) continue;
    setChange(changes, VALUE, key, null);
    orphans++;
  }
  return { changes, lost: lost.sort(), shortened: shortened.sort(), orphans };
}

/** The newest versions without a gap that have their values: numbers must rise by one. */
function newestRun(records: RecordReader, name: string, { versions }: StoredSecret): StoredSecret["versions"] {
  const whole = versions.map(({ version }) => hasValue(records, name, version));
  const end = whole.lastIndexOf(true);
  let start = end;
  while (start > 0 && whole[start - 1]) start--;
  return end < 0 ? [] : versions.slice(start, end + 1);
}

function hasValue(records: RecordReader, name: string, version: number): boolean {
  return attempt(() => readValue(records, name, version)) !== undefined;
}

function read(records: RecordReader, name: string): StoredSecret | undefined {
  return attempt(() => getSecret(records, name));
}

/** Authenticated records may still break the rules: whoever wrote them had a defect. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof CorruptVaultError) return undefined;
    throw error;
  }
}
