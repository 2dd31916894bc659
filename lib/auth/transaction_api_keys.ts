/**
 * API keys as one transaction sees and changes them.
 *
 * @module
 */
import { encodeHex, encodeUtf8 } from "../bytes.ts";
import { hmac } from "../crypto/hmac.ts";
import type { Engine, Work } from "../engine.ts";
import { InvalidMetadataError } from "../errors.ts";
import type { RecordReader } from "../state/records.ts";
import { API_KEY_PREFIX, isApiKey, newApiKey } from "./api_key.ts";
import { API_KEY, decodeApiKey, ID_DIGITS, keysOf, lastUsed, removeKey, type StoredApiKey } from "./api_key_record.ts";
import { ApiKeyExistsError, ApiKeyNotFoundError, InvalidApiKeyError, RoleAboveOwnerError } from "./errors.ts";
import { checkRole, includesRole, type Role } from "./role.ts";
import { authKeys, ensureAuthSecret } from "./secret.ts";
import { formatUserId, toUserId, type UserId, userKey, userOfKey, type UserRef } from "./user_id.ts";
import { getUser } from "./user_record.ts";

/** What is known of an API key. The key itself is not: it was shown once. */
export interface ApiKeyInfo {
  /** 16 hex digits that name the key; they tell nothing of it. */
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  /** Whose key it is, as `tenant/name`. */
  readonly owner: string;
  /** What a request with it may do, as far as its owner may. */
  readonly role: Role;
  /** When it was made. */
  readonly createdAt: Date;
  /** Until when it is in force; for ever without it. */
  readonly expiresAt?: Date;
  /** About when it was last used: written down once a minute at most. */
  readonly lastUsedAt?: Date;
}

/** A new API key, and what is known of it. */
export interface NewApiKey extends ApiKeyInfo {
  /** The key. Nobody can show it again. */
  readonly key: string;
}

/** How to make an API key. */
export interface NewApiKeyOptions {
  /** Whose key it is. */
  readonly owner: UserRef;
  /** What people call it; at most 128 bytes of plain text. @default {""} */
  readonly name?: string | undefined;
  /** What a request with it may do. @default {"read"} */
  readonly role?: Role | undefined;
  /** Until when it is in force. */
  readonly expiresAt?: Date | undefined;
}

/** A key of another system that keeps working. */
export interface ForeignApiKey extends NewApiKeyOptions {
  /** The key, at least 8 and at most 256 characters. */
  readonly key: string;
  /** When it was made. */
  readonly createdAt?: Date | undefined;
}

/** Which API keys to list; all by default. */
export interface ListApiKeysOptions {
  /** Only the keys of one user. */
  readonly owner?: UserRef | undefined;
}

const MAX_KEY_NAME = 128;
/** Longest text that is looked at as an API key, in characters. */
export const MAX_API_KEY_SIZE = 256;
/** Shortest key of another system, in characters. */
export const MIN_FOREIGN_KEY = 8;

/**
 * API keys as one transaction sees and changes them. Nothing is kept unless the transaction commits.
 *
 * Besides what its description says, every method throws `TransactionClosedError` once the transaction has ended, and
 * `CorruptVaultError` when what is read is damaged.
 */
export class TransactionApiKeys {
  readonly #work: Work;
  readonly #engine: Engine;

  /** Made by `Vault.transaction`. */
  constructor(work: Work, engine: Engine) {
    this.#work = work;
    this.#engine = engine;
  }

  /**
   * Makes a key. What comes back is the only copy of it.
   *
   * @throws {UserNotFoundError} when there is no such owner
   * @throws {RoleAboveOwnerError} when the owner may not do what the role allows
   * @throws {InvalidMetadataError} when the name is too long, or no plain text
   * @throws {TypeError} when the role is none @throws {RangeError} when the time is past, or none
   * @throws {PolicyError} @throws {BackupReadOnlyError} when the transaction could not be committed
   */
  create(options: NewApiKeyOptions): Promise<NewApiKey> {
    return this.#waited(this.#make(options));
  }

  /**
   * Takes over a key of another system, which then keeps working. It is kept as a hash, like any other.
   *
   * @throws {ApiKeyExistsError} @throws {InvalidApiKeyError} when it is too short or too long to be one
   * @throws {UserNotFoundError} @throws {RoleAboveOwnerError} @throws {InvalidMetadataError}
   * @throws {TypeError} when the role is none @throws {RangeError} when a time is none, or the key's end is past
   */
  adopt(options: ForeignApiKey): Promise<ApiKeyInfo> {
    const { key, createdAt } = options;
    checkForeignKey(key);
    return this.#waited(
      this.#add(options, key, createdAt?.getTime() ?? this.#work.now).then(({ key: _, ...info }) => info),
    );
  }

  /** The keys, by owner and name. @throws {UserNotFoundError} when an owner is named whom there is not */
  list(options: ListApiKeysOptions = {}): ApiKeyInfo[] {
    return listApiKeys(this.#records, options);
  }

  /** Takes a key out of force, for good. @throws {ApiKeyNotFoundError} */
  revoke(id: string): ApiKeyInfo {
    const hash = findKey(this.#records, id);
    const info = describeApiKey(this.#records, hash, decodeApiKey(this.#records.get(API_KEY, hash)!));
    removeKey(this.#records, hash);
    this.#work.audit({ operation: "apikey.revoke", name: info.id, to: info.owner });
    return info;
  }

  /** Whoever gets the key may show it before the commit: not where there will be none. */
  async #make(options: NewApiKeyOptions): Promise<NewApiKey> {
    this.#engine.assertMayChange();
    return await this.#add(options, newApiKey(), this.#work.now);
  }

  /** Judges at once, and hashes while the transaction waits. */
  async #add(options: NewApiKeyOptions, key: string, created: number): Promise<NewApiKey> {
    const owner = toUserId(options.owner);
    const stored = judge(options, owner, getUser(this.#records, owner).role, created, this.#work.now);
    ensureAuthSecret(this.#records);
    const { apiKey } = (await authKeys(this.#engine, this.#records))!;
    const hash = encodeHex(await hmac(apiKey, encodeUtf8(key)));
    if (this.#records.get(API_KEY, hash) !== undefined) throw new ApiKeyExistsError(hash.slice(0, ID_DIGITS));
    this.#records.put(API_KEY, hash, JSON.stringify(stored));
    const info = describeApiKey(this.#records, hash, stored);
    this.#work.audit({ operation: "apikey.create", name: info.id, to: info.owner });
    return { ...info, key };
  }

  #waited<T>(work: Promise<T>): Promise<T> {
    this.#work.wait(work);
    return work;
  }

  get #records(): Work["records"] {
    this.#work.check();
    return this.#work.records;
  }
}

function judge(
  { name = "", role = "read", expiresAt }: NewApiKeyOptions,
  owner: UserId,
  allowed: Role,
  created: number,
  now: number,
): StoredApiKey {
  checkKeyName(name);
  if (!includesRole(allowed, checkRole(role))) throw new RoleAboveOwnerError(role, formatUserId(owner));
  const expires = expiresAt?.getTime();
  if (expires !== undefined && !(expires > now)) {
    throw new RangeError("The time at which a key expires is past, or none");
  }
  if (!Number.isSafeInteger(created)) throw new RangeError("The time at which a key was made is none");
  return { owner: userKey(owner), name, role, created, ...(expires === undefined ? {} : { expires }) };
}

/** @throws {InvalidMetadataError} when a text can be no name of a key */
export function checkKeyName(name: string): void {
  if (!name.isWellFormed() || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) {
    throw new InvalidMetadataError("name of a key", "it is not plain text");
  }
  if (encodeUtf8(name).length > MAX_KEY_NAME) {
    throw new InvalidMetadataError("name of a key", `it is longer than ${MAX_KEY_NAME} bytes`);
  }
}

/**
 * Refuses a key of another system that is too easy to guess, too long, or looks like one of coffer's and is none: no check
 * would ever take it.
 *
 * @throws {InvalidApiKeyError}
 */
export function checkForeignKey(key: string): void {
  const fits = key.length >= MIN_FOREIGN_KEY && key.length <= MAX_API_KEY_SIZE && key.isWellFormed();
  if (!fits || (key.startsWith(API_KEY_PREFIX) && !isApiKey(key))) throw new InvalidApiKeyError("malformed");
}

/** The keys, by owner and name. @throws {UserNotFoundError} */
export function listApiKeys(records: RecordReader, { owner }: ListApiKeysOptions): ApiKeyInfo[] {
  const all: ApiKeyInfo[] = [];
  if (owner === undefined) {
    for (const hash of records.keys(API_KEY)) {
      all.push(describeApiKey(records, hash, decodeApiKey(records.get(API_KEY, hash)!)));
    }
  } else {
    const id = toUserId(owner);
    getUser(records, id);
    for (const [hash, key] of keysOf(records, id)) all.push(describeApiKey(records, hash, key));
  }
  const order = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0;
  return all.sort((a, b) => order(a.owner, b.owner) || order(a.name, b.name) || order(a.id, b.id));
}

/** The record of the key that an id names. @throws {ApiKeyNotFoundError} */
function findKey(records: RecordReader, id: string): string {
  if (/^[0-9a-f]{16}$/.test(id)) {
    for (const hash of records.keys(API_KEY)) if (hash.startsWith(id)) return hash;
  }
  // What is no id may be a key in the wrong place: it is not repeated.
  throw new ApiKeyNotFoundError(/^[0-9a-f]{1,16}$/.test(id) ? id : "(no id)");
}

/** What may be shown of a key. */
export function describeApiKey(records: RecordReader, hash: string, key: StoredApiKey): ApiKeyInfo {
  const used = lastUsed(records, hash);
  return {
    id: hash.slice(0, ID_DIGITS),
    name: key.name,
    owner: formatUserId(userOfKey(key.owner)),
    role: key.role,
    createdAt: new Date(key.created),
    ...(key.expires === undefined ? {} : { expiresAt: new Date(key.expires) }),
    ...(used === undefined ? {} : { lastUsedAt: new Date(used) }),
  };
}
