/**
 * `coffer repair`: makes a vault readable again whose newest version is not.
 *
 * @module
 */
import type { RepairReport } from "../backup/repair.ts";
import { CofferError, CorruptVaultError } from "../errors.ts";
import { checkMayWrite } from "./files.ts";
import type { GlobalFlags } from "./flags.ts";
import { prepareOpening } from "./open.ts";
import { counted, shown, writeJson, writeOut } from "./output.ts";
import { waitingFor } from "./progress.ts";
import { assertWanted } from "./terminal.ts";

/** Flags of `repair`. */
export interface RepairFlags extends GlobalFlags {
  /** Whether to fall back to the older version. */
  readonly older: boolean;
  /** Whether to change nothing. */
  readonly dryRun: boolean;
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Says what is wrong and what falling back would lose, and does it when told to. */
export default async function repair(flags: RepairFlags): Promise<void> {
  const { path, options } = prepareOpening(flags);
  const { older, dryRun, json } = flags;
  if (!dryRun) checkMayWrite(path, "repair vault");
  const { repairVault } = await import("../backup/repair.ts");
  let said = false;
  const beforeRepair = async (found: RepairReport) => {
    if (!json) {
      said = true;
      await writeOut(lines(describe(found)));
    }
    // The lock is held meanwhile: it keeps nobody from a vault that cannot be read.
    if (found.state === "damaged") await assertWanted(flags.yes, `Fall back to generation ${found.generation}?`);
  };
  const repairing = { ...options, older, dryRun, beforeRepair };
  const report = await waitingFor("reading the versions", () => repairVault(path, repairing));
  const { refusal, ...document } = report;
  if (json) await writeJson({ path, dryRun, ...document });
  else await writeOut(lines([...(said ? [] : describe(report)), ...outcome(report, flags)]));
  if (refusal !== undefined) throw withRemedy(refusal);
  if (report.state === "damaged" && !report.repaired && !dryRun) {
    throw new CorruptVaultError("its newest version cannot be read", {
      hint: "Fall back to the older one with `coffer repair --older`, or keep more with `coffer salvage OUT`",
    });
  }
}

/** The way on from a vault that its anchor refuses. */
function withRemedy(refusal: CofferError): CofferError {
  if (refusal.code !== "rollback-detected") return refusal;
  return new CofferError(refusal.code, refusal.message, {
    hint:
      "This is an older copy: put the newest vault back; if that is gone for good, restore a newer backup, or take this " +
      "for the newest with `coffer anchor trust`",
    cause: refusal,
  });
}

function describe({ state, problems, loss }: RepairReport): string[] {
  if (state === "sound") return ["nothing is wrong: every seal of the newest version opens"];
  const found = problems.map((what) => `problem: ${what}`);
  if (state === "torn") found.push("torn: a meta page is torn or wiped; the version that stands is whole");
  if (loss === undefined) return found;
  const { first, last } = loss.generations;
  const which = first === last ? `generation ${first}` : `generations ${first} to ${last}`;
  return [
    ...found,
    `${state === "torn" ? "lost" : "damaged"}: ${which} cannot be read; ${first - 1} can`,
    ...loss.secrets.map(({ name, change }) => `lost: ${change} ${name}`),
    loss.complete
      ? `lost in all: ${counted(loss.secrets.length, "secret")} that ${which} changed`
      : `more may be lost: not all of ${which} could be compared`,
  ];
}

function outcome({ state, repaired, generation, kept }: RepairReport, { dryRun }: RepairFlags): string[] {
  if (state === "sound") return [];
  if (state === "refused") return ["nothing is wrong with the file itself; there is nothing to repair"];
  if (repaired) return [`repaired: generation ${generation}`, `the file as it was is kept: ${kept}`];
  if (state === "torn") return ["would commit once on the version that stands; nothing was done"];
  return [`${dryRun ? "would fall back" : "--older falls back"} to the version that can be read; nothing was done`];
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${shown(text)}\n`).join("");
}
