/**
 * The commands: names, flags, arguments and help. What a command does is loaded when it runs.
 *
 * @module
 */
import type { CommandContext, RouteMap } from "@stricli/core";
import { AUDIT_OPERATIONS } from "../audit/entry.ts";
import { command, none, routes } from "./define.ts";
import { choice, count, file, KDF_FLAGS, parsed, repeated, text, toggle } from "./flags.ts";
import type { PolicyName } from "../state/policies.ts";
import { REDDB_COMMANDS } from "./reddb/commands.ts";

/** The shells that completion scripts are written for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell that a completion script is written for. */
export type Shell = typeof SHELLS[number];

const NAME = { brief: "Name of the secret", placeholder: "NAME", parse: String } as const;

const METADATA_FLAGS = {
  note: text("TEXT", "Free text beside the value"),
  tag: repeated(text("TAG", "A tag; all tags are replaced by those given")),
  // Dates are parsed only where they are used.
  expires: parsed("WHEN", "2027-01-31, 2027-01-31T12:00Z, or from now: 90m, 12h, 30d, 2w, 1y", parseWhen),
  type: text("TYPE", "What it is: password, pem, …"),
} as const;

const NEW_SLOT_FLAGS = {
  newPassphraseFile: file("File with the new passphrase; - for stdin"),
  newKeyfile: file("Key file for it; made when it is missing"),
  label: text("TEXT", "Label of the slot, at most 32 bytes"),
} as const;

const SECRET_JSON = "name, version, size, createdAt, updatedAt, tags, expired, and where set note, expiresAt, type";
const SLOT_JSON = "id, kind, label, createdAt, and for a passphrase kdf {memory in KiB, passes, lanes}";

const init = command({
  brief: "Make a vault",
  description: `Make a vault, with a recovery code that is printed once.

The vault opens with a passphrase (asked for, or --passphrase-file, --new-passphrase-file) or a key file (--keyfile;
--new-keyfile makes one). The 24 words of the recovery code go to stdout, or with --recovery-out to a file; on a terminal
some of them are asked back before the vault is made. An existing file is never replaced.

Beside the vault lies its anchor (PATH.anchor, or --anchor), which tells an older copy of the vault from the newest.

JSON: vault, and recoveryCode or recoveryFile`,
  load: () => import("./init.ts"),
  flags: {
    ...NEW_SLOT_FLAGS,
    recoveryOut: file("Write the recovery code to a new file instead of stdout"),
    noRecovery: toggle("Make no recovery code"),
    noAnchor: toggle("Make no anchor: an older copy of the vault is then taken for the newest"),
    noConfirm: toggle("Do not ask the recovery code back"),
    noAuditReads: toggle("Do not note in the log who reads a value"),
    ...KDF_FLAGS,
  },
  positional: none(),
});

const set = command({
  brief: "Keep a value",
  description: `Keep a value under a name, as a new version; the last ten are kept.

The value is asked for on a terminal, or comes from --stdin or --file byte for byte, at most 16 MiB. --value shows it to
everyone who can list processes, and keeps it in the shell's history.

JSON: name, version`,
  load: () => import("./set.ts"),
  flags: {
    stdin: toggle("Read the value from stdin"),
    file: file("Read the value from a file; - for stdin"),
    value: text("VALUE", "The value itself; visible to other programs"),
    ...METADATA_FLAGS,
  },
  positional: { kind: "tuple", parameters: [NAME] },
});

const get = command({
  brief: "Print a value",
  description: `Print a value, byte for byte. A line end is added only on a terminal, which gets no binary data.

JSON: name, version, size, and encoding (utf8 or base64) with value; with --out the file in out`,
  load: () => import("./get.ts"),
  flags: {
    out: file("Write the value to a new file that only you can read"),
    overwrite: toggle("Let --out replace a file"),
    version: count("N", "An older version"),
    forceTty: toggle("Send binary data to a terminal"),
  },
  positional: { kind: "tuple", parameters: [NAME] },
});

const ls = command({
  brief: "List names",
  description:
    `List names, one per line, sorted. With *, ? or [] a pattern is a glob (* stays within one part of a path,
** does not), otherwise it is how names begin.

JSON: an array of ${SECRET_JSON}`,
  load: () => import("./ls.ts"),
  flags: { long: toggle("Show version, size, dates and tags") },
  positional: {
    kind: "tuple",
    parameters: [{ brief: "Glob or prefix", placeholder: "PATTERN", parse: String, optional: true }],
  },
});

const rm = command({
  brief: "Remove secrets",
  description: `Remove secrets with all their versions: all that are named, or none. Asks once on a terminal.

JSON: removed, an array of names`,
  load: () => import("./rm.ts"),
  flags: { force: toggle("Pass over names that are not there"), yes: toggle("Do not ask") },
  positional: { kind: "array", parameter: NAME, minimum: 1 },
});

const mv = command({
  brief: "Rename a secret",
  description: `Give a secret another name. Versions and metadata go with it.

JSON: ${SECRET_JSON}`,
  load: () => import("./mv.ts"),
  flags: { overwrite: toggle("Replace the secret that has the new name") },
  positional: {
    kind: "tuple",
    parameters: [{ ...NAME, placeholder: "FROM" }, { ...NAME, brief: "The new name", placeholder: "TO" }],
  },
});

const history = command({
  brief: "List versions",
  description: `List the versions that are kept, newest first.

JSON: name, and versions, an array of version, size, createdAt, current`,
  load: () => import("./history.ts"),
  flags: {},
  positional: { kind: "tuple", parameters: [NAME] },
});

const restoreVersion = command({
  brief: "Make an old version current",
  description: `Make the value of an old version current again, as a new version.

JSON: name, version (the new one), restored`,
  load: () => import("./restore_version.ts"),
  flags: {},
  positional: {
    kind: "tuple",
    parameters: [NAME, { brief: "Number of the version", placeholder: "N", parse: count("N", "").parse }],
  },
});

const meta = command({
  brief: "Show or change note, tags, expiry and type",
  description: `Show what is noted about a secret, or change it. What no flag names stays as it is. An expired secret is
still given out, with a warning.

JSON: ${SECRET_JSON}`,
  load: () => import("./meta.ts"),
  flags: {
    ...METADATA_FLAGS,
    noNote: toggle("Take the note away"),
    noTags: toggle("Take all tags away"),
    addTag: repeated(text("TAG", "Add a tag")),
    removeTag: repeated(text("TAG", "Take a tag away")),
    noExpires: toggle("Let it never expire"),
    noType: toggle("Take the type away"),
  },
  positional: { kind: "tuple", parameters: [NAME] },
});

const status = command({
  brief: "Show what a vault is",
  description:
    `Show what the file says of itself, without opening it; with a credential, or --unlock, also what is sealed.

JSON: path, vaultId, generation, epoch, createdAt, updatedAt, slots (${SLOT_JSON}), seals, usage {total, live}, recovered,
anchored, backup, authenticated, and when that is true secrets, openedWith`,
  load: () => import("./status.ts"),
  flags: { unlock: toggle("Open the vault; asks for a passphrase when no credential is given") },
  positional: none(),
});

const check = command({
  brief: "Look for damage",
  description:
    `Look at every page of the file, without opening it; with a credential, or --unlock, also at every seal; with --deep
also at every value, and whether it was written by the rules. Ends with exit code 6 when something is damaged.

JSON: path, ok, problems (an array of what and page), structure, and with a credential seals`,
  load: () => import("./check.ts"),
  flags: {
    unlock: toggle("Open the vault; asks for a passphrase when no credential is given"),
    deep: toggle("Open the vault, and decode every version of every value"),
  },
  positional: none(),
});

const doctor = command({
  brief: "Look for what may go wrong, and mend it",
  description:
    `Look at who may use the vault's files, at what killed processes left, at damage, key slots, clock and room on the
disk, without opening the vault. Ends with exit code 0 when no problem remains, else 6 for damage, 8 for permissions, 1.

JSON: path, ok, findings and mended (arrays of id, severity (problem, warning or note), what, hint, fixable)`,
  load: () => import("./doctor.ts"),
  flags: { fix: toggle("Mend what needs no decision: modes, and what killed processes left") },
  positional: none(),
});

const repair = command({
  brief: "Make a vault readable again",
  description:
    `Look whether the newest version can be read. When only the page of a torn commit is broken, write it anew.
When the version is damaged and the one before it is whole, say what falling back to that would lose, and end with exit
code 6; with --older fall back. The file as it was is kept beside the vault. A file that is whole, and that its anchor
refuses, is told from one that is sound, with exit code 7.

JSON: path, dryRun, state (sound, torn, damaged or refused), repaired, generation, problems, and where they apply loss
{generations, secrets, complete} and kept`,
  load: () => import("./repair.ts"),
  flags: {
    older: toggle("Fall back to the older version when the newest cannot be read"),
    dryRun: toggle("Only say what would be done"),
  },
  positional: none(),
});

const salvage = command({
  brief: "Gather what still opens into a new vault",
  description:
    `Gather every record of a damaged vault that still authenticates into a new vault at OUT, and list what did
not open. The damaged file is only read. The new vault opens with the same passphrase or key file, or with another one
that is given for it.

JSON: vault, path, generation, segments {whole, partial, others}, records, secrets, missing, failures, brokenLines, older,
lostSecrets, shortenedSecrets, orphans, leftOut`,
  load: () => import("./salvage.ts"),
  flags: {
    deep: toggle("Search every page, also for what no meta page names any more"),
    newPassphraseFile: NEW_SLOT_FLAGS.newPassphraseFile,
    newKeyfile: NEW_SLOT_FLAGS.newKeyfile,
    ...KDF_FLAGS,
  },
  positional: {
    kind: "tuple",
    parameters: [{ brief: "Path of the new vault", placeholder: "OUT", parse: parsePath }],
  },
});

const passwd = command({
  brief: "Change a passphrase",
  description:
    `Change the passphrase of the slot that opens the vault, or of --slot. The cost stays as it was unless flags say
otherwise, or it is below the floor. Older copies of the file still open with the old passphrase.

JSON: ${SLOT_JSON}`,
  load: () => import("./passwd.ts"),
  flags: {
    newPassphraseFile: NEW_SLOT_FLAGS.newPassphraseFile,
    slot: count("ID", "Another passphrase slot"),
    ...KDF_FLAGS,
  },
  positional: none(),
});

const slotLs = command({
  brief: "List key slots",
  description: `List the key slots. Without a credential the list is what the file says, not authenticated.

JSON: an array of ${SLOT_JSON}`,
  load: () => import("./slot_ls.ts"),
  flags: {},
  positional: none(),
});

const slotAdd = command({
  brief: "Add a key slot",
  description: `Add another way to open the vault. A recovery code or certificate is made, and printed once.

JSON: ${SLOT_JSON}, and recoveryCode, certificate or out`,
  load: () => import("./slot_add.ts"),
  flags: {
    kind: choice(
      "KIND",
      ["passphrase", "recovery", "keyfile", "certificate"] as const,
      "passphrase, recovery, keyfile or certificate",
    ),
    ...NEW_SLOT_FLAGS,
    out: file("Write the recovery code or certificate to a new file instead of stdout"),
    ...KDF_FLAGS,
  },
  positional: none(),
});

const slotRm = command({
  brief: "Remove a key slot",
  description: `Remove a key slot; the last one stays. Older copies of the file still open with its credential.

JSON: ${SLOT_JSON}`,
  load: () => import("./slot_rm.ts"),
  flags: { yes: toggle("Do not ask") },
  positional: {
    kind: "tuple",
    parameters: [{ brief: "Number of the slot", placeholder: "ID", parse: count("ID", "").parse }],
  },
});

const anchorStatus = command({
  brief: "Show how the anchor stands to the vault",
  description:
    `Show what the anchor says, and how the vault stands to it: level, behind (a crash came in between; the next change
moves the anchor up), or older than the anchor says; or that the anchor is missing, damaged or of another vault. Without a
credential nothing of that is authenticated; with one, or --unlock, a vault that does not fit its anchor is an error.

JSON: path, anchored, anchor (its path), state (none, missing, damaged, foreign, level, behind, older), generation,
authenticated, and where the anchor can be read anchorGeneration, anchorEpoch`,
  load: () => import("./anchor_status.ts"),
  flags: { unlock: toggle("Open the vault; asks for a passphrase when no credential is given") },
  positional: none(),
});

const anchorTrust = command({
  brief: "Make the anchor anew",
  description:
    `Take the vault as it is for the newest, and make its anchor anew: for an anchor that is lost, or a copy that was put
back on purpose. The vault's log says so. Asks once on a terminal. The anchor of another vault is left alone.

JSON: path, anchor, generation`,
  load: () => import("./anchor_trust.ts"),
  flags: {
    yes: toggle("Do not ask"),
    replaceForeign: toggle("Write over the anchor of another vault, which then lacks its own"),
  },
  positional: none(),
});

const anchorMove = command({
  brief: "Move the anchor to another place",
  description: `Move the anchor to another place, another disk being better. From then on every command needs
--anchor PATH. An existing file is never replaced.

JSON: path, anchor (its new path), from`,
  load: () => import("./anchor_move.ts"),
  flags: {},
  positional: {
    kind: "tuple",
    parameters: [{ brief: "Where it goes", placeholder: "PATH", parse: String }],
  },
});

const auditLs = command({
  brief: "Show what was done",
  description: `Show what was done to the vault, oldest first: the audit log. \`coffer audit\` alone means this.

WHEN is a date (2027-01-31, 2027-01-31T12:00Z) or a time back from now (90m, 12h, 30d, 2w, 1y).

JSON: an array of sequence, time, operation, and where there are any name, to, count, slot, actor, reason; with --verify
ok, length, pruned, head`,
  load: () => import("./audit_ls.ts"),
  flags: {
    since: parsed("WHEN", "Only entries of this time or later", parsePast),
    until: parsed("WHEN", "Only entries before this time", parsePast),
    op: choice("OPERATION", AUDIT_OPERATIONS, "Only one operation, such as secret.set"),
    name: text("PATTERN", "Only names that match: a glob, as for ls"),
    verify: toggle("Recompute the chain over all entries instead; exit code 6 when it is broken"),
  },
  positional: none(),
});

const auditPrune = command({
  brief: "Let old entries go",
  description: `Let the oldest entries of the log go, up to the first one that is not before a time. What is left still
verifies, and an entry says how many went. Asks once on a terminal.

JSON: pruned, how many entries went`,
  load: () => import("./audit_prune.ts"),
  flags: {
    before: parsed("WHEN", "A date, or a time back from now: 90m, 12h, 30d, 2w, 1y", parsePast),
    yes: toggle("Do not ask"),
  },
  positional: none(),
});

const policyLs = command({
  brief: "List policies",
  description: `List the policies of the vault, also those that were never set.

JSON: audit-reads, plaintext-export, require-reason, max-secret-age`,
  load: () => import("./policy_ls.ts"),
  flags: {},
  positional: none(),
});

const policySet = command({
  brief: "Set a policy",
  description: `Set a policy: audit-reads on|off, plaintext-export allow|forbid, require-reason on|off,
max-secret-age DAYS|none. To take a restriction away the credential is read, or asked for, once more.

JSON: name, value`,
  load: () => import("./policy_set.ts"),
  flags: {},
  positional: {
    kind: "tuple",
    parameters: [
      { brief: "Name of the policy", placeholder: "NAME", parse: (word: string) => word as PolicyName },
      { brief: "What it is set to", placeholder: "VALUE", parse: String },
    ],
  },
});

const RECOVERY_OUT_FLAGS = {
  recoveryOut: file("Write the recovery code to a new file instead of stdout"),
  noConfirm: toggle("Do not ask the recovery code back"),
} as const;

const rotate = command({
  brief: "Give the vault a new key",
  description:
    `Give the vault a new key and seal everything anew, in one commit. The slot that opens the vault stays, and its
passphrase too; so do those whose credentials are given with --also flags. Without --drop-others no other slot goes
without a word. A fresh recovery code takes the place of the old one, and is shown once. Older copies of the file still
open with the old credentials.

JSON: epoch, slots, dropped (arrays of ${SLOT_JSON}), and recoveryCode or recoveryFile`,
  load: () => import("./rotate.ts"),
  flags: {
    dropOthers: toggle("Let slots go whose credentials were not given"),
    noRecovery: toggle("Make no new recovery code"),
    ...RECOVERY_OUT_FLAGS,
    alsoPassphraseFile: repeated(file("File with the passphrase of another slot that stays")),
    alsoKeyfile: repeated(file("Key file of another slot that stays")),
    alsoCertificateFile: repeated(file("File with the certificate of another slot that stays")),
    alsoRecoveryFile: repeated(file("File with a recovery code that stays")),
  },
  positional: none(),
});

const backup = command({
  brief: "Copy the vault into a file",
  description:
    `Copy the vault, as it is now, into a file that is a vault itself: it opens with the same credentials, the
recovery code included, for get, ls, check and restore, and is not changed. Others may go on writing meanwhile.

JSON: file, generation, size`,
  load: () => import("./backup.ts"),
  flags: {
    keep: count("N", "Keep so many older backups as FILE.1, FILE.2, …"),
    to: repeated(text("RECIPIENT", "Encrypt for an age recipient too")),
    overwrite: toggle("Replace FILE"),
  },
  positional: { kind: "tuple", parameters: [{ brief: "The backup", placeholder: "FILE", parse: String }] },
});

const restore = command({
  brief: "Put a backup in the vault's place",
  description:
    `Open a backup and put it in the place of the vault. The vault that was there is kept beside it. A backup that
is older than the vault needs --rollback. Of the policies of both the stricter ones hold, where the vault that was there
opens with the same credential. Asks once on a terminal when there is a vault.

JSON: vault, from (the backup's generation), generation, kept where there was a vault, policies, policiesFrom (both or
backup)`,
  load: () => import("./restore.ts"),
  flags: {
    rollback: toggle("Accept a backup that is older than the vault"),
    identity: file("File with the age identity, for a backup made with --to"),
    yes: toggle("Do not ask"),
  },
  positional: { kind: "tuple", parameters: [{ brief: "The backup", placeholder: "BACKUP", parse: String }] },
});

const recoveryNew = command({
  brief: "Make a new recovery code",
  description:
    `Make a new recovery code, shown once; older ones open the vault no more. The vault key stays: \`coffer rotate\`
is for a code that others may have seen.

JSON: ${SLOT_JSON}, removed, and recoveryCode or recoveryFile`,
  load: () => import("./recovery_new.ts"),
  flags: RECOVERY_OUT_FLAGS,
  positional: none(),
});

const recoveryVerify = command({
  brief: "See whether a recovery code opens the vault",
  description:
    `Ask for a recovery code, or read it with --recovery-file, and open the vault with it. Nothing of either is
shown. Ends with exit code 4 when it does not open.

JSON: ok`,
  load: () => import("./recovery_verify.ts"),
  flags: {},
  positional: none(),
});

const completions = command({
  brief: "Print a completion script",
  description: `Print a script that completes commands, flags and files: source <(coffer completions bash)

JSON: shell, script`,
  load: () => import("./completions.ts"),
  flags: {},
  positional: {
    kind: "tuple",
    parameters: [{ brief: SHELLS.join(", "), placeholder: "SHELL", parse: choice("SHELL", SHELLS, "").parse }],
  },
});

/** All commands. */
export const COMMANDS: RouteMap<CommandContext> = routes(
  `Keep secrets in one encrypted file.

A credential comes from a flag, else from COFFER_PASSPHRASE[_FILE], COFFER_KEYFILE, COFFER_RECOVERY_FILE or
COFFER_CERTIFICATE[_FILE], else it is asked for. \`coffer help COMMAND\` says more; --version prints the version.`,
  {
    init,
    set,
    get,
    ls,
    rm,
    mv,
    history,
    "restore-version": restoreVersion,
    meta,
    status,
    check,
    doctor,
    repair,
    salvage,
    passwd,
    slot: routes("List, add and remove key slots", { ls: slotLs, add: slotAdd, rm: slotRm }),
    rotate,
    backup,
    restore,
    recovery: routes("Make and verify recovery codes", { new: recoveryNew, verify: recoveryVerify }),
    anchor: routes("Look after the anchor", { status: anchorStatus, trust: anchorTrust, move: anchorMove }),
    audit: routes("Show what was done, and let old entries go", { ls: auditLs, prune: auditPrune }, "ls"),
    policy: routes("List and set policies", { ls: policyLs, set: policySet }),
    reddb: REDDB_COMMANDS,
    completions,
  },
);

async function parsePast(input: string): Promise<Date> {
  const { parsePast } = await import("./expiry.ts");
  return parsePast(input);
}

function parsePath(input: string): string {
  return file("").parse(input) as string;
}

async function parseWhen(input: string): Promise<Date> {
  const { parseExpiry } = await import("./expiry.ts");
  return parseExpiry(input);
}
