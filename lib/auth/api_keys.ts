/**
 * The API keys of an open vault.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import type { ApiKeyChecker, ApiKeyHolder, FreshnessOptions } from "./check_api_key.ts";
import type {
  ApiKeyInfo,
  ForeignApiKey,
  ListApiKeysOptions,
  NewApiKey,
  NewApiKeyOptions,
} from "./transaction_api_keys.ts";

/**
 * The API keys of an open vault. Each change is a transaction of its own.
 *
 * A key is shown once and kept as a hash only. It counts as long as it is not revoked, has not expired, and its owner is
 * there and enabled. Besides what its description says, every method throws `BusyError` when the lock is not had in time
 * and `VaultClosedError` once the vault is closed; every change throws what {@linkcode Vault.transaction} does.
 *
 * @example
 * ```ts
 * import { MemoryMedium, newKeyFile, Vault } from "@coffer/vault";
 *
 * await using vault = await Vault.create(new MemoryMedium(), { keyFile: newKeyFile() });
 * await vault.users.create({ tenant: "acme", name: "ci", role: "write" });
 * const { key } = await vault.apiKeys.create({ owner: "acme/ci", name: "deploy", role: "write" });
 * const holder = await vault.apiKeys.check(key);
 * console.assert(holder.user === "acme/ci" && holder.role === "write");
 * ```
 */
export class ApiKeys {
  readonly #engine: Engine;
  #checker: ApiKeyChecker | undefined;

  /** Made by `Vault`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Makes a key. What comes back is the only copy of it.
   *
   * @throws {UserNotFoundError} @throws {RoleAboveOwnerError} @throws {InvalidMetadataError}
   * @throws {TypeError} when the role is none @throws {RangeError} when the time is past, or none
   */
  async create(options: NewApiKeyOptions): Promise<NewApiKey> {
    const { TransactionApiKeys } = await load();
    return await this.#engine.transact((work) => new TransactionApiKeys(work, this.#engine).create(options));
  }

  /**
   * Takes over a key of another system, which then keeps working.
   *
   * @throws {ApiKeyExistsError} @throws {InvalidApiKeyError} when it is too short or too long to be one
   * @throws {UserNotFoundError} @throws {RoleAboveOwnerError} @throws {InvalidMetadataError}
   * @throws {TypeError} when the role is none @throws {RangeError} when a time is none, or the key's end is past
   */
  async adopt(options: ForeignApiKey): Promise<ApiKeyInfo> {
    const { TransactionApiKeys } = await load();
    return await this.#engine.transact((work) => new TransactionApiKeys(work, this.#engine).adopt(options));
  }

  /** The keys, by owner and name. @throws {UserNotFoundError} when an owner is named whom there is not */
  async list(options: ListApiKeysOptions = {}): Promise<ApiKeyInfo[]> {
    const { listApiKeys } = await load();
    await this.#engine.refresh();
    return listApiKeys(this.#engine.committed.state, options);
  }

  /** Takes a key out of force, for good. @throws {ApiKeyNotFoundError} */
  async revoke(id: string): Promise<ApiKeyInfo> {
    const { TransactionApiKeys } = await load();
    return await this.#engine.transact((work) => new TransactionApiKeys(work, this.#engine).revoke(id));
  }

  /**
   * Whose key a text is, and what it allows. It looks in memory, which is a second behind other processes at most, and
   * never commits: when keys were used is written down about once a minute, and when the vault closes.
   *
   * @throws {InvalidApiKeyError} when the text is not that of a key, or no such key is in force
   */
  async check(key: string, options: FreshnessOptions = {}): Promise<ApiKeyHolder> {
    if (this.#checker === undefined) {
      const { ApiKeyChecker } = await import("./check_api_key.ts");
      this.#checker ??= new ApiKeyChecker(this.#engine);
    }
    return await this.#checker.check(key, options);
  }
}

function load(): Promise<typeof import("./transaction_api_keys.ts")> {
  return import("./transaction_api_keys.ts");
}
