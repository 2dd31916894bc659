/**
 * A RedDB vault in its file.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import type { Disk, LockOptions } from "../storage/disk.ts";
import type { CredentialInput } from "./credential.ts";
import type { EnvironmentReader } from "./environment.ts";
import type { Sidecar } from "./sidecar.ts";
import type { VaultState } from "./state.ts";

/** How a RedDB file is reached. */
export interface WhereOptions extends LockOptions {
  /** Accepts a file that group or others may read or write. @default {false} */
  readonly allowInsecurePermissions?: boolean;
  /** Where the note of a running save is; beside the file by default, nowhere for a disk of the caller's. */
  readonly sidecar?: Sidecar;
}

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

/** One vault in one `.rdb` file. Every load and save takes the file's lock for itself. */
export class RedDbVault implements AsyncDisposable {
  /** Where the file is. */
  readonly path: string = "";

  /**
   * Opens the vault of a file that exists; the file may have no vault yet. The environment's credential goes before the
   * argument, as with RedDB. A disk that is handed over is closed with the vault.
   *
   * @throws {RedDbNoKeyError} @throws {RedDbPageFileError} @throws {VaultNotFoundError}
   */
  static open(_where: string | Disk, _credential?: CredentialInput, _options?: RedDbOpenOptions): Promise<RedDbVault> {
    throw new Error("not yet");
  }

  /** As {@linkcode open}, but only the argument counts. */
  static openWithoutEnvironment(
    _where: string | Disk,
    _credential: CredentialInput,
    _options?: RedDbOpenOptions,
  ): Promise<RedDbVault> {
    throw new Error("not yet");
  }

  /**
   * Makes a new file with its first pages and no vault yet, readable by its owner alone, and opens it.
   *
   * @throws {VaultExistsError} @throws {RedDbNoKeyError}
   */
  static create(_path: string, _credential?: CredentialInput, _options?: RedDbOpenOptions): Promise<RedDbVault> {
    throw new Error("not yet");
  }

  /** Whether the file has a vault, of whatever version. Needs no key. @throws {RedDbPageFileError} */
  static hasSavedState(_where: string | Disk, _options?: WhereOptions): Promise<boolean> {
    throw new Error("not yet");
  }

  /** The salt of the vault, of version 1 too; null when there is no vault. Needs no key. @throws {RedDbPageFileError} */
  static readSalt(_where: string | Disk, _options?: WhereOptions): Promise<Bytes | null> {
    throw new Error("not yet");
  }

  /**
   * The state as last saved; null when the file has no vault yet. Puts a header page back that a crash tore.
   *
   * @throws {RedDbDecryptionError} @throws {RedDbCorruptError} @throws {RedDbLegacyError}
   * @throws {RedDbUnsupportedError} @throws {BusyError}
   */
  load(): Promise<VaultState | null> {
    throw new Error("not yet");
  }

  /**
   * Saves a state in the place of the last one. Returns when it would survive a loss of power; a crash on the way leaves
   * the last state or this one. The salt, and so the key, stays.
   *
   * @throws {InvalidMetadataError} when the state cannot be written @throws {RedDbEncryptionError}
   * @throws {RedDbLegacyError} @throws {RedDbUnsupportedError} when the file has a vault that must not be replaced
   * @throws {BusyError} @throws {RedDbPageFileError}
   */
  save(_state: VaultState): Promise<void> {
    throw new Error("not yet");
  }

  /**
   * Loads, lets the function change the state, and saves, all under one lock. The function gets an empty state where there
   * is no vault yet. What it throws, is thrown; nothing is saved then.
   */
  update<T>(_change: (state: VaultState) => T | Promise<T>): Promise<T> {
    throw new Error("not yet");
  }

  /** Seals a state as text under this vault's credential. */
  sealLogicalExport(_state: VaultState): Promise<string> {
    throw new Error("not yet");
  }

  /** Opens an export that was sealed under this vault's credential. */
  unsealLogicalExport(_text: string): Promise<VaultState> {
    throw new Error("not yet");
  }

  /** Closes the file and wipes the credential. Closing twice does nothing. */
  close(): Promise<void> {
    throw new Error("not yet");
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
