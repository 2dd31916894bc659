/**
 * `coffer audit`: what was done to a vault, and whether the log is whole.
 *
 * @module
 */
import type { AuditEntry, AuditOperation } from "../audit/entry.ts";
import type { AuditFilter } from "../audit_log.ts";
import { UsageError } from "../errors.ts";
import { globMatcher } from "../state/names.ts";
import type { Vault } from "../vault.ts";
import type { GlobalFlags } from "./flags.ts";
import { isGiven } from "./metadata.ts";
import { openVault, prepareOpening } from "./open.ts";
import { writeJson, writeOut } from "./output.ts";
import { waitingFor } from "./progress.ts";
import { table } from "./table.ts";

/** Flags of `audit`. */
export interface AuditFlags extends GlobalFlags {
  /** Only entries of this time or later. */
  readonly since?: Date;
  /** Only entries before this time. */
  readonly until?: Date;
  /** Only entries of one operation. */
  readonly op?: AuditOperation;
  /** Only names that match. */
  readonly name?: string;
  /** Whether to recompute the chain instead of listing entries. */
  readonly verify: boolean;
}

/** How many entries go out as JSON at once. */
const BATCH = 1000;

/** Lists entries, oldest first, or verifies all of them. */
export default async function audit(flags: AuditFlags): Promise<void> {
  const { since, until, op, name, actor, verify, json } = flags;
  if (verify && [since, until, op, name].some(isGiven)) {
    throw new UsageError("--verify goes over the whole log, and takes none of --since, --until, --op and --name");
  }
  if (name !== undefined) globMatcher(name);
  await using vault = await openVault(prepareOpening(flags));
  if (verify) return await printReport(vault, json);
  const filter: AuditFilter = { since, until, operation: op, name, actor };
  if (json) return await printJson(vault.audit.entries(filter));
  const rows: (readonly string[])[] = [];
  for await (const entry of vault.audit.entries(filter)) rows.push(row(entry));
  if (rows.length > 0) {
    await writeOut(
      table([["TIME", "NUMBER", "OPERATION", "NAME", "SLOT", "ACTOR", "REASON"], ...rows], ["NAME", "ACTOR", "REASON"]),
    );
  }
}

async function printReport(vault: Vault, json: boolean): Promise<void> {
  const report = await waitingFor("verifying", () => vault.audit.verify());
  if (json) return await writeJson({ ok: true, ...report });
  const { length, pruned, head } = report;
  const gone = pruned === 0 ? "" : `, of which ${pruned} were pruned`;
  await writeOut(`${length === 1 ? "1 entry" : `${length} entries`}${gone}\nhead: ${head}\nok\n`);
}

/** One array, written as it is read: the log may be long. */
async function printJson(entries: AsyncIterable<AuditEntry>): Promise<void> {
  let batch: string[] = [];
  let before = "[";
  const flush = async () => {
    await writeOut(before + batch.join(","));
    before = batch.length > 0 ? "," : before;
    batch = [];
  };
  for await (const { time, ...entry } of entries) {
    batch.push(JSON.stringify({ ...entry, time: new Date(time) }));
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0 || before === "[") await flush();
  await writeOut("]\n");
}

function row(entry: AuditEntry): readonly string[] {
  const { time, sequence, operation, slot, actor, reason } = entry;
  const shownTime = `${new Date(time).toISOString().slice(0, 19).replace("T", " ")}Z`;
  return [shownTime, String(sequence), operation, what(entry), String(slot ?? "-"), actor ?? "-", reason ?? "-"];
}

function what({ operation, name, to, count }: AuditEntry): string {
  if (operation === "policy.set") return `${name} = ${to}`;
  if (name !== undefined) return to === undefined ? name : `${name} -> ${to}`;
  if (count !== undefined && to !== undefined) return `generation ${count}, ${ofWhat(operation, to)}`;
  if (operation === "audit.prune") return count === 1 ? "1 entry" : `${count} entries`;
  return count === undefined ? "-" : String(count);
}

function ofWhat(operation: AuditOperation, to: string): string {
  return operation === "vault.restore" ? `policies of ${to === "both" ? "both vaults" : `the ${to}`}` : to;
}
