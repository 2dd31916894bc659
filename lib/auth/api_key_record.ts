/**
 * An API key as a record of the state (`docs/format.md`, section 12).
 *
 * The key of the record is the hex of an HMAC of the API key, so that finding one takes one look-up and the API key itself
 * stands nowhere.
 *
 * @module
 */
import { CorruptVaultError } from "../errors.ts";
import type { RecordReader, RecordWriter } from "../state/records.ts";
import { isTime } from "../time.ts";
import { isRole, type Role } from "./role.ts";
import { type UserId, userKey } from "./user_id.ts";

/** Kind of the records that hold API keys. */
export const API_KEY = "apikey";
/** Kind of the records that say when an API key was last used, in milliseconds since 1970. */
export const API_KEY_USED = "apikey-used";

/** An id is so many digits of a record's key. */
export const ID_DIGITS = 16;

/** What the vault keeps of an API key. */
export interface StoredApiKey {
  /** Key of the owner's record. */
  readonly owner: string;
  /** The owner's own words. */
  readonly name: string;
  /** What the key allows, as far as its owner is allowed it. */
  readonly role: Role;
  /** In milliseconds since 1970. */
  readonly created: number;
  /** In milliseconds since 1970; a key without it is in force until it is revoked. */
  readonly expires?: number;
}

/** Reads the JSON text of an API key. @throws {CorruptVaultError} when it is not of its form */
export function decodeApiKey(json: string): StoredApiKey {
  let key: StoredApiKey;
  try {
    key = JSON.parse(json);
  } catch {
    throw new CorruptVaultError("the record of an API key is not JSON");
  }
  const sound = typeof key === "object" && key !== null && typeof key.owner === "string" &&
    typeof key.name === "string" && isRole(key.role) && isTime(key.created) &&
    (key.expires === undefined || isTime(key.expires));
  if (!sound) throw new CorruptVaultError("the record of an API key is not of its form");
  return key;
}

/** When a key was last used, as it was last written down; undefined before that. */
export function lastUsed(records: RecordReader, hash: string): number | undefined {
  const json = records.get(API_KEY_USED, hash);
  if (json === undefined) return undefined;
  const time = Number(json);
  if (!isTime(time) || String(time) !== json) {
    throw new CorruptVaultError("the record of an API key's use is not of its form");
  }
  return time;
}

/** The keys of a user, each with the key of its record. */
export function* keysOf(records: RecordReader, owner: UserId): Generator<readonly [hash: string, key: StoredApiKey]> {
  const wanted = userKey(owner);
  // Spares parsing the keys of everybody else.
  const text = JSON.stringify(wanted);
  for (const hash of records.keys(API_KEY)) {
    const json = records.get(API_KEY, hash)!;
    if (!json.includes(text)) continue;
    const key = decodeApiKey(json);
    if (key.owner === wanted) yield [hash, key];
  }
}

/** Removes the keys of a user; gives how many there were. */
export function removeKeysOf(records: RecordWriter, owner: UserId): number {
  const hashes = [...keysOf(records, owner)].map(([hash]) => hash);
  for (const hash of hashes) removeKey(records, hash);
  return hashes.length;
}

/** Removes a key. */
export function removeKey(records: RecordWriter, hash: string): void {
  records.remove(API_KEY, hash);
  records.remove(API_KEY_USED, hash);
}
