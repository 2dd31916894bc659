/**
 * What comes in with an import: entries, before it is known which of them the vault has.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { InvalidMetadataError, InvalidNameError, ValueTooLargeError } from "../errors.ts";
import { checkMetadata, type SecretMetadata } from "../state/metadata.ts";
import { checkName } from "../state/names.ts";
import { checkValue } from "../state/secret.ts";
import { ExchangeLimitError, ImportNamesError, type ImportProblem, MalformedImportError } from "./errors.ts";

/** Most bytes of a file that is imported or exported: 256 MiB. */
export const MAX_EXCHANGE_SIZE = 256 * 1024 * 1024;
/** Most entries of one import. */
export const MAX_ENTRIES = 1_000_000;

/** One version of a value as another vault kept it. */
export interface KeptVersion {
  /** Its number. */
  readonly version: number;
  /** When it was set. */
  readonly setAt: Date;
  /** The value. */
  readonly value: Bytes;
}

/** How another vault kept a secret; taken over where the secret is new. */
export interface KeptSecret {
  /** When the secret came to be. */
  readonly createdAt: Date;
  /** When anything of it last changed. */
  readonly updatedAt: Date;
  /** Its versions, oldest first, without a gap; the last one is current. */
  readonly versions: readonly KeptVersion[];
}

/** One secret that is to be imported. */
export interface ImportEntry {
  /** Its name. */
  readonly name: string;
  /** Its value. */
  readonly value: Bytes;
  /** What is known beside the value. What is left out stays as it was, null clears it. */
  readonly metadata?: SecretMetadata;
  /** How another vault kept it. */
  readonly kept?: KeptSecret;
  /** Where it stands in the file: `line 3`, `item 2`. */
  readonly where?: string;
}

/** Something that was read as its format wants it, and perhaps not as it was meant. */
export interface ImportWarning {
  /** Name of the entry, as it stands in the file. */
  readonly name: string;
  /** Where it stands in the file: `line 3`. */
  readonly where: string;
  /** What became of it; nothing of the value. */
  readonly what: string;
}

/** The entries of a file while it is read, by name, in their order. */
export class EntryList {
  readonly #format: string;
  readonly #entries = new Map<string, ImportEntry & { readonly where: string }>();
  readonly #doubts = new Map<string, readonly string[]>();

  /** @param format what it is called in messages */
  constructor(format: string) {
    this.#format = format;
  }

  /**
   * Takes an entry; one that had the name before is forgotten.
   *
   * @param doubts how it may have been meant otherwise; nothing of the value
   * @throws {ExchangeLimitError}
   */
  set(entry: ImportEntry & { readonly where: string }, doubts: readonly string[] = []): void {
    // Other programs, and file systems, may keep what looks the same in another form.
    const name = entry.name.normalize("NFC");
    if (this.#entries.size >= MAX_ENTRIES && !this.#entries.has(name)) {
      throw new ExchangeLimitError("The file has more entries", MAX_ENTRIES);
    }
    this.#entries.set(name, { ...entry, name });
    if (doubts.length > 0) this.#doubts.set(name, doubts);
    else this.#doubts.delete(name);
  }

  /** Takes an entry. @throws {MalformedImportError} when one has the name already @throws {ExchangeLimitError} */
  add(entry: ImportEntry & { readonly where: string }): void {
    const before = this.#entries.get(entry.name.normalize("NFC"));
    if (before !== undefined) {
      throw new MalformedImportError(this.#format, entry.where, `its name stands already at ${before.where}`);
    }
    this.set(entry);
  }

  /** Whether there is an entry of the name. */
  has(name: string): boolean {
    return this.#entries.has(name.normalize("NFC"));
  }

  /** What may have been meant otherwise, of the entries that count. */
  warnings(): ImportWarning[] {
    return [...this.#entries.values()].flatMap(({ name, where }) =>
      (this.#doubts.get(name) ?? []).map((what) => ({ name, where, what }))
    );
  }

  /**
   * All entries, checked, their names below a path if there is one.
   *
   * @throws {ImportNamesError} that tells of every name that is not valid
   * @throws {MalformedImportError} when a value is too large or something noted cannot be
   */
  finish(under?: string): ImportEntry[] {
    const entries = [...this.#entries.values()].map((entry) => ({ ...entry, name: below(under, entry.name) }));
    const problems: ImportProblem[] = [];
    for (const { name, where } of entries) {
      try {
        checkName(name);
      } catch (error) {
        if (!(error instanceof InvalidNameError)) throw error;
        problems.push({ where, rule: error.message.replace(/^Invalid name: /, "") });
      }
    }
    if (problems.length > 0) throw new ImportNamesError(problems);
    for (const { value, metadata = {}, where } of entries) {
      try {
        checkValue(value);
        checkMetadata(metadata);
      } catch (error) {
        if (!(error instanceof ValueTooLargeError || error instanceof InvalidMetadataError)) throw error;
        throw new MalformedImportError(this.#format, where, lowerFirst(error.message), { cause: error });
      }
    }
    return entries;
  }
}

/** A name below a path; the path may end with a slash or not. */
export function below(path: string | undefined, name: string): string {
  return path === undefined ? name : `${path.replace(/\/$/, "")}/${name}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
