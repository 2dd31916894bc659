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

/** Flags of `check`. */
export interface CheckFlags extends GlobalFlags {
  /** Whether to ask for a passphrase when no credential was given. */
  readonly unlock: boolean;
}

/** What opening every seal found, without the problems. */
type Seals = Omit<CheckReport, "problems">;

/** Checks every page, and with a credential every seal. */
export default async function check(flags: CheckFlags): Promise<void> {
  const path = vaultPath(flags);
  const opening = flags.unlock || findCredential(flags) !== undefined ? prepareOpening(flags) : undefined;
  const { problems: found, ...structure } = await checkPages(path, flags);
  const problems = [...found];
  // Seals are not looked at where pages are damaged: nothing more would come of it.
  const seals = opening === undefined || problems.length > 0 ? undefined : await checkSeals(opening, problems);

  const ok = problems.length === 0;
  if (flags.json) await writeJson({ path, ok, problems, structure, ...(seals === undefined ? {} : { seals }) });
  else await writeOut(describe(structure, seals, problems));
  if (!ok) throw new CorruptVaultError(`${counted(problems.length, "problem")} found`);
}

async function checkPages(path: string, flags: CheckFlags): Promise<StructureReport> {
  const [{ DenoDisk }, { checkStructure }] = await Promise.all([
    import("../storage/disk_deno.ts"),
    import("../storage/check.ts"),
  ]);
  const options = fileOptions(flags);
  const disk = DenoDisk.open(path, options);
  try {
    const lock = await disk.lock("shared", options);
    try {
      return await checkStructure(disk);
    } finally {
      lock.release();
    }
  } finally {
    disk.close();
  }
}

async function checkSeals(opening: Opening, problems: StructureProblem[]): Promise<Seals | undefined> {
  try {
    await using vault = await openVault(opening);
    const { problems: found, ...seals } = await vault.check();
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
    `meta pages: ${structure.metaPages.join(", ")}${structure.recovered ? "; a torn commit was passed over" : ""}`,
    seals === undefined
      ? "seals: not checked; give a credential, or --unlock"
      : `seals: ${counted(seals.segments, "segment")}, ${shownSize(seals.bytes)}, ${counted(seals.secrets, "secret")}`,
    ...problems.map(({ what }) => `problem: ${what}`),
    problems.length === 0 ? "ok" : "damaged",
  ];
  return lines.map((line) => `${shown(line)}\n`).join("");
}
