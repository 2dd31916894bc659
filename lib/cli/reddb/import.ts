/**
 * `coffer reddb import FILE`: a RedDB vault's users, API keys, master secret and entries.
 *
 * @module
 */
import type { RedDbImportNotice, RedDbImportOutcome, RedDbImportReport } from "../../auth/import_reddb.ts";
import { formatRefused } from "../../auth/errors.ts";
import { VaultNotFoundError } from "../../errors.ts";
import type { VaultState } from "../../reddb/mod.ts";
import { openVault, prepareOpening } from "../open.ts";
import { counted, note, warn, writeJson } from "../output.ts";
import type { OnConflict } from "./commands.ts";
import { reaching, redDbCredential, type RedDbCredentialSource, type RedDbFlags, redDbOptions } from "./open.ts";
import { isExport, readExport } from "./read_export.ts";
import { warnOfKeptLines } from "./state.ts";

/** Flags of `reddb import`. */
export interface RedDbImportFlags extends RedDbFlags {
  /** Put before every name of an entry. */
  readonly prefix?: string;
  /** What to do with what is there already and differs. */
  readonly onConflict?: OnConflict;
  /** Whether entries only are taken over. */
  readonly noUsers: boolean;
  /** Whether RedDB's certificate will open the vault too. */
  readonly keepCertificate: boolean;
  /** Whether records that cannot be taken over are left out. */
  readonly skipInvalid: boolean;
  /** Whether nothing is changed. */
  readonly dryRun: boolean;
}

/** Takes the state over in one commit. */
export default async function importState(flags: RedDbImportFlags, path: string): Promise<void> {
  const { prefix, onConflict, noUsers, keepCertificate, skipInvalid, dryRun } = flags;
  const opening = prepareOpening(flags);
  const state = await readState(flags, path, redDbCredential(flags, path));
  warnOfKeptLines(state);
  const options = { prefix, onConflict, users: !noUsers, keepCertificate, skipInvalid, dryRun };
  const [{ judgeRedDbState }, { importRedDbState }] = await Promise.all([
    import("../../auth/judge_reddb.ts"),
    import("../../auth/import_reddb.ts"),
  ]);
  // All records are judged before the vault is opened, and so before anything is asked or changed.
  judgeRedDbState(state, options);

  await using vault = await openVault(opening);
  const report = await importRedDbState(vault, state, options);
  if (flags.json) await writeJson(report);
  else describe(report);
}

async function readState(
  flags: RedDbImportFlags,
  path: string,
  credential: RedDbCredentialSource,
): Promise<VaultState> {
  if (await isExport(path)) return await readExport(path, credential);
  const { RedDbVault } = await import("../../reddb/mod.ts");
  return await reaching(async () => {
    const options = redDbOptions(flags, path);
    if (!await RedDbVault.hasSavedState(path, options)) throw new VaultNotFoundError(path);
    await using vault = await RedDbVault.open(path, await credential(), options);
    const state = await vault.load();
    if (state === null) throw new VaultNotFoundError(path);
    return state;
  });
}

const NOTICES: Readonly<Record<RedDbImportNotice["kind"], string>> = {
  "needs-password": "Nothing to log in with, a new password is needed",
  "verifier-left-out": "Left out because it is out of bounds: the SCRAM verifier of",
  "time-clamped": "A time is later than any date, and became the latest there is",
  "role-lowered": "The role of an API key was above its owner's, and became that",
};

function describe(report: RedDbImportReport): void {
  const { secrets, users, apiKeys, masterSecret, certificate, refused, notices, leftOut } = report;
  const outcomes = { secret: secrets, user: users, "API key": apiKeys };
  const parts = { "the master secret": masterSecret, "the certificate": certificate };
  const taken = [
    ...Object.entries(outcomes).map(([word, outcome]) => counted(takenOver(outcome), word)),
    ...Object.entries(parts).flatMap(([words, part]) => part === "imported" || part === "overwritten" ? [words] : []),
  ];
  const all = (key: "unchanged" | "skipped") =>
    Object.values(outcomes).reduce((sum, outcome) => sum + outcome[key].length, 0);
  note(
    `${report.dryRun ? "Would import" : "Imported"} ${taken.join(", ")}; ${all("unchanged")} unchanged, ` +
      `${all("skipped")} skipped`,
  );
  if (masterSecret === "skipped") warn("The vault keeps its own master secret: RedDB's signatures are not verified");
  for (const one of refused) warn(`Left out: ${formatRefused(one)}`);
  for (const [kind, text] of Object.entries(NOTICES)) {
    const about = notices.filter((notice) => notice.kind === kind).map(({ user, key }) =>
      key === undefined ? user : `${user} (${key})`
    );
    if (about.length > 0) warn(`${text}: ${about.join(", ")}`);
  }
  const left = [
    ...(leftOut.users > 0 ? [counted(leftOut.users, "user")] : []),
    ...(leftOut.apiKeys > 0 ? [counted(leftOut.apiKeys, "API key")] : []),
    ...(leftOut.masterSecret ? ["the master secret"] : []),
    ...(leftOut.lines > 0 ? [counted(leftOut.lines, "line")] : []),
  ];
  if (left.length > 0) warn(`Not taken over: ${left.join(", ")}`);
}

function takenOver({ imported, overwritten }: RedDbImportOutcome<unknown>): number {
  return imported.length + overwritten.length;
}
