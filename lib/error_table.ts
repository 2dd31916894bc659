/**
 * The one table of error codes: what each exits with on the command line, and what to do about it.
 *
 * @module
 */

/** What the table knows about one error code. */
export interface ErrorEntry {
  /** Exit code of the command line for this error. */
  readonly exit: number;
  /** What to do about it; one sentence. An error may bring a more exact one. */
  readonly hint: string;
}

/** Exit code of the command line by error code, with the usual hint. The documentation is held against this table. */
export const ERROR_TABLE = {
  "unexpected": { exit: 1, hint: "This is a defect; please report it with the command that led here" },
  "io-error": { exit: 1, hint: "Look at the disk and the path, then try again; the last committed state still stands" },
  "disk-full": { exit: 1, hint: "Free some space and try again; the vault is as it was before" },
  "slot-unverified": {
    exit: 1,
    hint: "This machine computes wrongly; test its memory before it writes anything that matters",
  },
  "vault-closed": { exit: 1, hint: "Open the vault again" },
  "transaction-closed": { exit: 1, hint: "Use the transaction only inside its callback, and await what it starts" },
  "problems-found": { exit: 1, hint: "Do what each finding says; `coffer doctor --fix` mends those it can" },
  "interrupted": { exit: 1, hint: "Run the command again; nothing was changed" },
  "usage": { exit: 2, hint: "Run the command with --help" },
  "invalid-name": {
    exit: 2,
    hint: "A name is 1 to 512 bytes of UTF-8 text in Unicode form NFC without control characters",
  },
  "invalid-metadata": { exit: 2, hint: "Shorten the text, or take out control characters" },
  "value-too-large": {
    exit: 2,
    hint: "A value holds at most 16 MiB; keep larger data in a file encrypted by its own key",
  },
  "conflicting-credentials": { exit: 2, hint: "Give exactly one credential" },
  "weak-credential": { exit: 2, hint: "Choose a longer one" },
  "malformed-text": { exit: 2, hint: "Read it as bytes" },
  "slots-full": { exit: 2, hint: "Remove a slot first; a vault has 16" },
  "vault-not-found": { exit: 3, hint: "Create it with `coffer init`, or name another with --vault" },
  "secret-not-found": { exit: 3, hint: "List the names with `coffer ls`" },
  "version-not-found": { exit: 3, hint: "List the versions with `coffer history`" },
  "slot-not-found": { exit: 3, hint: "List the slots with `coffer slot ls`" },
  "file-not-found": { exit: 3, hint: "Check the path" },
  "wrong-credential": { exit: 4, hint: "Check the credential and the vault it belongs to" },
  "no-credential": {
    exit: 4,
    hint: "Give --passphrase-file, --keyfile, --recovery-file or --certificate-file, or run on a terminal",
  },
  "malformed-credential": { exit: 4, hint: "Check that the file holds this kind of credential, whole" },
  "busy": { exit: 5, hint: "Try again, or wait longer with --timeout" },
  "conflict": { exit: 5, hint: "Try again; another process changed the vault in between" },
  "corrupt-vault": { exit: 6, hint: "Run `coffer check`, keep the file, and restore a backup" },
  "truncated-vault": { exit: 6, hint: "Part of the file is missing; keep it, and restore a backup" },
  "not-a-vault": { exit: 6, hint: "Check the path; this file was not written by coffer" },
  "empty-file": { exit: 6, hint: "Check the path; remove the empty file before `coffer init`" },
  "not-a-file": { exit: 6, hint: "Name the vault file itself" },
  "unsupported-version": { exit: 6, hint: "Use a newer coffer for this vault" },
  "rollback-detected": { exit: 7, hint: "An older copy stands in the vault's place; put the newest one back" },
  "fork-detected": {
    exit: 7,
    hint: "Two copies of the vault were changed apart; keep both, and decide which one counts",
  },
  "anchor-missing": {
    exit: 7,
    hint: "Put the anchor back; if it is gone for good, look the vault over and run `coffer anchor trust`",
  },
  "anchor-damaged": { exit: 7, hint: "Look the vault over, then run `coffer anchor trust`" },
  "anchor-foreign": { exit: 7, hint: "Name the right anchor with --anchor; it belongs to one vault only" },
  "insecure-permissions": { exit: 8, hint: "Make the file private: chmod 600" },
  "permission-denied": { exit: 8, hint: "Check the owner and mode of the file and of its folder" },
  "read-only-file-system": { exit: 8, hint: "Move the vault to a place that can be written" },
  "missing-permission": { exit: 8, hint: "Run deno with the permission that the message names" },
  "too-many-attempts": { exit: 9, hint: "Wait, then try again; each further failure makes the wait longer" },
  "vault-exists": { exit: 10, hint: "Choose another path; an existing vault is never replaced" },
  "no-anchor": { exit: 2, hint: "It was made without one, on purpose; there is nothing to look after" },
  "anchor-exists": { exit: 10, hint: "It is of another vault; if that one is gone for good, remove its anchor" },
  "secret-exists": { exit: 10, hint: "Choose another name, or replace the existing secret with --overwrite" },
  "file-exists": { exit: 10, hint: "Choose another path; this command replaces no file" },
  "weak-kdf": { exit: 11, hint: "Use at least 19 MiB and 2 passes" },
  "kdf-limit": {
    exit: 11,
    hint: "The file asks for more work than any honest vault; it may have been made to exhaust this machine",
  },
  "vault-rotated": { exit: 5, hint: "Open the vault again: it has a new key" },
  "backup-read-only": { exit: 11, hint: "A backup is not changed; put it back with `coffer restore`" },
  "reason-required": { exit: 11, hint: "Say why with --reason; the vault's policy asks for it" },
  "seal-limit": { exit: 11, hint: "Give the vault a new key before changing it further" },
  "slots-would-drop": {
    exit: 11,
    hint: "Give their credentials too, with --also-keyfile and its kin, or drop them with --drop-others",
  },
  "backup-foreign": { exit: 7, hint: "Restore it to another path; it is of another vault" },
  "last-slot": { exit: 11, hint: "Add another slot first" },
  "reddb-no-key": {
    exit: 4,
    hint: "Set REDDB_CERTIFICATE or REDDB_VAULT_KEY, or either with _FILE at its end, or give a credential",
  },
  "reddb-encryption": { exit: 1, hint: "Nothing was written; save less at once" },
  "reddb-decryption": { exit: 4, hint: "Check the credential and the file it belongs to" },
  "reddb-corrupt": { exit: 6, hint: "Run `coffer reddb check`, keep the file, and restore a backup" },
  "reddb-legacy": { exit: 6, hint: "Bootstrap the vault again; the first version of the format is not read" },
  "reddb-unsupported": { exit: 6, hint: "Use a newer coffer for this file" },
  "reddb-page-file": { exit: 6, hint: "Check the path; run `coffer reddb check` on a file that RedDB wrote" },
  "invalid-user-name": {
    exit: 2,
    hint: "A name, of a user or a tenant, is 1 to 128 bytes of plain text in Unicode form NFKC without a slash",
  },
  "user-not-found": { exit: 3, hint: "List the users with `coffer user ls`" },
  "verifier-not-found": { exit: 3, hint: "Give the user a password: `coffer user passwd`" },
  "wrong-signature": { exit: 4, hint: "Check the data and the vault; either may not be the one that was signed" },
  "tenant-not-found": { exit: 3, hint: "A tenant is there as long as it has a user; list them with `coffer user ls`" },
  "user-exists": { exit: 10, hint: "Choose another name, or change the user that is there" },
  "user-disabled": { exit: 11, hint: "Enable the user first: `coffer user enable`" },
  "last-admin": { exit: 11, hint: "Make another user of the platform an admin first" },
  "wrong-login": { exit: 4, hint: "Check the name and the password" },
  "role-above-owner": { exit: 11, hint: "Choose a role that the owner has, or give the owner a higher one first" },
  "api-key-not-found": { exit: 3, hint: "List the keys with `coffer key ls`" },
  "api-key-exists": { exit: 10, hint: "The key is in the vault already" },
  "invalid-api-key": { exit: 4, hint: "Check the key; `coffer key add` makes a new one" },
  "invalid-session": { exit: 4, hint: "Log in again" },
  "malformed-verifier": { exit: 2, hint: "Copy the text again, whole and unchanged" },
  "scram-protocol": { exit: 4, hint: "Begin the exchange anew; if it fails again, look at the client" },
  "weak-password-parameters": {
    exit: 11,
    hint: "SCRAM takes 4096 to 10,000,000 iterations, Argon2id at least 19 MiB and 2 passes, at most 2 GiB and 64",
  },
  "invalid-password": { exit: 2, hint: "A password is 1 to 1024 bytes of UTF-8 text" },
  "already-bootstrapped": { exit: 10, hint: "A vault is bootstrapped once; add users with `coffer user add`" },
  "import-refused": { exit: 2, hint: "Mend these records where they come from, or leave them out with --skip-invalid" },
  "key-pair-exists": { exit: 10, hint: "Keep the vault's own with --on-conflict skip" },
  "missing-references": { exit: 3, hint: "List the names with `coffer ls`, or set what is missing" },
  "malformed-template": { exit: 2, hint: "Look at that line; the forms of a reference are in docs/cli.md" },
  "template-too-large": { exit: 2, hint: "A template has at most 16 MiB, and 256 MiB with its values in it" },
  "variable-collision": {
    exit: 2,
    hint: "Say with --env which of them it is; the other can have another variable the same way",
  },
  "unfit-for-environment": { exit: 2, hint: "Give it as a file with --file, or on stdin with --stdin" },
  "environment-too-large": { exit: 2, hint: "Give large values as files with --file, or on stdin with --stdin" },
  "too-much-to-redact": { exit: 2, hint: "Run it without --redact, or keep its output away from others" },
  "command-not-found": { exit: 127, hint: "Check the name, and that its folder is in PATH" },
  "command-not-executable": { exit: 126, hint: "Check that it is a program, and that its mode lets you run it" },
  "malformed-import": { exit: 6, hint: "Nothing was imported; mend the file, or name its format with --format" },
  "import-names": { exit: 2, hint: "Nothing was imported; a name is 1 to 512 bytes without control characters" },
  "import-conflict": {
    exit: 10,
    hint: "Nothing was imported; --on-conflict skip, overwrite or rename says what to do with such names",
  },
  "import-encrypted": { exit: 2, hint: "Export once more from the other program, without encryption, and import that" },
  "import-decryption": { exit: 4, hint: "Check the key or passphrase, and that the file is whole" },
  "exchange-limit": { exit: 2, hint: "Split it into several" },
  "export-refused": {
    exit: 11,
    hint: "Export for age recipients with --to, or allow it: `coffer policy set plaintext-export allow`",
  },
  "malformed-otp": { exit: 2, hint: "Keep an otpauth:// address there, or the secret in base32" },
  "editor-failed": { exit: 1, hint: "Nothing was changed; check the command of the editor" },
  "secret-changed": { exit: 5, hint: "Nothing was overwritten; edit the new value" },
  "export-unsuited": {
    exit: 2,
    hint: "Nothing was written; choose other names, or --format json, which holds everything",
  },
  "folder-not-found": { exit: 3, hint: "Check the path, or make the folder first" },
  "declined": { exit: 1, hint: "Nothing was changed; to go on, answer y, or give --yes" },
} as const satisfies Record<string, ErrorEntry>;

/** The stable name of an error's cause; callers and scripts branch on it. */
export type ErrorCode = keyof typeof ERROR_TABLE;
