/**
 * Secrets by name: in a transaction, and each for itself.
 *
 * @module
 */
import { decodeUtf8, encodeUtf8 } from "./bytes.ts";
import type { Engine, Work } from "./engine.ts";
import { MalformedTextError, SecretExistsError } from "./errors.ts";
import { checkMetadata, type SecretMetadata, withMetadata } from "./state/metadata.ts";
import { checkName, globMatcher } from "./state/names.ts";
import { readPolicy } from "./state/policies.ts";
import type { RecordReader } from "./state/records.ts";
import {
  addVersion,
  checkValue,
  currentVersion,
  getSecret,
  putSecret,
  readValue,
  removeSecret,
  SECRET,
  type StoredSecret,
} from "./state/secret.ts";

/** What is known of a secret beside its value. */
export interface SecretInfo {
  /** Its name. */
  readonly name: string;
  /** Number of the current version, from 1. */
  readonly version: number;
  /** Size of the current value, in bytes. */
  readonly size: number;
  /** When the secret came to be. */
  readonly createdAt: Date;
  /** When anything of it last changed. */
  readonly updatedAt: Date;
  /** The user's own words. */
  readonly note?: string;
  /** Sorted; empty when there are none. */
  readonly tags: readonly string[];
  /** When it should be replaced. */
  readonly expiresAt?: Date;
  /** What it is: `password`, `pem`, … */
  readonly type?: string;
}

/** One version of a secret's value, without the value. */
export interface SecretVersion {
  /** Counts from 1. */
  readonly version: number;
  /** Size in bytes. */
  readonly size: number;
  /** When it was set. */
  readonly createdAt: Date;
  /** Whether it is the one that is read. */
  readonly current: boolean;
}

/** Which secrets to list; all by default. */
export interface ListOptions {
  /** Only names that begin so. */
  readonly prefix?: string;
  /** Only names that match: `*` within a part, `**` across parts, `?`, `[a-z]`. */
  readonly glob?: string;
}

/** Which version to read. */
export interface VersionOptions {
  /** Its number; the current one by default. */
  readonly version?: number | undefined;
}

/** Whether a rename may replace another secret. */
export interface RenameOptions {
  /** Removes the secret that has the new name. @default {false} */
  readonly overwrite?: boolean;
}

/**
 * The secrets as one transaction sees and changes them. Nothing is kept unless the transaction commits.
 *
 * Besides what its description says, every method throws `InvalidNameError` for a name that is not valid,
 * `TransactionClosedError` once the callback has ended, and `CorruptVaultError` when what is read is damaged.
 */
export class TransactionSecrets {
  readonly #work: Work;

  /** Made by `Vault.transaction`. */
  constructor(work: Work) {
    this.#work = work;
  }

  /**
   * The value, byte for byte. Where the vault's policy says that reads are noted, the log has it once the transaction
   * ends, also when it fails.
   *
   * @throws {SecretNotFoundError} @throws {VersionNotFoundError}
   */
  get(name: string, options: VersionOptions = {}): Uint8Array<ArrayBuffer> {
    const value = readValue(this.#records, checkName(name), options.version);
    if (readPolicy(this.#records, "audit-reads") && !this.#work.generation.meta.backup) {
      this.#work.audit({ operation: "secret.read", name });
    }
    return value;
  }

  /**
   * The value as text.
   *
   * @throws {MalformedTextError} when it is not UTF-8 @throws {SecretNotFoundError} @throws {VersionNotFoundError}
   */
  getText(name: string, options: VersionOptions = {}): string {
    return toText(this.get(name, options), name);
  }

  /** Whether there is a secret of the name. */
  has(name: string): boolean {
    return this.#records.get(SECRET, checkName(name)) !== undefined;
  }

  /**
   * What is known of a secret.
   *
   * @throws {SecretNotFoundError}
   */
  info(name: string): SecretInfo {
    return describe(checkName(name), getSecret(this.#records, name));
  }

  /** The secrets, sorted by name. */
  list(options: ListOptions = {}): SecretInfo[] {
    return list(this.#records, options);
  }

  /**
   * The versions that are kept, newest first.
   *
   * @throws {SecretNotFoundError}
   */
  history(name: string): SecretVersion[] {
    return history(getSecret(this.#records, checkName(name)));
  }

  /**
   * Sets a value, as bytes or as text that is stored as UTF-8: a new version. The secret comes to be if need be.
   * Metadata that is not given stays as it was.
   *
   * @throws {InvalidNameError} @throws {InvalidMetadataError}
   * @throws {ValueTooLargeError} above 16 MiB
   * @throws {TypeError} when the value is neither bytes nor valid text
   */
  set(name: string, value: string | Uint8Array, metadata: SecretMetadata = {}): SecretInfo {
    const bytes = toBytes(value);
    checkName(name);
    checkMetadata(metadata);
    const { now } = this.#work;
    const secret = addVersion(this.#records, name, bytes, now);
    this.#work.audit({ operation: "secret.set", name });
    return this.#put(name, withMetadata(secret, metadata, now));
  }

  /**
   * Changes metadata only.
   *
   * @throws {SecretNotFoundError} @throws {InvalidMetadataError}
   */
  describe(name: string, metadata: SecretMetadata): SecretInfo {
    checkMetadata(metadata);
    this.#work.audit({ operation: "secret.describe", name });
    return this.#put(name, withMetadata(getSecret(this.#records, checkName(name)), metadata, this.#work.now));
  }

  /**
   * Removes a secret with all its versions.
   *
   * @throws {SecretNotFoundError}
   */
  delete(name: string): void {
    removeSecret(this.#records, checkName(name));
    this.#work.audit({ operation: "secret.delete", name });
  }

  /**
   * Gives a secret another name; versions and metadata go with it.
   *
   * @throws {SecretNotFoundError}
   * @throws {SecretExistsError} when the new name is taken and may not be overwritten
   */
  rename(from: string, to: string, options: RenameOptions = {}): SecretInfo {
    const secret = getSecret(this.#records, checkName(from));
    checkName(to);
    if (from === to) return describe(to, secret);
    if (this.has(to)) {
      if (!options.overwrite) throw new SecretExistsError(to);
      removeSecret(this.#records, to);
    }
    this.#records.remove(SECRET, from);
    this.#work.audit({ operation: "secret.rename", name: from, to });
    return this.#put(to, { ...secret, updated: this.#work.now });
  }

  /**
   * Makes an old version's value current again, as a new version.
   *
   * @throws {SecretNotFoundError} @throws {VersionNotFoundError}
   */
  restore(name: string, version: number): SecretInfo {
    const { now } = this.#work;
    const secret = addVersion(this.#records, name, readValue(this.#records, checkName(name), version), now);
    this.#work.audit({ operation: "secret.restore", name });
    return this.#put(name, withMetadata(secret, {}, now));
  }

  #put(name: string, secret: StoredSecret): SecretInfo {
    putSecret(this.#records, name, secret);
    return describe(name, secret);
  }

  get #records(): Work["records"] {
    this.#work.check();
    return this.#work.records;
  }
}

/**
 * The secrets of an open vault. Each change is a transaction of its own; each read sees what was committed before it.
 *
 * Where the vault's policy `audit-reads` is on, a value is given only once the log holds that it was read: `get` and
 * `getText` are transactions then too, and throw what {@linkcode Vault.transaction} does. Reads that wait together
 * share one commit. Inside of a transaction read with the transaction itself: anything else waits for it. A backup,
 * which nothing is written to, is read without a note.
 *
 * Besides what its description says, every method throws `BusyError` when the lock is not had in time,
 * `VaultClosedError` once the vault is closed, `InvalidNameError` for a name that is not valid, `RollbackDetectedError`
 * or `ForkDetectedError` when another file took the vault's place, and `CorruptVaultError` when what is read is
 * damaged; every change throws what {@linkcode Vault.transaction} does.
 */
export class Secrets {
  readonly #engine: Engine;

  /** Made by `Vault`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The value, byte for byte. @throws {SecretNotFoundError} @throws {VersionNotFoundError} */
  async get(name: string, options: VersionOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    checkName(name);
    const records = await this.#read();
    if (!readPolicy(records, "audit-reads") || this.#engine.committed.generation.meta.backup) {
      return readValue(records, name, options.version);
    }
    return await this.#engine.transact((work) => new TransactionSecrets(work).get(name, options));
  }

  /** The value as text. @throws {MalformedTextError} when it is not UTF-8 @throws {SecretNotFoundError} */
  async getText(name: string, options: VersionOptions = {}): Promise<string> {
    return toText(await this.get(name, options), name);
  }

  /** Whether there is a secret of the name. */
  async has(name: string): Promise<boolean> {
    checkName(name);
    return (await this.#read()).get(SECRET, name) !== undefined;
  }

  /** What is known of a secret. @throws {SecretNotFoundError} */
  async info(name: string): Promise<SecretInfo> {
    checkName(name);
    return describe(name, getSecret(await this.#read(), name));
  }

  /** The secrets, sorted by name. @throws {InvalidNameError} when the pattern is not of its form */
  async list(options: ListOptions = {}): Promise<SecretInfo[]> {
    return list(await this.#read(), options);
  }

  /** The versions that are kept, newest first. @throws {SecretNotFoundError} */
  async history(name: string): Promise<SecretVersion[]> {
    checkName(name);
    return history(getSecret(await this.#read(), name));
  }

  /**
   * Sets a value: see {@linkcode TransactionSecrets.set}.
   *
   * @throws {InvalidNameError} @throws {InvalidMetadataError} @throws {ValueTooLargeError}
   * @throws {TypeError} when the value is neither bytes nor valid text
   */
  set(name: string, value: string | Uint8Array, metadata: SecretMetadata = {}): Promise<SecretInfo> {
    return this.#change(() => {
      checkName(name);
      checkMetadata(metadata);
      // The caller may go on using the buffer while the transaction waits for its turn.
      const copy = typeof value === "string" ? toBytes(value) : toBytes(value).slice();
      return (secrets) => secrets.set(name, copy, metadata);
    });
  }

  /** Changes metadata only. @throws {SecretNotFoundError} @throws {InvalidMetadataError} */
  describe(name: string, metadata: SecretMetadata): Promise<SecretInfo> {
    return this.#change(() => {
      checkName(name);
      checkMetadata(metadata);
      return (secrets) => secrets.describe(name, metadata);
    });
  }

  /** Removes a secret with all its versions. @throws {SecretNotFoundError} */
  delete(name: string): Promise<void> {
    return this.#change(() => (secrets) => secrets.delete(name));
  }

  /** Gives a secret another name. @throws {SecretNotFoundError} @throws {SecretExistsError} */
  rename(from: string, to: string, options: RenameOptions = {}): Promise<SecretInfo> {
    return this.#change(() => {
      checkName(from);
      checkName(to);
      return (secrets) => secrets.rename(from, to, options);
    });
  }

  /** Makes an old version's value current again. @throws {SecretNotFoundError} @throws {VersionNotFoundError} */
  restore(name: string, version: number): Promise<SecretInfo> {
    return this.#change(() => (secrets) => secrets.restore(name, version));
  }

  /** Bad input is refused before the lock is asked for. */
  async #change<T>(prepare: () => (secrets: TransactionSecrets) => T): Promise<T> {
    const change = prepare();
    return await this.#engine.transact((work) => change(new TransactionSecrets(work)));
  }

  async #read(): Promise<RecordReader> {
    await this.#engine.refresh();
    return this.#engine.committed.state;
  }
}

function list(records: RecordReader, { prefix = "", glob }: ListOptions): SecretInfo[] {
  const matches = glob === undefined ? () => true : globMatcher(glob);
  const names = [...records.keys(SECRET)].filter((name) => name.startsWith(prefix) && matches(name)).sort();
  return names.map((name) => describe(name, getSecret(records, name)));
}

function history(secret: StoredSecret): SecretVersion[] {
  const current = currentVersion(secret).version;
  return secret.versions.map(({ version, size, created }) => ({
    version,
    size,
    createdAt: new Date(created),
    current: version === current,
  })).reverse();
}

function describe(name: string, secret: StoredSecret): SecretInfo {
  const { version, size } = currentVersion(secret);
  return {
    name,
    version,
    size,
    createdAt: new Date(secret.created),
    updatedAt: new Date(secret.updated),
    ...(secret.note === undefined ? {} : { note: secret.note }),
    tags: secret.tags ?? [],
    ...(secret.expires === undefined ? {} : { expiresAt: new Date(secret.expires) }),
    ...(secret.type === undefined ? {} : { type: secret.type }),
  };
}

function toBytes(value: string | Uint8Array): Uint8Array {
  if (typeof value !== "string") {
    if (!(value instanceof Uint8Array)) throw new TypeError(`A value must be a string or bytes, got ${typeof value}`);
    return checkValue(value);
  }
  // Text that could not be read back as it was is refused, not mended silently.
  if (!value.isWellFormed()) throw new TypeError("A value given as text must be valid Unicode");
  return checkValue(encodeUtf8(value));
}

function toText(bytes: Uint8Array, name: string): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new MalformedTextError(name);
  }
}
