/**
 * The lines of the payload: one record each, its kind before the first colon, its fields parted by tabs.
 *
 * @module
 */
import { decodeHex, decodeUtf8, encodeHex, encodeUtf8 } from "../bytes.ts";
import { InvalidMetadataError } from "../errors.ts";
import { RedDbCorruptError } from "./errors.ts";
import {
  decodeRole,
  decodeScram,
  decodeTenant,
  decodeTime,
  encodeRole,
  encodeScram,
  encodeTenant,
  encodeText,
  encodeTime,
} from "./fields.ts";
import type { ApiKey, User } from "./records.ts";

/** What lines begin with. */
export const PREFIXES = {
  masterSecret: "MASTER_SECRET:",
  sealed: "SEALED:",
  user: "USER:",
  key: "KEY:",
  kv: "KV:",
} as const;

/** A user as a line. @throws {InvalidMetadataError} */
export function encodeUser(user: User): string {
  return PREFIXES.user + [
    encodeText(user.username, "user name"),
    encodeText(user.passwordHash, "password hash"),
    encodeRole(user.role),
    String(user.enabled),
    encodeTime(user.createdAt, "creation time"),
    encodeTime(user.updatedAt, "change time"),
    encodeScram(user.scram),
    encodeTenant(user.tenant),
  ].join("\t");
}

/**
 * The user of a line, without its prefix. Seven fields are of the time before tenants; a ninth says who owned the user
 * in a version in between, and is passed over.
 *
 * @throws {RedDbCorruptError}
 */
export function decodeUser(rest: string, where: string): User {
  const [username, passwordHash, role, enabled, createdAt, updatedAt, scram, tenant, ...more] = rest.split("\t");
  if (scram === undefined || more.length > 1) throw new RedDbCorruptError(`${where} has not 7, 8 or 9 fields`);
  return {
    username: username!,
    tenant: decodeTenant(tenant),
    passwordHash: passwordHash!,
    role: decodeRole(role!, where),
    enabled: enabled === "true",
    createdAt: decodeTime(createdAt!, where),
    updatedAt: decodeTime(updatedAt!, where),
    scram: decodeScram(scram, where),
  };
}

/** An API key as a line. @throws {InvalidMetadataError} */
export function encodeApiKey(key: ApiKey): string {
  return PREFIXES.key + [
    encodeText(key.owner.username, "owner of an API key"),
    encodeText(key.key, "API key"),
    encodeText(key.name, "name of an API key"),
    encodeRole(key.role),
    encodeTime(key.createdAt, "creation time"),
    encodeTenant(key.owner.tenant),
  ].join("\t");
}

/** The API key of a line, without its prefix; five fields are of the time before tenants. @throws {RedDbCorruptError} */
export function decodeApiKey(rest: string, where: string): ApiKey {
  const [username, key, name, role, createdAt, tenant, ...more] = rest.split("\t");
  if (createdAt === undefined || more.length > 0) throw new RedDbCorruptError(`${where} has not 5 or 6 fields`);
  return {
    owner: { tenant: decodeTenant(tenant), username: username! },
    key: key!,
    name: name!,
    role: decodeRole(role!, where),
    createdAt: decodeTime(createdAt, where),
  };
}

/** A key with its value as a line; the value goes as hex, so that it may hold anything. @throws {InvalidMetadataError} */
export function encodeEntry(key: string, value: string): string {
  if (!value.isWellFormed()) throw new InvalidMetadataError("value", "it is no valid Unicode text");
  return `${PREFIXES.kv}${encodeText(key, "key")}\t${encodeHex(encodeUtf8(value))}`;
}

/** The key and the value of a line, without its prefix; null when the value is not the hex of UTF-8 text. */
export function decodeEntry(rest: string): readonly [key: string, value: string] | null {
  const tab = rest.indexOf("\t");
  if (tab < 0) return null;
  try {
    return [rest.slice(0, tab), decodeUtf8(decodeHex(rest.slice(tab + 1)))];
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}
