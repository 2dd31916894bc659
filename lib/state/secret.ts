/**
 * The record of a secret: metadata and the last ten versions of its value (`docs/format.md`, section 8).
 *
 * Small values stand in the record itself, larger ones in `value` records of their own, so that changing a note does
 * not write megabytes and a rename moves nothing.
 *
 * @module
 */
import { type Bytes, decodeBase64, encodeBase64, encodeHex } from "../bytes.ts";
import { randomBytes } from "../crypto/random.ts";
import { CorruptVaultError, SecretNotFoundError, ValueTooLargeError, VersionNotFoundError } from "../errors.ts";
import { isTime } from "../time.ts";
import type { RecordReader, RecordWriter } from "./records.ts";

/** Kind of the records of secrets; their key is the secret's name. */
export const SECRET = "secret";
/** Kind of the records of large values; their key is random. */
export const VALUE = "value";
/** Largest value, in bytes: 16 MiB. */
export const MAX_VALUE_SIZE = 16 * 1024 * 1024;
/** How many versions of a value are kept. */
export const KEPT_VERSIONS = 10;
/** Largest value that stands in its secret's record, in bytes; ten of them still fit a page. */
export const INLINE_SIZE = 160;

/** One version of a value: its text is here as base64, or in a `value` record. */
export interface StoredVersion {
  /** Counts from 1, never reused while the secret lives. */
  readonly version: number;
  /** When it was set, in milliseconds since 1970. */
  readonly created: number;
  /** Size of the value in bytes. */
  readonly size: number;
  /** The value in base64. */
  readonly value?: string;
  /** Key of the `value` record that holds it. */
  readonly ref?: string;
}

/** The JSON value of a `secret` record. */
export interface StoredSecret {
  /** When the secret came to be, in milliseconds since 1970. */
  readonly created: number;
  /** When anything of it last changed, in milliseconds since 1970. */
  readonly updated: number;
  /** Free text. */
  readonly note?: string;
  /** Sorted, each once. */
  readonly tags?: readonly string[];
  /** When it expires, in milliseconds since 1970. */
  readonly expires?: number;
  /** What it is, in the user's words: `password`, `pem`, … */
  readonly type?: string;
  /** At most ten, oldest first; the last one is current. */
  readonly versions: readonly StoredVersion[];
}

/** The record of a secret, or undefined. */
export function findSecret(records: RecordReader, name: string): StoredSecret | undefined {
  const json = records.get(SECRET, name);
  return json === undefined ? undefined : parseSecret(json);
}

/**
 * The record of a secret.
 *
 * @throws {SecretNotFoundError} when there is none
 */
export function getSecret(records: RecordReader, name: string): StoredSecret {
  const secret = findSecret(records, name);
  if (secret === undefined) throw new SecretNotFoundError(name);
  return secret;
}

/** The current version. */
export function currentVersion(secret: StoredSecret): StoredVersion {
  return secret.versions.at(-1)!;
}

/**
 * The value of one version, the current one by default.
 *
 * @throws {SecretNotFoundError} @throws {VersionNotFoundError}
 */
export function readValue(records: RecordReader, name: string, version?: number): Bytes {
  const secret = getSecret(records, name);
  const found = version === undefined ? currentVersion(secret) : secret.versions.find((v) => v.version === version);
  if (found === undefined) throw new VersionNotFoundError(name, version!);
  const bytes = decodeValue(found.value ?? valueOf(records, found.ref!));
  if (bytes.length !== found.size) throw new CorruptVaultError("a value is not of its size");
  return bytes;
}

/**
 * A secret with a new version of its value, to be handed to {@linkcode putSecret}; it comes to be if need be. The oldest
 * version past ten goes. A large value is in a record of its own already.
 */
export function addVersion(records: RecordWriter, name: string, value: Uint8Array, now: number): StoredSecret {
  checkValue(value);
  const before = findSecret(records, name);
  const entry = {
    version: (before === undefined ? 0 : currentVersion(before).version) + 1,
    created: now,
    size: value.length,
  };
  const versions = [...before?.versions ?? [], { ...entry, ...storeValue(records, value) }];
  for (const dropped of versions.splice(0, versions.length - KEPT_VERSIONS)) dropValue(records, dropped);
  return { ...before ?? { created: now }, updated: now, versions };
}

/**
 * The record of a secret that is new here, as another vault kept it: with its versions, one to ten of them without a gap,
 * and their times. It is for the caller to put.
 */
export function adoptSecret(
  records: RecordWriter,
  secret: Omit<StoredSecret, "versions"> & {
    readonly versions: readonly { readonly version: number; readonly created: number; readonly value: Uint8Array }[];
  },
): StoredSecret {
  const versions = secret.versions.map(({ version, created, value }) => {
    checkValue(value);
    return { version, created, size: value.length, ...storeValue(records, value) };
  });
  return { ...secret, versions };
}

/** Writes the record of a secret. */
export function putSecret(records: RecordWriter, name: string, secret: StoredSecret): void {
  records.put(SECRET, name, JSON.stringify(secret));
}

/** Removes a secret with all its versions. */
export function removeSecret(records: RecordWriter, name: string): void {
  for (const version of getSecret(records, name).versions) dropValue(records, version);
  records.remove(SECRET, name);
}

/**
 * Returns the value when it is not too large.
 *
 * @throws {ValueTooLargeError}
 */
export function checkValue(value: Uint8Array): Uint8Array {
  if (value.length > MAX_VALUE_SIZE) throw new ValueTooLargeError(value.length, MAX_VALUE_SIZE);
  return value;
}

function storeValue(records: RecordWriter, value: Uint8Array): { value: string } | { ref: string } {
  const text = encodeBase64(value);
  if (value.length <= INLINE_SIZE) return { value: text };
  const ref = encodeHex(randomBytes(16));
  records.put(VALUE, ref, JSON.stringify(text));
  return { ref };
}

function dropValue(records: RecordWriter, version: StoredVersion): void {
  if (version.ref !== undefined) records.remove(VALUE, version.ref);
}

function valueOf(records: RecordReader, ref: string): string {
  const json = records.get(VALUE, ref);
  const text: unknown = json === undefined ? undefined : parseJson(json);
  if (typeof text !== "string") throw new CorruptVaultError("a value is missing");
  return text;
}

function decodeValue(text: string): Bytes {
  try {
    return decodeBase64(text);
  } catch {
    throw new CorruptVaultError("a value is not base64");
  }
}

/** Authenticated bytes are still checked for their shape: a defect of a writer must not become one of the reader. */
function parseSecret(json: string): StoredSecret {
  const secret = parseJson(json) as StoredSecret | null;
  const sound = typeof secret === "object" && secret !== null && isTime(secret.created) && isTime(secret.updated) &&
    (secret.note === undefined || typeof secret.note === "string") &&
    (secret.type === undefined || typeof secret.type === "string") &&
    (secret.expires === undefined || isTime(secret.expires)) &&
    (secret.tags === undefined ||
      (Array.isArray(secret.tags) && secret.tags.every((tag) => typeof tag === "string"))) &&
    Array.isArray(secret.versions) && secret.versions.length >= 1 && secret.versions.length <= KEPT_VERSIONS &&
    secret.versions.every(isVersion) &&
    secret.versions.every(({ version }, index, { [index - 1]: before }) =>
      version === (before === undefined ? version : before.version + 1)
    );
  if (!sound) throw new CorruptVaultError("the record of a secret is not of its form");
  return secret;
}

function isVersion(version: StoredVersion | null): boolean {
  return typeof version === "object" && version !== null && Number.isSafeInteger(version.version) &&
    version.version >= 1 && isTime(version.created) && Number.isSafeInteger(version.size) && version.size >= 0 &&
    version.size <= MAX_VALUE_SIZE && (typeof version.value === "string") !== (typeof version.ref === "string");
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new CorruptVaultError("a record is not JSON");
  }
}
