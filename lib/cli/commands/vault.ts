/**
 * The commands for a vault as a whole.
 *
 * @module
 */
import { command, none, proposing } from "../define.ts";
import { file, KDF_FLAGS, toggle } from "../flags.ts";
import { NEW_SLOT_FLAGS, SLOT_JSON } from "./shared.ts";

/** `coffer init`. */
export const init = command({
  brief: "Make a vault",
  description: `Make a vault, with a recovery code that is printed once.

The vault opens with a passphrase (asked for, or --passphrase-file, --new-passphrase-file) or a key file (--keyfile;
--new-keyfile makes one). The 24 words of the recovery code go to stdout, or with --recovery-out to a file; on a terminal
some of them are asked back before the vault is made. An existing file is never replaced.

Beside the vault lies its anchor (PATH.anchor, or --anchor), which tells an older copy of the vault from the newest.

JSON: vault, and recoveryCode or recoveryFile`,
  examples: [["coffer init"], ["coffer init --new-keyfile app.key --no-recovery", "without anybody at a terminal"], [
    "coffer init --vault app.coffer --anchor /mnt/usb/app.anchor --recovery-out code.txt",
  ]],
  load: () => import("../init.ts"),
  flags: {
    ...NEW_SLOT_FLAGS,
    recoveryOut: file("Write the recovery code to a new file instead of stdout"),
    noRecovery: toggle("Make no recovery code"),
    noAnchor: toggle("Make no anchor: an older copy of the vault is then taken for the newest"),
    noConfirm: toggle("Do not ask the recovery code back on a terminal"),
    noAuditReads: toggle("Leave the policy audit-reads off: do not note in the log who reads a value"),
    ...KDF_FLAGS,
  },
  positional: none(),
});

/** `coffer status`. */
export const status = command({
  brief: "Show what a vault is",
  description:
    `Show what the file says of itself, without opening it; with a credential, or --unlock, also what is sealed.

JSON: path, vaultId, generation, epoch, createdAt, updatedAt, slots (${SLOT_JSON}), seals, usage {total, live}, recovered,
anchored, backup, authenticated, and when that is true secrets, openedWith`,
  examples: [["coffer status"], ["coffer status --unlock --json"]],
  load: () => import("../status.ts"),
  flags: { unlock: toggle("Open the vault; asks for a passphrase when no credential is given") },
  positional: none(),
});

/** `coffer check`. */
export const check = command({
  brief: "Look for damage",
  description:
    `Look at every page of the file, without opening it; with a credential, or --unlock, also at every seal; with --deep
also at every value, and whether it was written by the rules. Ends with exit code 6 when something is damaged.

JSON: path, ok, problems (an array of what and page), structure, and with a credential seals`,
  examples: [["coffer check"], ["coffer check --deep --keyfile app.key"]],
  load: () => import("../check.ts"),
  flags: {
    unlock: toggle("Open the vault; asks for a passphrase when no credential is given"),
    deep: toggle("Open the vault, and decode every version of every value"),
  },
  positional: none(),
});

/** `coffer doctor`. */
export const doctor = command({
  brief: "Look for what may go wrong, and mend it",
  description:
    `Look at who may use the vault's files, at what killed processes left, at damage, key slots, clock and room on the
disk, without opening the vault. Ends with exit code 0 when no problem remains, else 6 for damage, 8 for permissions, 1.

JSON: path, ok, findings and mended (arrays of id, severity (problem, warning or note), what, hint, fixable)`,
  examples: [["coffer doctor"], ["coffer doctor --fix"]],
  load: () => import("../doctor.ts"),
  flags: { fix: toggle("Mend what needs no decision: modes or access lists, and what killed processes left") },
  positional: none(),
});

/** `coffer repair`. */
export const repair = command({
  brief: "Make a vault readable again",
  description:
    `Look whether the newest version can be read. When only the page of a torn commit is broken, write it anew.
When the version is damaged and the one before it is whole, say what falling back to that would lose, and end with exit
code 6; with --older fall back. The file as it was is kept beside the vault. A file that is whole, and that its anchor
refuses, is told from one that is sound, with exit code 7.

JSON: path, dryRun, state (sound, torn, damaged or refused), repaired, generation, problems, and where they apply loss
{generations, secrets, complete} and kept`,
  examples: [["coffer repair --dry-run"], ["coffer repair --older"]],
  load: () => import("../repair.ts"),
  flags: {
    older: toggle("Fall back to the older version when the newest cannot be read"),
    dryRun: toggle("Only say what would be done; the vault may be read-only"),
    yes: toggle("Do not ask before falling back"),
  },
  positional: none(),
});

/** `coffer salvage`. */
export const salvage = command({
  brief: "Gather what still opens into a new vault",
  description:
    `Gather every record of a damaged vault that still authenticates into a new vault at OUT, and list what did
not open. The damaged file is only read. The new vault opens with the same passphrase or key file, or with another one
that is given for it.

JSON: vault, path, generation, segments {whole, partial, others}, records, secrets, missing, failures, brokenLines, older,
lostSecrets, shortenedSecrets, orphans, leftOut`,
  examples: [["coffer salvage rescued.coffer --deep"], [
    "coffer salvage rescued.coffer --keyfile app.key --new-passphrase-file pass.txt",
  ]],
  load: () => import("../salvage.ts"),
  flags: {
    deep: toggle("Search every page, also for what no meta page names any more"),
    newPassphraseFile: NEW_SLOT_FLAGS.newPassphraseFile,
    newKeyfile: NEW_SLOT_FLAGS.newKeyfile,
    ...KDF_FLAGS,
  },
  positional: {
    kind: "tuple",
    parameters: [{ brief: "Path of the new vault", placeholder: "OUT", ...proposing("file"), parse: parsePath }],
  },
});

function parsePath(input: string): string {
  return file("").parse(input) as string;
}
