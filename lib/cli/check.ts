/**
 * `coffer check`: looks for damage.
 *
 * @module
 */
import { CorruptVaultError } from "../errors.ts";
import type { StructureProblem, StructureReport } from "../storage/check.ts";
import type { CheckReport } from "../vault.ts";
import { findCredential } from "./credential.ts";
import type { GlobalFlags } from "./flags.ts";
import { fileOptions, type Opening, openVault, prepareOpening, vaultPath } from "./open.ts";
import { counted, shown, shownSize, writeJson, writeOut } from "./output.ts";
import { showProgress, waitingFor } from "./progress.ts";

/** Flags of `check`. */
export interface CheckFlags extends GlobalFlags {
  /** Whether to ask for a passphrase when no credential was given. */
  readonly unlock: boolean;
  /** Whether to decode every value. */
  readonly deep: boolean;
}

/** What opening every seal found, without the problems. */
type Seals = Omit<CheckReport, "problems">;

/** Checks every page, and with a credential every seal. */
export default async function check(flags: CheckFlags): Promise<void> {
  const path = vaultPath(flags);
  const opening = flags.unlock || flags.deep || findCredential(flags) !== undefined ? prepareOpening(flags) : undefined;
  const { Vault } = await import("../vault.ts");
  const { problems: found, ...structure } = await waitingFor(
    "reading every page",
    () => Vault.checkStructure(path, fileOptions(flags)),
  );
  const problems = [...found];
  // Seals are not looked at where pages are damaged: nothing more would come of it.
  const seals = opening === undefined || problems.length > 0
    ? undefined
    : await checkSeals(opening, problems, flags.deep);

  const ok = problems.length === 0;
  if (flags.json) await writeJson({ path, ok, problems, structure, ...(seals === undefined ? {} : { seals }) });
  else await writeOut(describe(structure, seals, problems));
  if (!ok) throw new CorruptVaultError(`${counted(problems.length, "problem")} found`);
}

async function checkSeals(
  opening: Opening,
  problems: StructureProblem[],
  deep: boolean,
): Promise<Seals | undefined> {
  const onProgress = showProgress("checked");
  try {
    await using vault = await openVault(opening);
    const { problems: found, ...seals } = await vault.check({
      deep,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    problems.push(...found);
    return seals;
  } catch (error) {
    if (!(error instanceof CorruptVaultError)) throw error;
    problems.push({ what: error.message, ...(error.page === undefined ? {} : { page: error.page }) });
    return undefined;
  }
}

function describe(
  structure: Omit<StructureReport, "problems">,
  seals: Seals | undefined,
  problems: readonly StructureProblem[],
): string {
  const { pages } = structure;
  const lines = [
    `structure: generation ${structure.version}, ${counted(structure.segments, "segment")}, ` +
    `${pages.live} of ${counted(pages.total, "page")} in use`,
    `meta pages: ${structure.metaPages.join(", ")}${structure.recovered ? "; a newer commit may be lost" : ""}`,
    seals === undefined
      ? "seals: not checked; give a credential, or --unlock"
      : `seals: ${counted(seals.segments, "segment")}, ${shownSize(seals.bytes)}, ${counted(seals.secrets, "secret")}`,
    ...(seals?.values === undefined ? [] : [`values: ${seals.values}`]),
    ...(seals?.notes ?? []).map((what) => `note: ${what}`),
    ...problems.map(({ what }) => `problem: ${what}`),
    problems.length === 0 ? "ok" : "damaged",
  ];
  return lines.map((line) => `${shown(line)}\n`).join("");
}
