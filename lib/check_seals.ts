/**
 * Checking an open vault: every seal, the chain of its log, and on request every value.
 *
 * @module
 */
import { verifyLog } from "./audit/log.ts";
import type { Live } from "./commit_plan.ts";
import { CorruptVaultError } from "./errors.ts";
import type { VaultKeys } from "./sealed/keys.ts";
import { openLive } from "./sealed/store.ts";
import { readChanges, readSnapshot } from "./state/changes.ts";
import type { State } from "./state/records.ts";
import { getSecret, SECRET, VALUE } from "./state/secret.ts";
import type { LockOptions } from "./storage/disk.ts";

/** What a check of every seal found. */
export interface CheckReport {
  /** The generation that was checked. */
  readonly generation: number;
  /** How many segments were opened. */
  readonly segments: number;
  /** How many records they hold, all segments together. */
  readonly records: number;
  /** How many secrets there are. */
  readonly secrets: number;
  /** Bytes that were authenticated. */
  readonly bytes: number;
  /** What is damaged; empty when all is well. */
  readonly problems: readonly { readonly what: string; readonly page?: number }[];
  /** How many values were decoded, all versions of every secret; in a deep check. */
  readonly values?: number;
  /** What is no damage, though no writer may write it; in a deep check. */
  readonly notes?: readonly string[];
}

/** How to check. */
export interface CheckOptions extends LockOptions {
  /** Also decodes every record, and holds names and metadata of secrets to the rules. @default {false} */
  readonly deep?: boolean;
  /** Is told how much of the work is done: bytes of segments, and in a deep check the same amount again for values. */
  readonly onProgress?: (done: number, total: number) => void;
}

type Problem = CheckReport["problems"][number];

/** Reads and authenticates every live byte. Damage is reported, not thrown. The caller holds a lock. */
export async function checkSeals(keys: VaultKeys, live: Live, options: CheckOptions): Promise<CheckReport> {
  const { deep = false, onProgress } = options;
  const { state, generation } = live;
  const { meta, segments } = generation;
  const total = segments.reduce((sum, { stored }) => sum + stored.length, 0);
  const problems: Problem[] = [];
  let [records, bytes] = [0, 0];
  for (const segment of segments) {
    await noting(problems, async () => {
      const chunks = openLive(keys, meta.vaultId, segment);
      if (segment.header.kind === "snapshot") records += (await readSnapshot(chunks)).size;
      // Entries of the log are checked as a chain, below.
      else if (segment.header.kind === "delta") {
        for (const changes of (await readChanges(chunks)).values()) records += changes.size;
      }
      bytes += segment.stored.length;
      onProgress?.(bytes, deep ? 2 * total : total);
    });
  }
  // A segment that does not open breaks the chain too: that is one problem, not two.
  if (problems.length === 0) await noting(problems, async () => void await verifyLog(keys, generation));
  const secrets = state.count(SECRET);
  const counts = { generation: meta.generation, segments: segments.length, records, secrets, bytes };
  if (!deep) return { ...counts, problems: [...problems, ...missingValues(state)] };
  const [{ checkDeep }, { checkAuthRecords }] = await Promise.all([
    import("./state/deep.ts"),
    import("./auth/check_records.ts"),
  ]);
  const { values, notes, problems: found } = checkDeep(state, (done, all) => {
    onProgress?.(total + Math.floor(total * (all === 0 ? 1 : done / all)), 2 * total);
  });
  const damaged = [...found, ...checkAuthRecords(state)].map((what) => ({ what }));
  return { ...counts, values, notes, problems: [...problems, ...damaged] };
}

/** Runs a part of the check; damage that it throws is noted. */
async function noting(problems: Problem[], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CorruptVaultError)) throw error;
    problems.push({ what: error.message, ...(error.page === undefined ? {} : { page: error.page }) });
  }
}

/** Versions whose value has no record. Which secret it is stays out: a report may be shown to anyone. */
function missingValues(state: State): { what: string }[] {
  const missing: { what: string }[] = [];
  for (const name of state.keys(SECRET)) {
    const { versions } = getSecret(state, name);
    const lost = versions.some(({ ref }) => ref !== undefined && state.get(VALUE, ref) === undefined);
    if (lost) missing.push({ what: "The vault is damaged: a value is missing" });
  }
  return missing;
}
