/**
 * `coffer backup FILE`: a copy of the vault that is a vault itself.
 *
 * @module
 */
import { FileExistsError, UsageError } from "../errors.ts";
import { anchorPath } from "../storage/anchor_file.ts";
import { ageEncrypter } from "./age.ts";
import { checkMayCreate, checkMayWrite } from "./files.ts";
import type { GlobalFlags } from "./flags.ts";
import { numbered, rotateNames, sameFile } from "./numbered.ts";
import { openVault, prepareOpening } from "./open.ts";
import { refuseBoth } from "./metadata.ts";
import { note, shown, shownSize, warn, writeJson } from "./output.ts";
import { waitingFor } from "./progress.ts";
import { replaceFile, writeNewFile } from "./private_file.ts";

/** Flags of `backup`. */
export interface BackupFlags extends GlobalFlags {
  /** How many older backups stay, under numbered names. */
  readonly keep?: number;
  /** Age recipients that it is encrypted for. */
  readonly to?: readonly string[];
  /** Whether an existing file is replaced. */
  readonly overwrite: boolean;
}

/** Writes a backup, whole or not at all. */
export default async function backup(flags: BackupFlags, file: string): Promise<void> {
  const { keep, to = [], overwrite } = flags;
  refuseBoth({ "--keep": keep, "--overwrite": overwrite });
  if (file === "") throw new UsageError("A file name is empty");
  const encrypt = to.length === 0 ? undefined : await ageEncrypter(to);
  const opening = prepareOpening(flags);
  const names = keep === undefined ? [file] : numbered(file, keep);
  if (keep === undefined && !overwrite) {
    checkMayCreate(file, "Choose another path, replace the file with --overwrite, or keep older backups with --keep N");
  } else checkMayWrite(file, "write");

  await using vault = await openVault(opening);
  // Only now is it known that the vault is there, and which file it is.
  for (const name of names) await checkReplaceable(name, opening.path);
  const { bytes, generation } = await waitingFor("backing up", () => vault.backup());
  const contents = encrypt === undefined ? bytes : await waitingFor("encrypting", () => encrypt(bytes));
  if (keep !== undefined) replaceFile(file, contents, () => rotateNames(names));
  else if (overwrite) replaceFile(file, contents);
  else writeNewFile(file, contents);

  if (flags.json) await writeJson({ file, generation, size: contents.length });
  else if (Deno.stderr.isTerminal()) {
    note(`Wrote ${shown(file)}, ${shownSize(contents.length)}, generation ${generation}`);
  }
  if (encrypt !== undefined) {
    warn("To restore this backup takes an age identity and a credential of the vault: keep both");
  }
}

/** What is no backup is not replaced or renamed, least of all the vault that is backed up. */
async function checkReplaceable(name: string, vault: string): Promise<void> {
  if (sameFile(name, vault) || sameFile(name, anchorPath(vault))) {
    throw new UsageError("A backup cannot be written over the vault or its anchor", { hint: "Name another file" });
  }
  const { Vault } = await import("../vault.ts");
  let live: boolean;
  try {
    live = !(await Vault.inspect(name, { allowInsecurePermissions: true })).backup;
  } catch {
    // Missing, encrypted for age, damaged, or something else: not a vault that somebody uses.
    live = false;
  }
  if (live) throw new FileExistsError(name, { hint: "A vault is there that is no backup; choose another path" });
}
