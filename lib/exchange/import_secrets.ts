/**
 * Taking secrets over into a vault.
 *
 * @module
 */
import type { Engine, Work } from "../engine.ts";
import { checkMetadata, withMetadata } from "../state/metadata.ts";
import { checkName } from "../state/names.ts";
import type { RecordReader } from "../state/records.ts";
import { addVersion, adoptSecret, checkValue, findSecret, putSecret, readValue } from "../state/secret.ts";
import { equalBytes } from "../bytes.ts";
import type { ImportEntry } from "./entry.ts";
import { ImportConflictError } from "./errors.ts";
import { type OnConflict, planImport, type PlannedEntry, type Present } from "./plan.ts";

/** How to import. */
export interface ImportOptions {
  /** What is done with names that are taken by something else. @default {"fail"} */
  readonly onConflict?: OnConflict | undefined;
  /** Whether only to say what would be done; nothing is written then, and conflicts are no error. @default {false} */
  readonly dryRun?: boolean;
}

/** What an import did, or would do: names in the order of the file. */
export interface ImportReport {
  /** Names that were not there. */
  readonly new: readonly string[];
  /** Names that were there, with the same value and notes. */
  readonly same: readonly string[];
  /** Names that were there, with another value or other notes. */
  readonly changed: readonly string[];
  /** Of those, names that stay as they are. */
  readonly skipped: readonly string[];
  /** Of those, names whose new value gets another name. */
  readonly renamed: readonly { readonly name: string; readonly to: string }[];
}

/**
 * Imports entries in one transaction. Every name and value is judged before it begins.
 *
 * @throws {ImportConflictError} when names are taken, nothing else is to be done with them, and it is no dry run
 * @throws {InvalidNameError} @throws {ValueTooLargeError} @throws {InvalidMetadataError}
 */
export async function importSecrets(
  engine: Engine,
  entries: readonly ImportEntry[],
  { onConflict = "fail", dryRun = false }: ImportOptions,
): Promise<ImportReport> {
  for (const { name, value, metadata = {} } of entries) {
    checkName(name);
    checkValue(value);
    checkMetadata(metadata);
  }
  if (dryRun) {
    await engine.refresh();
    return reportOf(planImport(entries, (name) => presentIn(engine.committed.state, name), onConflict));
  }
  return await engine.transact((work) => {
    const plan = planImport(entries, (name) => presentIn(work.records, name), onConflict);
    const report = reportOf(plan);
    if (onConflict === "fail" && report.changed.length > 0) throw new ImportConflictError(report.changed);
    for (const { entry, target } of plan) {
      if (target !== undefined) take(work, entry, target);
    }
    return report;
  });
}

/** What is there is compared, and goes nowhere: that is no read that the log has to tell of. */
function presentIn(records: RecordReader, name: string): Present | undefined {
  const secret = findSecret(records, name);
  return secret === undefined ? undefined : { ...secret, value: readValue(records, name) };
}

function take(work: Work, { value, metadata = {}, kept }: ImportEntry, name: string): void {
  const { records, now } = work;
  const before = findSecret(records, name);
  if (before !== undefined && equalBytes(readValue(records, name), value)) {
    work.audit({ operation: "secret.describe", name });
    putSecret(records, name, withMetadata(before, metadata, now));
    return;
  }
  work.audit({ operation: "secret.set", name });
  if (before !== undefined || kept === undefined) {
    putSecret(records, name, withMetadata(addVersion(records, name, value, now), metadata, now));
    return;
  }
  const versions = kept.versions.map(({ version, setAt, value }) => ({ version, created: setAt.getTime(), value }));
  const adopted = adoptSecret(records, {
    created: kept.createdAt.getTime(),
    updated: kept.updatedAt.getTime(),
    versions,
  });
  putSecret(records, name, withMetadata(adopted, metadata, adopted.updated));
}

function reportOf(plan: readonly PlannedEntry[]): ImportReport {
  const named = (state: PlannedEntry["state"]) =>
    plan.filter((planned) => planned.state === state).map(({ entry }) => entry.name);
  const changed = plan.filter(({ state }) => state === "changed");
  return {
    new: named("new"),
    same: named("same"),
    changed: named("changed"),
    skipped: changed.filter(({ target }) => target === undefined).map(({ entry }) => entry.name),
    renamed: changed.flatMap(({ entry, target }) =>
      target === undefined || target === entry.name ? [] : [{ name: entry.name, to: target }]
    ),
  };
}
