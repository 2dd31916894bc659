/**
 * `coffer audit prune --before WHEN`: lets old entries of the log go.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import type { GlobalFlags } from "./flags.ts";
import { openVault, prepareOpening } from "./open.ts";
import { shownDate, writeJson, writeOut } from "./output.ts";
import { assertWanted } from "./terminal.ts";

/** Flags of `audit prune`. */
export interface PruneFlags extends GlobalFlags {
  /** Entries before this time go. */
  readonly before?: Date;
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Prunes, and says how many entries went. */
export default async function auditPrune(flags: PruneFlags): Promise<void> {
  const { before, yes, json } = flags;
  if (before === undefined) {
    throw new UsageError("--before is missing", { hint: "Name a date, as in --before 2026-01-01" });
  }
  await using vault = await openVault(prepareOpening(flags));
  await assertWanted(yes, `Let go of all entries before ${shownDate(before)}, for good?`);
  const pruned = await vault.audit.prune({ before });
  if (json) await writeJson({ pruned });
  else await writeOut(`${pruned === 1 ? "1 entry" : `${pruned} entries`} pruned\n`);
}
