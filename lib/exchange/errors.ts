/**
 * What can be wrong with an import or an export.
 *
 * Where something stands is said as a line, an item or a name; what stands there never is.
 *
 * @module
 */
import { CofferError, type CofferErrorOptions } from "../errors.ts";

/** So many names, or places, are listed in one message. */
const MOST_LISTED = 100;

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
