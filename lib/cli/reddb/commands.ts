/**
 * The commands for RedDB's files: names, flags, arguments and help.
 *
 * @module
 */
import { command, proposing, routes } from "../define.ts";
import { choice, file, text, toggle } from "../flags.ts";

/** What to do with a name that is taken by another value. */
export const CONFLICTS = ["fail", "skip", "overwrite"] as const;

/** What to do with a name that is taken by another value. */
export type OnConflict = typeof CONFLICTS[number];

const FILE = { brief: "RedDB's file, .rdb", placeholder: "FILE", proposes: "file", parse: String } as const;
const KEY = { brief: "Key of the entry", placeholder: "KEY", parse: String } as const;

const CREDENTIAL_FLAGS = {
  reddbPassphraseFile: file("File with the passphrase of the RedDB file"),
  reddbCertificateFile: file("File with the certificate of the RedDB file"),
} as const;

const ON_CONFLICT = choice("WHAT", CONFLICTS, "With a name that has another value: fail (default), skip, overwrite");

const CREDENTIAL_HELP = `REDDB_CERTIFICATE opens it, else REDDB_VAULT_KEY, either also with _FILE at its end, else
--reddb-certificate-file or --reddb-passphrase-file, else a passphrase that is asked for`;
const OWN_CREDENTIAL_HELP = `${CREDENTIAL_HELP}; --certificate-file and --passphrase-file mean the same here`;

const STATE_JSON = `bootstrapped, master_secret, users, api_keys, kv; without --reveal secrets are "***"`;

const bootstrap = command({
  brief: "Make a RedDB vault with its first user",
  description: `Make a RedDB vault: master secret, an administrator, and an API key for them.

The vault opens with a certificate that is printed once, or with --certificate-out goes to a new file. FILE is made when
it is missing; a file that has a vault is refused. The user's password is asked for, or comes from --password-file.

JSON: file, user, apiKey, and certificate or certificateFile`,
  examples: [["coffer reddb bootstrap app.rdb --user admin --certificate-out cert"]],
  load: () => import("./bootstrap.ts"),
  flags: {
    user: text("NAME", "Name of the administrator"),
    passwordFile: file("File with the administrator's password; - for stdin"),
    certificateOut: file("Write the certificate to a new file instead of stdout"),
    replaceLegacy: toggle("Put the new vault in the place of one of version 1, which cannot be read"),
  },
  positional: { kind: "tuple", parameters: [FILE] },
});

const show = command({
  brief: "Show what a RedDB vault holds",
  description: `Show users, API keys and entries of a RedDB vault.

${OWN_CREDENTIAL_HELP}.

JSON: ${STATE_JSON}; null when there is no vault yet`,
  examples: [["coffer reddb show app.rdb --certificate-file cert"], [
    "coffer reddb show app.rdb --certificate-file cert --reveal --json",
  ]],
  load: () => import("./show.ts"),
  flags: { ...CREDENTIAL_FLAGS, reveal: toggle("Show secrets too") },
  positional: { kind: "tuple", parameters: [FILE] },
});

const exportCommand = command({
  brief: "Seal a RedDB vault as text",
  description: `Write the whole state as one line of text (RDVX), sealed under the credential that opens the vault.

${OWN_CREDENTIAL_HELP}.

JSON: export, or with --out the file in out`,
  examples: [["coffer reddb export app.rdb --certificate-file cert --out app.rdvx"]],
  load: () => import("./export.ts"),
  flags: { ...CREDENTIAL_FLAGS, out: file("Write it to a new file that only you can read") },
  positional: { kind: "tuple", parameters: [FILE] },
});

const unseal = command({
  brief: "Show what an export of RedDB holds",
  description: `Show users, API keys and entries of an export (RDVX).

${OWN_CREDENTIAL_HELP}.

JSON: ${STATE_JSON}`,
  examples: [["coffer reddb unseal app.rdvx --certificate-file cert"]],
  load: () => import("./unseal.ts"),
  flags: { ...CREDENTIAL_FLAGS, reveal: toggle("Show secrets too") },
  positional: {
    kind: "tuple",
    parameters: [{
      brief: "File with the export; - for stdin",
      placeholder: "EXPORT",
      ...proposing("file"),
      parse: String,
    }],
  },
});

const set = command({
  brief: "Set an entry of a RedDB vault",
  description: `Set an entry of a RedDB vault. Values are text.

The value is asked for on a terminal, or comes from --stdin or --file. Asks there before another value is replaced: RedDB
keeps no older ones. ${OWN_CREDENTIAL_HELP}.

JSON: file, key`,
  examples: [["coffer reddb set app.rdb smtp/password --certificate-file cert"]],
  load: () => import("./set.ts"),
  flags: {
    ...CREDENTIAL_FLAGS,
    stdin: toggle("Read the value from stdin"),
    file: file("Read the value from a file; - for stdin"),
    value: text("VALUE", "The value itself; visible to other programs"),
    yes: toggle("Do not ask before another value is replaced"),
  },
  positional: { kind: "tuple", parameters: [FILE, KEY] },
});

const rm = command({
  brief: "Remove an entry of a RedDB vault",
  description: `Remove an entry of a RedDB vault. Asks once on a terminal.

${OWN_CREDENTIAL_HELP}.

JSON: file, removed`,
  examples: [["coffer reddb rm app.rdb smtp/password --certificate-file cert"]],
  load: () => import("./rm.ts"),
  flags: { ...CREDENTIAL_FLAGS, yes: toggle("Do not ask") },
  positional: { kind: "tuple", parameters: [FILE, KEY] },
});

const importCommand = command({
  brief: "Take a RedDB vault over",
  description:
    `Take a RedDB file or export over in one commit, all of it or nothing: users with their roles, times and verifiers, API
keys, the master secret, and entries as secrets. What is already there in the same form stays as it is.

Users log in with the passwords they have, API keys keep working, RedDB's signatures are verified. A record that cannot be
taken over, as a user's name with a slash, fails the whole: it is named by its position.

The flags of every command open the coffer vault. The RedDB vault: ${CREDENTIAL_HELP}.

JSON: dryRun, secrets, users, apiKeys (each imported, overwritten, unchanged, skipped: arrays of names; of API keys owner
and name), masterSecret, bootstrapped, certificate (each one of those words, or none), refused (an array of what,
position, why), notices (an array of kind, user, key, role), leftOut {users, apiKeys, masterSecret, lines}`,
  examples: [["coffer reddb import app.rdb --reddb-certificate-file cert --dry-run"], [
    "coffer reddb import app.rdb --reddb-certificate-file cert --prefix reddb/ --keyfile app.key",
  ]],
  load: () => import("./import.ts"),
  flags: {
    ...CREDENTIAL_FLAGS,
    prefix: text("TEXT", "Put this before every name of an entry"),
    onConflict: choice("WHAT", CONFLICTS, "With what is there already and differs: fail (default), skip, overwrite"),
    noUsers: toggle("Take entries only: no users, API keys and master secret"),
    skipInvalid: toggle("Leave out what cannot be taken over"),
    keepCertificate: toggle("Let RedDB's certificate open the vault too, by a slot with the label reddb"),
    dryRun: toggle("Say what would be done, and change nothing; it fails where the import would"),
  },
  positional: {
    kind: "tuple",
    parameters: [{
      brief: "RedDB's file or export; - for an export on stdin",
      placeholder: "FILE",
      ...proposing("file"),
      parse: String,
    }],
  },
});

const write = command({
  brief: "Write secrets into a RedDB vault",
  description:
    `Write secrets into a RedDB vault as its entries: all of them, or none. FILE is made when it is missing. Values must be
text; notes, tags and old versions stay behind.

The flags of every command open the coffer vault. The RedDB vault: ${CREDENTIAL_HELP}.

JSON: file, written, unchanged, skipped (arrays of names)`,
  examples: [["coffer reddb write app.rdb --reddb-certificate-file cert --only 'app/**'"]],
  load: () => import("./write.ts"),
  flags: {
    ...CREDENTIAL_FLAGS,
    only: text("PATTERN", "Only names that match, as in ls"),
    onConflict: ON_CONFLICT,
  },
  positional: { kind: "tuple", parameters: [FILE] },
});

const check = command({
  brief: "Look a RedDB file over, without a key",
  description:
    `Look at every page of the vault, its chain and the list of free pages, without a key. Ends with exit code 6 when
something is damaged. Pages that nothing reaches only take room: they are said, and are no damage.

JSON: path, ok, problems (an array of kind, what, page, harmless), fileSize, pageSize, pageCount, version, chainPages,
freePages, orphanPages, otherPages, interrupted`,
  examples: [["coffer reddb check app.rdb"]],
  load: () => import("./check.ts"),
  flags: {},
  positional: { kind: "tuple", parameters: [FILE] },
});

/** The commands for RedDB's files. */
export const REDDB_COMMANDS = routes("Read and write RedDB's auth vaults", {
  bootstrap,
  show,
  export: exportCommand,
  unseal,
  set,
  rm,
  import: importCommand,
  write,
  check,
});
