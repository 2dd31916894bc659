/**
 * The commands for export and import: names, flags, arguments and help.
 *
 * @module
 */
import type { OnConflict } from "../../exchange/plan.ts";
import { command, proposing } from "../define.ts";
import { choice, file, repeated, text, toggle } from "../flags.ts";

/** The formats that an export without encryption can have. */
const EXPORT_FORMATS = ["json", "dotenv", "csv"] as const;

/** A format of an export without encryption. */
export type ExportFormat = typeof EXPORT_FORMATS[number];

/** The formats that are imported. */
const IMPORT_FORMATS = [
  "dotenv",
  "json",
  "csv",
  "pass",
  "keepassxc",
  "bitwarden",
  "1password",
  "browser-csv",
  "age",
] as const;

/** A format that is imported. */
export type ImportFormat = typeof IMPORT_FORMATS[number];

const CONFLICTS = ["fail", "skip", "overwrite", "rename"] as const satisfies readonly OnConflict[];

export const exportCommand = command({
  brief: "Write secrets into a file, encrypted for age",
  description:
    `Write all secrets, or those that match a pattern, into a new file that only you can read: as JSON that loses
nothing, encrypted for age recipients (--to) or under a passphrase, which is asked for unless --new-passphrase-file gives
it. The program age opens the file, and so does coffer import.

With --plaintext nothing is encrypted. The vault's policy plaintext-export has to allow it, and the name of the vault's
file has to be typed, or given with --yes-plaintext. The log tells of every export before it is written.

JSON: file, format (age, json, dotenv or csv), secrets (how many), size`,
  examples: [["coffer export --out all.age", "asks for a passphrase"], [
    "coffer export 'db/**' --out db.age --to $RECIPIENT",
  ], ["coffer export --plaintext --format dotenv --under app --out .env"]],
  load: () => import("./export.ts"),
  flags: {
    out: file("The file; - for stdout, unless that is a terminal"),
    to: repeated(text("RECIPIENT", "Encrypt for an age recipient (age1…)")),
    newPassphraseFile: file("Encrypt under the passphrase in a file"),
    plaintext: toggle("Do not encrypt"),
    format: choice("FORMAT", EXPORT_FORMATS, "With --plaintext: json (default), dotenv or csv"),
    yesPlaintext: text("NAME", "Name of the vault's file, instead of typing it"),
    history: toggle("Older versions too, up to nine of each; JSON only"),
    under: text("PATH", "Only names below a path, which is taken off them; patterns look at whole names"),
  },
  positional: {
    kind: "array",
    parameter: { brief: "Glob over names", placeholder: "PATTERN", ...proposing("secrets"), parse: String },
  },
});

export const importCommand = command({
  brief: "Take secrets over from a file",
  description:
    `Take secrets over from a file, or from a store of pass, all in one commit or none. The format is found out where
that leaves no doubt. Names that are taken by something else are an error unless --on-conflict says what to do with them.

What else an item of a password manager has stands below its name: NAME/username, NAME/url, NAME/otp, …

csv wants a header with the columns name and value; note, tags, expires and type may be there too. browser-csv is what
Chrome, Edge and Firefox export: url, username and password, and name and note where there are any.

A value of a dotenv file that was cut at a # behind other characters, or holds a \${…}, is warned of by line and name.

JSON: format, dryRun, new, same, changed, skipped (arrays of names), renamed (array of name and to), warnings (array of
name, where and what)`,
  examples: [["coffer import .env --under app"], ["coffer import bitwarden.json --dry-run"], [
    "coffer import ~/.password-store --format pass --on-conflict skip",
  ], ["coffer import all.age --identity key.txt"]],
  load: () => import("./import.ts"),
  flags: {
    format: choice("FORMAT", IMPORT_FORMATS, `${IMPORT_FORMATS.join(", ")}; for an age file that of what is in it`),
    dryRun: toggle("Only show which names would be new, the same, or changed; never a value"),
    onConflict: choice(
      "WHAT",
      CONFLICTS,
      "With names taken by something else: fail (default), skip, overwrite, rename",
    ),
    under: text("PATH", "Put every name below a path"),
    identity: file("File with the identity, for an age file"),
    agePassphraseFile: file("File with the passphrase, for an age file; else it is asked for"),
  },
  positional: {
    kind: "tuple",
    parameters: [{
      brief: "The file, or folder of pass; - for stdin",
      placeholder: "FILE",
      ...proposing("file"),
      parse: String,
    }],
  },
});
