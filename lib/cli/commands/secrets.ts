/**
 * The commands for secrets.
 *
 * @module
 */
import { command, proposing } from "../define.ts";
import { count, file, parsed, repeated, text, toggle } from "../flags.ts";

const NAME = { brief: "Name of the secret", placeholder: "NAME", proposes: "secrets", parse: String } as const;

const METADATA_FLAGS = {
  note: text("TEXT", "Free text beside the value, at most 4096 bytes"),
  tag: repeated(text("TAG", "A tag of at most 64 bytes; all tags are replaced by those given")),
  // Dates are parsed only where they are used.
  expires: parsed(
    "WHEN",
    "When it expires: 2027-01-31, 2027-01-31T12:00Z, or from now: 90m, 12h, 30d, 2w, 1y",
    parseWhen,
  ),
  type: text("TYPE", "What it is, at most 64 bytes: password, pem, …"),
} as const;

const SECRET_JSON = "name, version, size, createdAt, updatedAt, tags, expired, and where set note, expiresAt, type";

/** `coffer set`. */
export const set = command({
  brief: "Keep a value",
  description: `Keep a value under a name, as a new version; the last ten are kept.

The value is asked for on a terminal, or comes from --stdin or --file byte for byte, at most 16 MiB; --trim leaves out
the line end that echo and editors put behind a line. --value shows it to
everyone who can list processes, and keeps it in the shell's history.

JSON: name, version`,
  examples: [
    ["coffer set db/password"],
    ["coffer set db/password --tag prod --note 'changed in spring' --expires 90d"],
    ["pg_dump app | coffer set db/dump --stdin"],
    ["coffer set app/token --file token.txt --trim", "without the line end"],
    ["coffer set tls/key --file key.pem --type pem"],
  ],
  load: () => import("../set.ts"),
  flags: {
    stdin: toggle("Read the value from stdin, byte for byte"),
    file: file("Read the value from a file, byte for byte; - for stdin"),
    trim: toggle("Leave out one line end behind what --stdin or --file give"),
    value: text("VALUE", "The value itself; other users see it, and the shell remembers it"),
    ...METADATA_FLAGS,
  },
  positional: { kind: "tuple", parameters: [NAME] },
});

/** `coffer get`. */
export const get = command({
  brief: "Print a value",
  description: `Print a value, byte for byte. A line end is added only on a terminal, which gets no binary data.

JSON: name, version, size, and encoding (utf8 or base64) with value; with --out the file in out`,
  examples: [["coffer get db/password"], ["coffer get tls/key --out key.pem"], [
    "coffer get db/password --version 2",
    "the value before the last change, say",
  ]],
  load: () => import("../get.ts"),
  flags: {
    out: file("Write the value to a new file that only you can read"),
    overwrite: toggle("Let --out replace a file"),
    version: count("N", "An older version"),
    forceTty: toggle("Send binary data to a terminal"),
  },
  positional: { kind: "tuple", parameters: [NAME] },
});

/** `coffer ls`. */
export const ls = command({
  brief: "List names",
  description:
    `List names, one per line, sorted. With *, ? or [] a pattern is a glob (* stays within one part of a path,
** does not), otherwise it is how names begin.

JSON: an array of ${SECRET_JSON}`,
  examples: [["coffer ls"], ["coffer ls 'db/**' --long"]],
  load: () => import("../ls.ts"),
  flags: { long: toggle("Show version, size, dates and tags") },
  positional: {
    kind: "tuple",
    parameters: [{
      brief: "Glob or prefix",
      placeholder: "PATTERN",
      ...proposing("secrets"),
      parse: String,
      optional: true,
    }],
  },
});

/** `coffer rm`. */
export const rm = command({
  brief: "Remove secrets",
  description: `Remove secrets with all their versions: all that are named, or none. Asks once on a terminal.

JSON: removed, an array of names`,
  examples: [["coffer rm db/old"], ["coffer rm db/old db/older --yes"]],
  load: () => import("../rm.ts"),
  flags: { force: toggle("Pass over names that are not there"), yes: toggle("Do not ask") },
  positional: { kind: "array", parameter: NAME, minimum: 1 },
});

/** `coffer mv`. */
export const mv = command({
  brief: "Rename a secret",
  description: `Give a secret another name. Versions and metadata go with it.

JSON: ${SECRET_JSON}`,
  examples: [["coffer mv db/password app/db/password"]],
  load: () => import("../mv.ts"),
  flags: {
    overwrite: toggle("Replace the secret that has the new name; asks once on a terminal"),
    yes: toggle("Do not ask"),
  },
  positional: {
    kind: "tuple",
    parameters: [{ ...NAME, placeholder: "FROM" }, { ...NAME, brief: "The new name", placeholder: "TO" }],
  },
});

/** `coffer history`. */
export const history = command({
  brief: "List versions",
  description: `List the versions that are kept, newest first.

JSON: name, and versions, an array of version, size, createdAt, current`,
  examples: [["coffer history db/password"]],
  load: () => import("../history.ts"),
  flags: {},
  positional: { kind: "tuple", parameters: [NAME] },
});

/** `coffer restore-version`. */
export const restoreVersion = command({
  brief: "Make an old version current",
  description: `Make the value of an old version current again, as a new version.

JSON: name, version (the new one), restored`,
  examples: [["coffer restore-version db/password 2"]],
  load: () => import("../restore_version.ts"),
  flags: {},
  positional: {
    kind: "tuple",
    parameters: [NAME, { brief: "Number of the version", placeholder: "N", parse: count("N", "").parse }],
  },
});

/** `coffer meta`. */
export const meta = command({
  brief: "Show or change note, tags, expiry and type",
  description: `Show what is noted about a secret, or change it. What no flag names stays as it is. An expired secret is
still given out, with a warning.

JSON: ${SECRET_JSON}`,
  examples: [["coffer meta db/password"], ["coffer meta db/password --add-tag prod --expires 2027-01-31"], [
    "coffer meta db/password --no-expires --no-note",
  ]],
  load: () => import("../meta.ts"),
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

async function parseWhen(input: string): Promise<Date> {
  const { parseExpiry } = await import("../expiry.ts");
  return parseExpiry(input);
}
