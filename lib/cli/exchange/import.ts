/**
 * `coffer import FILE`: secrets of another vault, program or file.
 *
 * @module
 */
import type { ImportWarning } from "../../exchange/entry.ts";
import type { ImportReport } from "../../exchange/import_secrets.ts";
import type { OnConflict } from "../../exchange/plan.ts";
import type { GlobalFlags } from "../flags.ts";
import { openVault, prepareOpening } from "../open.ts";
import { note, warn, writeJson, writeOut } from "../output.ts";
import { waitingFor } from "../progress.ts";
import { table } from "../table.ts";
import { readSource, type SourceFlags } from "./source.ts";

/** Flags of `import`. */
export interface ImportFlags extends GlobalFlags, SourceFlags {
  /** Whether only to show what would be done. */
  readonly dryRun: boolean;
  /** What to do with names that are taken by something else. */
  readonly onConflict?: OnConflict;
  /** Path that names are put below. */
  readonly under?: string;
}

/** Takes everything over in one commit. */
export default async function importCommand(flags: ImportFlags, path: string): Promise<void> {
  const { dryRun, onConflict } = flags;
  const opening = prepareOpening(flags);
  // All names and values are judged before the vault is opened, and so before anything is asked or changed.
  const { format, list } = await readSource(flags, path);
  const entries = list.finish(flags.under);
  const warnings = list.warnings();

  await using vault = await openVault(opening);
  const report = await waitingFor("importing", () => vault.importSecrets(entries, { onConflict, dryRun }));
  warnings.forEach(warnOf);
  if (flags.json) return await writeJson({ format, dryRun, ...report, warnings });
  if (dryRun) return await writeOut(describe(report, onConflict));
  const { changed, skipped, renamed } = report;
  const overwritten = changed.length - skipped.length - renamed.length;
  const parts = [
    [report.new.length, "new"],
    [report.same.length, "the same"],
    [overwritten, "overwritten"],
    [renamed.length, "renamed"],
    [skipped.length, "skipped"],
  ] as const;
  const listed = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  note(`Imported from ${format}: ${listed.join(", ") || "nothing"}`);
}

function warnOf({ name, where, what }: ImportWarning): void {
  warn(`${where}, ${name}: ${what}`);
}

/** A table of names, of how each stands to the vault, and of what becomes of those that are taken. */
function describe(report: ImportReport, onConflict: OnConflict = "fail"): string {
  const renamed = new Map(report.renamed.map(({ name, to }) => [name, to]));
  const outcome = (name: string) => {
    if (onConflict === "rename") return `becomes ${renamed.get(name)}`;
    return { fail: "conflict", skip: "stays", overwrite: "is overwritten" }[onConflict];
  };
  const rows = [
    ...report.new.map((name) => ["new", name, ""]),
    ...report.same.map((name) => ["same", name, ""]),
    ...report.changed.map((name) => ["changed", name, outcome(name)]),
  ];
  return rows.length === 0 ? "" : table([["STATE", "NAME", "THEN"], ...rows], ["NAME", "THEN"]);
}
