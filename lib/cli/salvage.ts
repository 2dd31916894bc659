/**
 * `coffer salvage`: gathers what still opens of a damaged vault into a new one.
 *
 * @module
 */
import type { SalvageFailure } from "../backup/fragment.ts";
import type { SalvageReport } from "../backup/salvage.ts";
import { ConflictingCredentialsError } from "../errors.ts";
import type { CredentialOptions } from "../sealed/credential.ts";
import { newKdf } from "../sealed/kdf_limits.ts";
import { assertFree } from "../storage/create.ts";
import { readNewPassphrase } from "./credential.ts";
import { checkMayWrite, claimStdin, STDIN } from "./files.ts";
import { type GlobalFlags, type KdfFlags, kdfOptions } from "./flags.ts";
import { checkMayEnsure, ensureKeyFile } from "./new_credential.ts";
import { prepareOpening } from "./open.ts";
import { counted, shown, shownSize, writeJson, writeOut } from "./output.ts";
import { showProgress, waitingFor } from "./progress.ts";
import { warnOfWeak } from "./weak_passphrase.ts";

/** Flags of `salvage`. */
export interface SalvageFlags extends GlobalFlags, KdfFlags {
  /** Whether to look at every page. */
  readonly deep: boolean;
  /** File with the passphrase of the new vault. */
  readonly newPassphraseFile?: string;
  /** Key file of the new vault, made when it is missing. */
  readonly newKeyfile?: string;
}

/** Makes the new vault, and lists what did not open. */
export default async function salvage(flags: SalvageFlags, out: string): Promise<void> {
  const { path, options } = prepareOpening(flags);
  const kdf = kdfOptions(flags);
  newKdf(kdf);
  const newCredential = prepareNew(flags);
  assertFree(out);
  checkMayWrite(out, "create vault");
  const { salvageVault } = await import("../backup/salvage.ts");
  const onProgress = showProgress("pages searched");
  const report = await waitingFor("gathering", () =>
    salvageVault(path, out, {
      ...options,
      ...kdf,
      deep: flags.deep,
      ...(newCredential === undefined ? {} : { newCredential }),
      ...(onProgress === undefined ? {} : { onProgress }),
    }));
  if (flags.json) await writeJson({ vault: path, ...report });
  else await writeOut(describe(report).map((line) => `${shown(line)}\n`).join(""));
}

function prepareNew({ newPassphraseFile, newKeyfile }: SalvageFlags): CredentialOptions | undefined {
  if (newPassphraseFile !== undefined && newKeyfile !== undefined) {
    throw new ConflictingCredentialsError(["--new-passphrase-file", "--new-keyfile"]);
  }
  if (newPassphraseFile !== undefined) {
    if (newPassphraseFile === STDIN) claimStdin("--new-passphrase-file");
    return { passphrase: async () => await warnOfWeak(await readNewPassphrase(newPassphraseFile)) };
  }
  if (newKeyfile === undefined) return undefined;
  checkMayEnsure(newKeyfile);
  return { keyFile: async () => await ensureKeyFile(newKeyfile) };
}

function describe(report: SalvageReport): string[] {
  const { segments, missing, failures, lostSecrets, shortenedSecrets } = report;
  const numbers: readonly (readonly [number, string])[] = [
    [report.older, "older: records that only came from before a damaged snapshot, perhaps changed since"],
    [report.brokenLines, "dropped: pieces of records beside what did not open"],
    [report.orphans, "dropped: values that belong to no secret any more"],
    [report.leftOut, "left out: records of the damaged vault's own log and keys"],
    [segments.others, "left out: segments without records"],
  ];
  return [
    `salvaged: ${counted(report.secrets, "secret")}, ${counted(report.records, "record")}, into ${report.path}`,
    `segments: ${segments.whole} whole, ${segments.partial} in part`,
    ...failures.map(describeFailure),
    ...missing.map(({ first, last }) => `missing: changes of generations ${first} to ${last}`),
    ...lostSecrets.map((name) => `lost: ${name}`),
    ...shortenedSecrets.map((name) => `lacks versions: ${name}`),
    ...numbers.flatMap(([count, what]) => count === 0 ? [] : [`${what}: ${count}`]),
    failures.length + missing.length === 0 ? "all that the vault names was opened" : "not all was opened",
  ];
}

function describeFailure({ segment, chunk, generation, bytes, what }: SalvageFailure): string {
  const where = [
    `segment at page ${segment}`,
    ...(chunk === undefined ? [] : [`chunk ${chunk}`]),
    ...(generation === undefined ? [] : [`generation ${generation}`]),
    shownSize(bytes),
  ];
  return `not opened: ${where.join(", ")}: ${what}`;
}
