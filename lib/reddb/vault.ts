/**
 * A RedDB vault in its file.
 *
 * @module
 */
import { type Bytes, encodeUtf8, equalBytes, isZero } from "../bytes.ts";
import { type AesKey, open, seal } from "../crypto/aes_gcm.ts";
import { randomBytes, wipe } from "../crypto/random.ts";
import { VaultClosedError, VaultExistsError } from "../errors.ts";
import { RedDbCorruptError, RedDbDecryptionError, RedDbEncryptionError } from "./errors.ts";
import { Mutex } from "../mutex.ts";
import { publishFile } from "../storage/create.ts";
import type { Disk, LockMode } from "../storage/disk.ts";
import { readSealed } from "./chain.ts";
import { type CommittedHeader, putBack, readCommitted } from "./committed.ts";
import { type CredentialInput, deriveKey, type RedDbCredential, SALT_SIZE } from "./credential.ts";
import { type EnvironmentReader, noEnvironment, resolveRedDbCredential } from "./environment.ts";
import { assertVersion, isCurrent } from "./header.ts";
import { sealExport, unsealExport } from "./logical_export.ts";
import { contentOf, DEFAULT_PAGE_SIZE, PAGE_TYPE, pageType, VAULT_PAGE } from "./page.ts";
import { PageFile } from "./page_file.ts";
import { assertReplaceable, saveSealed } from "./save.ts";
import { VaultState } from "./state.ts";
import { glance, locked, openPlace, type Place, type WhereOptions } from "./where.ts";

/** How a RedDB vault is opened. */
export interface RedDbOpenOptions extends WhereOptions {
  /** Reads the environment. @default {Deno.env, as far as it may be read} */
  readonly environment?: EnvironmentReader;
  /**
   * Lets a save put a new vault in the place of one that cannot be read: of version 1, or with a header page that is no
   * header. @default {false}
   */
  readonly replaceUnreadable?: boolean;
}

const AAD = encodeUtf8("reddb-vault");

/** One vault in one `.rdb` file. Every load and save takes the file's lock for itself. */
export class RedDbVault implements AsyncDisposable {
  readonly #place: Place;
  readonly #credential: RedDbCredential;
  readonly #options: RedDbOpenOptions;
  /** A handle has one lock: whoever uses it at the same time waits here. */
  readonly #turns = new Mutex();
  /** The key for the salt it was derived with: deriving takes tens of milliseconds. */
  #key: { readonly salt: Bytes; readonly key: AesKey } | undefined;
  #closed = false;

  private constructor(place: Place, credential: RedDbCredential, options: RedDbOpenOptions) {
    this.#place = place;
    this.#credential = credential;
    this.#options = options;
  }

  /**
   * Opens the vault of a file that exists; the file may have no vault yet. The environment's credential goes before the
   * argument, as with RedDB. A disk that is handed over is closed with the vault.
   *
   * @throws {RedDbNoKeyError} @throws {RedDbPageFileError} @throws {VaultNotFoundError}
   */
  static async open(
    where: string | Disk,
    credential?: CredentialInput,
    options: RedDbOpenOptions = {},
  ): Promise<RedDbVault> {
    const taken = await resolveRedDbCredential(credential, options.environment);
    return await RedDbVault.#openWith(where, taken, options);
  }

  /** As {@linkcode open}, but only the argument counts. */
  static async openWithoutEnvironment(
    where: string | Disk,
    credential: CredentialInput,
    options: RedDbOpenOptions = {},
  ): Promise<RedDbVault> {
    return await RedDbVault.open(where, credential, { ...options, environment: noEnvironment });
  }

  /**
   * Makes a new file with its first pages and no vault yet, readable by its owner alone, and opens it.
   *
   * @throws {VaultExistsError} @throws {RedDbNoKeyError}
   */
  static async create(
    path: string,
    credential?: CredentialInput,
    options: RedDbOpenOptions = {},
  ): Promise<RedDbVault> {
    // In this order: a file that nothing can be saved to is not made.
    const taken = await resolveRedDbCredential(credential, options.environment);
    try {
      publishFile(path, PageFile.blank(DEFAULT_PAGE_SIZE));
    } catch (error) {
      wipe(taken.secret);
      throw error;
    }
    return await RedDbVault.#openWith(path, taken, options);
  }

  /** Whether the file has a vault, of whatever version. Needs no key. @throws {RedDbPageFileError} */
  static async hasSavedState(where: string | Disk, options: WhereOptions = {}): Promise<boolean> {
    return await RedDbVault.readSalt(where, options) !== null;
  }

  /** The salt of the vault, of version 1 too; null when there is no vault. Needs no key. @throws {RedDbPageFileError} */
  static async readSalt(where: string | Disk, options: WhereOptions = {}): Promise<Bytes | null> {
    return await glance(
      where,
      options,
      async (file, sidecar) => (await readCommitted(file, sidecar)).header?.salt ?? null,
    );
  }

  /** Where the file is. */
  get path(): string {
    return this.#place.disk.path;
  }

  /**
   * The state as last saved; null when the file has no vault yet. Puts a header page back that a crash tore.
   *
   * @throws {RedDbDecryptionError} @throws {RedDbCorruptError} @throws {RedDbLegacyError}
   * @throws {RedDbUnsupportedError} @throws {BusyError}
   */
  async load(): Promise<VaultState | null> {
    return await this.#turns.run(async () => {
      const { disk } = this.#place;
      const loaded = await this.#locked("shared", async (file, committed) => {
        if (committed.torn && !disk.readOnly) return undefined;
        return await this.#load(file, committed);
      });
      if (loaded !== undefined) return loaded;
      return await this.#locked("exclusive", async (file, committed) => {
        await putBack(file, committed);
        return await this.#load(file, committed);
      });
    });
  }

  /**
   * Saves a state in the place of the last one. Returns when it would survive a loss of power; a crash on the way leaves
   * the last state or this one. The salt, and so the key, stays.
   *
   * What was there is not read: a state is saved over one that another credential sealed, or that is damaged. That is how
   * a credential is changed, and why {@linkcode update} is the safer call.
   *
   * @throws {InvalidMetadataError} when the state cannot be written @throws {RedDbEncryptionError}
   * @throws {RedDbLegacyError} @throws {RedDbUnsupportedError} when the file has a vault that must not be replaced
   * @throws {BusyError} @throws {RedDbPageFileError}
   */
  async save(state: VaultState): Promise<void> {
    const payload = state.serialize();
    try {
      await this.#turns.run(() =>
        this.#locked("exclusive", async (file, committed) => await this.#save(file, committed, payload))
      );
    } finally {
      wipe(payload);
    }
  }

  /**
   * Saves a state where there is none yet. Of two that do so at the same time one succeeds.
   *
   * @throws {VaultExistsError} when the file has a vault; one of version 1 may be replaced with `replaceUnreadable`
   */
  async saveFirst(state: VaultState): Promise<void> {
    const payload = state.serialize();
    try {
      await this.#turns.run(() =>
        this.#locked("exclusive", async (file, committed) => {
          const { header } = committed;
          if (header !== null && (isCurrent(header) || !this.#options.replaceUnreadable)) {
            throw new VaultExistsError(this.path, { hint: "A vault is bootstrapped once; name another file" });
          }
          await this.#save(file, committed, payload);
        })
      );
    } finally {
      wipe(payload);
    }
  }

  /**
   * Loads, lets the function change the state, and saves, all under one lock. The function gets an empty state where there
   * is no vault yet. What it throws, is thrown; nothing is saved then. It must not use this vault itself.
   */
  async update<T>(change: (state: VaultState) => T | Promise<T>): Promise<T> {
    return await this.#turns.run(() =>
      this.#locked("exclusive", async (file, committed) => {
        const state = await this.#load(file, committed) ?? VaultState.empty();
        const result = await change(state);
        const payload = state.serialize();
        try {
          await this.#save(file, committed, payload);
        } finally {
          wipe(payload);
        }
        return result;
      })
    );
  }

  /** Seals a state as text under this vault's credential, as {@linkcode sealLogicalExport} does. */
  async sealLogicalExport(state: VaultState): Promise<string> {
    this.#assertOpen();
    return await sealExport(state, this.#credential);
  }

  /** Opens an export that was sealed under this vault's credential. */
  async unsealLogicalExport(text: string): Promise<VaultState> {
    this.#assertOpen();
    return await unsealExport(text, this.#credential);
  }

  /** Closes the file and wipes the credential, after what is running. Closing twice does nothing. */
  async close(): Promise<void> {
    await this.#turns.run(() => {
      if (this.#closed) return;
      this.#closed = true;
      this.#key = undefined;
      wipe(this.#credential.secret);
      this.#place.disk.close();
    });
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  static async #openWith(
    where: string | Disk,
    taken: RedDbCredential,
    options: RedDbOpenOptions,
  ): Promise<RedDbVault> {
    let opened: Disk | undefined;
    try {
      const place = openPlace(where, options);
      if (typeof where === "string") opened = place.disk;
      await locked(place, "shared", options, () => Promise.resolve());
      return new RedDbVault(place, taken, { ...options });
    } catch (error) {
      opened?.close();
      wipe(taken.secret);
      throw error;
    }
  }

  async #locked<T>(mode: LockMode, work: (file: PageFile, committed: CommittedHeader) => Promise<T>): Promise<T> {
    this.#assertOpen();
    return await locked(
      this.#place,
      mode,
      this.#options,
      async (file) => await work(file, await readCommitted(file, this.#place.sidecar)),
    );
  }

  async #load(file: PageFile, { page, header }: CommittedHeader): Promise<VaultState | null> {
    if (header === null) {
      // A page of the vault that holds something, and no header, is a damaged vault: "none yet" would invite a new one.
      if (pageType(page) === PAGE_TYPE.vault && !isZero(contentOf(page))) {
        throw new RedDbCorruptError("the header page is no header", { page: VAULT_PAGE });
      }
      return null;
    }
    assertVersion(header);
    const sealed = await readSealed(file, header);
    const payload = await open(await this.#keyFor(header.salt), sealed, AAD);
    if (payload === null) throw new RedDbDecryptionError();
    try {
      return VaultState.deserialize(payload);
    } finally {
      wipe(payload);
    }
  }

  async #save(file: PageFile, committed: CommittedHeader, payload: Bytes): Promise<void> {
    const { disk, sidecar } = this.#place;
    // An empty write only asks whether writing is allowed, and says why it is not.
    await disk.writeAt(new Uint8Array(0), 0);
    assertReplaceable(file, committed, this.#options.replaceUnreadable ?? false);
    const salt = committed.header?.salt ?? this.#key?.salt ?? randomBytes(SALT_SIZE);
    await saveSealed(file, sidecar, committed, salt, await sealPayload(await this.#keyFor(salt), payload));
  }

  async #keyFor(salt: Bytes): Promise<AesKey> {
    if (this.#key === undefined || !equalBytes(this.#key.salt, salt)) {
      this.#key = { salt, key: await deriveKey(this.#credential, salt) };
    }
    return this.#key.key;
  }

  #assertOpen(): void {
    if (this.#closed) throw new VaultClosedError();
  }
}

async function sealPayload(key: AesKey, payload: Bytes): Promise<Bytes> {
  try {
    return await seal(key, payload, AAD);
  } catch (error) {
    throw new RedDbEncryptionError("the cipher does not take the payload", { cause: error });
  }
}
