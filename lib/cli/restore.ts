/**
 * `coffer restore BACKUP`: puts a backup in the place of the vault.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { remembered } from "../sealed/remembered.ts";
import { POLICY_NAMES } from "../state/policies.ts";
import { FileMedium } from "../storage/file.ts";
import { MemoryDisk, MemoryFile } from "../storage/disk_memory.ts";
import type { OpenOptions, Vault } from "../vault.ts";
import { decryptAge, isAge } from "./age.ts";
import { givenCredential } from "./credential.ts";
import { checkMayWrite, isThere, readFile } from "./files.ts";
import type { GlobalFlags } from "./flags.ts";
import { sameFile } from "./numbered.ts";
import { auditOptions, fileOptions, vaultPath } from "./open.ts";
import { note, shown, warn, writeJson } from "./output.ts";
import { shownPolicy } from "./policy.ts";
import { waitingFor } from "./progress.ts";
import { assertWanted } from "./terminal.ts";

/** Flags of `restore`. */
export interface RestoreFlags extends GlobalFlags {
  /** Whether a backup may be older than the vault. */
  readonly rollback: boolean;
  /** File with age identities. */
  readonly identity?: string;
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Restores a backup; the vault that was there is kept beside it. */
export default async function restore(flags: RestoreFlags, backup: string): Promise<void> {
  const path = vaultPath(flags);
  // It opens the backup, and where there is a newer key the vault that is there.
  const credential = remembered(givenCredential(flags, `Passphrase for ${backup}:`));
  const options = { ...credential, ...fileOptions(flags), ...auditOptions(flags) };
  checkMayWrite(path, "restore");
  if (sameFile(backup, path)) throw new UsageError("The backup is the vault itself", { hint: "Name the backup" });
  await using vault = await waitingFor("opening the backup", () => open(backup, flags, options));
  const found = isThere(path);
  if (found) await assertWanted(flags.yes, `Put the backup in the place of "${path}"?`);
  const restoring = { ...fileOptions(flags), rollback: flags.rollback, credential };
  const report = await waitingFor("restoring", () => vault.restoreTo(path, restoring));
  if (flags.json) await writeJson({ vault: path, ...report });
  else {
    // Whoever finds the restored vault not to be what was wanted must know where the other one is.
    note(`Restored ${shown(path)} from generation ${report.from}; it is generation ${report.generation} now`);
    if (report.kept !== undefined) note(`The vault that was there is kept as ${shown(report.kept)}`);
  }
  const policies = POLICY_NAMES.map((name) => `${name} ${shownPolicy(report.policies[name])}`).join(", ");
  // Restrictions must not go without a word: an older backup may not have them yet.
  if (report.policiesFrom === "backup" && found) {
    warn(`The vault that was there does not open, so the policies are those of the backup: ${policies}`);
  } else if (!flags.json) note(`Its policies: ${policies}`);
}

async function open(backup: string, flags: RestoreFlags, options: OpenOptions): Promise<Vault> {
  const { Vault } = await import("../vault.ts");
  // The backup has no anchor: what flags say of one is about the vault.
  const { anchor: _, ...own } = options;
  const head = (await readFile(backup, "backup", 64)).bytes;
  if (!isAge(head)) {
    if (flags.identity !== undefined) throw new UsageError("--identity was given, and the backup is no age file");
    return await Vault.open(backup, own);
  }
  const bytes = await decryptAge((await readFile(backup, "backup", Infinity)).bytes, flags.identity);
  return await Vault.open(new FileMedium(new MemoryDisk(new MemoryFile(bytes), backup)), own);
}
