/**
 * The commands for backups.
 *
 * @module
 */
import { command, proposing } from "../define.ts";
import { count, file, repeated, text, toggle } from "../flags.ts";

/** `coffer backup`. */
export const backup = command({
  brief: "Copy the vault into a file",
  description:
    `Copy the vault, as it is now, into a file that is a vault itself: it opens with the same credentials, the
recovery code included, for get, ls, check and restore, and is not changed. Others may go on writing meanwhile.

JSON: file, generation, size`,
  examples: [["coffer backup /mnt/app.coffer --keep 7"], ["coffer backup app.age --to $RECIPIENT"]],
  load: () => import("../backup.ts"),
  flags: {
    keep: count("N", "Keep so many older backups as FILE.1, FILE.2, …"),
    to: repeated(text("RECIPIENT", "Encrypt for an age recipient (age1…) too; any of the identities opens it")),
    overwrite: toggle("Replace FILE"),
  },
  positional: {
    kind: "tuple",
    parameters: [{ brief: "The backup", placeholder: "FILE", ...proposing("file"), parse: String }],
  },
});

/** `coffer restore`. */
export const restore = command({
  brief: "Put a backup in the vault's place",
  description:
    `Open a backup and put it in the place of the vault. The vault that was there is kept beside it. A backup that
is older than the vault needs --rollback. Of the policies of both the stricter ones hold, where the vault that was there
opens with the same credential. Asks once on a terminal when there is a vault.

JSON: vault, from (the backup's generation), generation, kept where there was a vault, policies, policiesFrom (both or
backup)`,
  examples: [["coffer restore /mnt/app.coffer"], [
    "coffer restore /mnt/app.coffer.2 --rollback --reason 'undo the import'",
  ], ["coffer restore app.age --identity key.txt"]],
  load: () => import("../restore.ts"),
  flags: {
    rollback: toggle("Accept a backup that is older than the vault, or than its anchor says it was"),
    identity: file("File with age identities, as age-keygen writes it, for a backup made with --to"),
    yes: toggle("Do not ask"),
  },
  positional: {
    kind: "tuple",
    parameters: [{ brief: "The backup", placeholder: "BACKUP", ...proposing("file"), parse: String }],
  },
});
