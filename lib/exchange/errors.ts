/**
 * Errors of what goes out of a vault and into it: references, templates, environments, and the commands that get them;
 * imports and exports.
 *
 * Nothing here quotes a template, a file or a value: names of secrets and variables, numbers of lines and sizes only.
 *
 * @module
 */
import { CofferError, type CofferErrorOptions } from "../errors.ts";

/** So many names, or places, are listed in one message. */
const MOST_LISTED = 100;

// ---- References and templates ----

/** Thrown when secrets that were referred to are not in the vault. Nothing was read then, and nothing started. */
export class MissingReferencesError extends CofferError {
  /** Names all of them; `app/**` stands for a path with nothing below it. */
  constructor(readonly secrets: readonly string[], options: CofferErrorOptions = {}) {
    super("missing-references", `Not in the vault: ${secrets.map((name) => `"${name}"`).join(", ")}`, options);
  }
}

/** Thrown when a template, or a file of variables, cannot be read as one. */
export class MalformedTemplateError extends CofferError {
  /** Gives the number of the line, from 1, and what is wrong with it; never what it says. */
  constructor(readonly line: number, what: string, options: CofferErrorOptions = {}) {
    super("malformed-template", `Malformed template, line ${line}: ${what}`, options);
  }
}

/** Thrown when a template, or what would become of it, is larger than is allowed. */
export class TemplateTooLargeError extends CofferError {
  /** Says which of the two, and gives the limit in bytes. */
  constructor(what: string, readonly limit: number, options: CofferErrorOptions = {}) {
    super("template-too-large", `${what} has more than ${limit} bytes`, options);
  }
}

// ---- The environment of a command ----

/** Thrown when two secrets would go into one variable. */
export class VariableCollisionError extends CofferError {
  /** Names the variable and the secrets. */
  constructor(
    readonly variable: string,
    readonly secrets: readonly [string, string],
    options: CofferErrorOptions = {},
  ) {
    super("variable-collision", `Both "${secrets[0]}" and "${secrets[1]}" would be ${variable}`, options);
  }
}

/** Thrown when a value cannot be the text of a variable. */
export class UnfitForEnvironmentError extends CofferError {
  /** Names the secret, and says what its value holds or is not. */
  constructor(readonly secret: string, why: string, options: CofferErrorOptions = {}) {
    super("unfit-for-environment", `The value of "${secret}" cannot be in a variable: ${why}`, options);
  }
}

/** Thrown when the system takes no environment of that size. */
export class EnvironmentTooLargeError extends CofferError {
  /** Gives the size of all that was asked for, in bytes, and names the variable with the largest value. */
  constructor(readonly size: number, readonly largest: string, options: CofferErrorOptions = {}) {
    super(
      "environment-too-large",
      `The system refuses ${size} bytes of variables, of which ${largest} is the largest, and these arguments`,
      options,
    );
  }
}

/** Thrown when values are too large to be looked for in what a command prints. */
export class TooMuchToRedactError extends CofferError {
  /** Gives the size of all values, and the limit, in bytes. */
  constructor(readonly size: number, readonly limit: number, options: CofferErrorOptions = {}) {
    super("too-much-to-redact", `The values have ${size} bytes, and at most ${limit} can be masked`, options);
  }
}

// ---- The command itself ----

/** Thrown when there is no program of a name. */
export class CommandNotFoundError extends CofferError {
  /** Gives the name as it was written. */
  constructor(readonly command: string, options: CofferErrorOptions = {}) {
    super("command-not-found", `Cannot run "${command}": there is no such program`, options);
  }
}

/** Thrown when what has the name of a command is nothing that this system runs. */
export class CommandNotExecutableError extends CofferError {
  /** Gives the name as it was written. */
  constructor(readonly command: string, options: CofferErrorOptions = {}) {
    super("command-not-executable", `Cannot run "${command}": it is nothing that can be run`, options);
  }
}

// ---- Import and export ----

/** Thrown when a file to be imported is not of its format. */
export class MalformedImportError extends CofferError {
  /** Names the format and, where that is known, the place: `line 3`, `item 2`. */
  constructor(
    readonly format: string,
    readonly where: string | undefined,
    what: string,
    options: CofferErrorOptions = {},
  ) {
    super("malformed-import", `Cannot read ${format}${where === undefined ? "" : `, ${where}`}: ${what}`, options);
  }
}

/** Something that cannot be the name of a secret, and why. */
export interface ImportProblem {
  /** The place in the file: `line 3`, `item 2`. */
  readonly where: string;
  /** Which rule was broken. */
  readonly rule: string;
}

/** Thrown when names in a file to be imported break the rules for names; all of them at once. */
export class ImportNamesError extends CofferError {
  /** Says where the names stand, and which rules they break; the names stay out, they may be values in the wrong place. */
  constructor(readonly problems: readonly ImportProblem[], options: CofferErrorOptions = {}) {
    super(
      "import-names",
      `Invalid names: ${listed(problems.map(({ where, rule }) => `${where}: ${rule}`), "; ")}`,
      options,
    );
  }
}

/** Thrown when names to be imported are taken by other values. */
export class ImportConflictError extends CofferError {
  /** Gives the names. */
  constructor(readonly names: readonly string[], options: CofferErrorOptions = {}) {
    super("import-conflict", `These names are taken by other values: ${quoted(names)}`, options);
  }
}

/** Thrown when a file to be imported is encrypted in a way that coffer does not open. */
export class ImportEncryptedError extends CofferError {
  /** Names the format. */
  constructor(readonly format: string, options: CofferErrorOptions = {}) {
    super("import-encrypted", `The ${format} export is encrypted, and coffer reads unencrypted ones only`, options);
  }
}

/** Thrown when a file to be imported does not decrypt: wrong key or passphrase, or it was changed. */
export class ImportDecryptionError extends CofferError {
  /** Names the file. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("import-decryption", `Cannot decrypt "${path}"`, options);
  }
}

/** Thrown when an import or an export is larger than any may be. */
export class ExchangeLimitError extends CofferError {
  /** Says what there is too much of, and how much is allowed. */
  constructor(what: string, readonly limit: number, options: CofferErrorOptions = {}) {
    super("exchange-limit", `${what} than the ${limit} that are allowed`, options);
  }
}

/** Thrown when the vault's policy forbids exports without encryption. */
export class ExportRefusedError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("export-refused", "The vault's policy plaintext-export forbids exports without encryption", options);
  }
}

/** Thrown when a format cannot hold some of the secrets to be exported. */
export class ExportUnsuitedError extends CofferError {
  /** Names the format and the secrets, and says what it cannot hold. */
  constructor(
    readonly format: string,
    what: string,
    readonly names: readonly string[],
    options: CofferErrorOptions = {},
  ) {
    super("export-unsuited", `The format ${format} cannot hold ${what}: ${quoted(names)}`, options);
  }
}

function quoted(names: readonly string[]): string {
  return listed(names.map((name) => `"${name}"`), ", ");
}

function listed(items: readonly string[], separator: string): string {
  if (items.length <= MOST_LISTED) return items.join(separator);
  return `${items.slice(0, MOST_LISTED).join(separator)}${separator}and ${items.length - MOST_LISTED} more`;
}
