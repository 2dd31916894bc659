/**
 * What RedDB's files and exports may be wrong with.
 *
 * @module
 */
import { CofferError, type CofferErrorOptions } from "../errors.ts";

/** Thrown when a RedDB vault is opened without any credential, or with a certificate that is none. */
export class RedDbNoKeyError extends CofferError {
  /** Says what is missing or not of its form, never what came. */
  constructor(what = "No key for the RedDB vault was given", options: CofferErrorOptions = {}) {
    super("reddb-no-key", what, options);
  }
}

/** Thrown when a state cannot be encrypted into a RedDB vault. */
export class RedDbEncryptionError extends CofferError {
  /** Says why. */
  constructor(why: string, options: CofferErrorOptions = {}) {
    super("reddb-encryption", `Cannot encrypt the RedDB vault: ${why}`, options);
  }
}

/** Thrown when a RedDB vault or export does not decrypt: the key is another one, or the bytes were changed. */
export class RedDbDecryptionError extends CofferError {
  /** Takes no facts: which of the two it is cannot be told. */
  constructor(options: CofferErrorOptions = {}) {
    super("reddb-decryption", "The RedDB vault does not decrypt: wrong key, or changed bytes", options);
  }
}

/** Thrown when the layout or the contents of a RedDB vault are damaged. */
export class RedDbCorruptError extends CofferError {
  /** Number of the damaged page, where there is one. */
  readonly page: number | undefined;

  /** Says what is wrong, and in which page where that is known. */
  constructor(readonly what: string, options: CofferErrorOptions & { readonly page?: number } = {}) {
    super(
      "reddb-corrupt",
      `The RedDB vault is damaged: ${what}${options.page === undefined ? "" : ` (page ${options.page})`}`,
      options,
    );
    this.page = options.page;
  }
}

/** Thrown when a RedDB vault is of version 1, which nobody reads any more. */
export class RedDbLegacyError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("reddb-legacy", "The RedDB vault has version 1 of the format, which cannot be read", options);
  }
}

/** Thrown when a RedDB vault was written by a later version of the format. */
export class RedDbUnsupportedError extends CofferError {
  /** Names the version found. */
  constructor(readonly version: number, options: CofferErrorOptions = {}) {
    super("reddb-unsupported", `The RedDB vault has version ${version} of the format; version 2 is read`, options);
  }
}

/** Thrown when a file is no page file of RedDB's, or its list of free pages is not sound. */
export class RedDbPageFileError extends CofferError {
  /** Number of the page in question, where there is one. */
  readonly page: number | undefined;

  /** Names the path, says what is wrong, and in which page where that is known. */
  constructor(
    readonly path: string,
    readonly what: string,
    options: CofferErrorOptions & { readonly page?: number } = {},
  ) {
    super(
      "reddb-page-file",
      `Cannot use "${path}" as a RedDB file: ${what}${options.page === undefined ? "" : ` (page ${options.page})`}`,
      options,
    );
    this.page = options.page;
  }
}
