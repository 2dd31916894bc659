/**
 * `coffer doctor`: looks for what may go wrong with a vault and around it, and mends what needs no decision.
 *
 * @module
 */
import { CofferError, CorruptVaultError, ProblemsFoundError } from "../errors.ts";
import { ERROR_TABLE } from "../error_table.ts";
import { examine } from "./doctor/checks.ts";
import type { Finding } from "./doctor/finding.ts";
import type { GlobalFlags } from "./flags.ts";
import { fileOptions, vaultPath } from "./open.ts";
import { counted, shown, warn, writeJson, writeOut } from "./output.ts";

/** Flags of `doctor`. */
export interface DoctorFlags extends GlobalFlags {
  /** Whether to mend what can be mended. */
  readonly fix: boolean;
}

/** Looks at the vault named by the flags; with `--fix` mends, and looks again. */
export default async function doctor(flags: DoctorFlags): Promise<void> {
  const path = vaultPath(flags);
  const options = fileOptions(flags);
  let findings = await examine(path, options);
  const tried = flags.fix ? await mend(findings) : [];
  if (tried.length > 0) findings = await examine(path, options);
  const mended = tried.filter(({ what }) => !findings.some((left) => left.what === what));

  const problems = findings.filter(({ severity }) => severity === "problem");
  if (flags.json) {
    const ok = problems.length === 0;
    await writeJson({ path, ok, findings: findings.map(asDocument), mended: mended.map(asDocument) });
  } else await writeOut(describe(findings, mended));
  if (problems.length > 0) throw asError(problems);
}

/** Mends what can be mended; gives what it did not fail at. */
async function mend(findings: readonly Finding[]): Promise<readonly Finding[]> {
  const mended: Finding[] = [];
  for (const finding of findings) {
    if (finding.fix === undefined) continue;
    try {
      await finding.fix();
      mended.push(finding);
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      warn(`Could not mend ${finding.id}: ${error.message}`);
    }
  }
  return mended;
}

/** The worst of the problems decides: damage, an older or foreign file, permissions, then everything else. */
function asError(problems: readonly Finding[]): CofferError {
  const what = `${counted(problems.length, "problem")} found`;
  const { hint } = ERROR_TABLE["problems-found"];
  const exits = problems.map(({ code }) => code === undefined ? 1 : ERROR_TABLE[code].exit);
  if (exits.includes(6)) return new CorruptVaultError(what);
  const displaced = problems.find(({ code }) => code !== undefined && ERROR_TABLE[code].exit === 7);
  if (displaced?.code !== undefined) return new CofferError(displaced.code, what, { hint: displaced.hint });
  if (exits.includes(8)) return new CofferError("insecure-permissions", what, { hint });
  return new ProblemsFoundError(what);
}

function asDocument({ id, severity, what, hint, fix }: Finding): unknown {
  return { id, severity, what, hint, fixable: fix !== undefined };
}

function describe(findings: readonly Finding[], mended: readonly Finding[]): string {
  const lines = [
    ...mended.map(({ id, what }) => `mended: ${id}: ${what}`),
    ...findings.flatMap(({ id, severity, what, hint, fix }) => [
      `${severity}: ${id}: ${what}`,
      `  hint: ${hint}${fix === undefined ? "" : "; --fix does it"}`,
    ]),
    findings.some(({ severity }) => severity === "problem") ? "problems remain" : "ok",
  ];
  return lines.map((line) => `${shown(line)}\n`).join("");
}
