/**
 * Who a user is: a name within a tenant, or within none.
 *
 * As text it is `tenant/name`, or the name alone for a user of the platform itself. Neither part holds a slash, so that
 * one text never means two users.
 *
 * @module
 */
import { encodeUtf8 } from "../bytes.ts";
import { InvalidUserNameError } from "./errors.ts";

/** A user: the name alone does not tell, since two tenants may have users of one name. */
export interface UserId {
  /** The tenant, or null for a user of the platform itself. */
  readonly tenant: string | null;
  /** The name within the tenant. */
  readonly name: string;
}

/** A user as callers name it: `tenant/name`, the name alone, or the two apart. */
export type UserRef = string | { readonly tenant?: string | null | undefined; readonly name: string };

/** Longest name of a user or a tenant, in bytes of UTF-8. */
export const MAX_USER_NAME_SIZE = 128;

/**
 * What would drive a terminal, hide, or look like another name; and what SASLprep takes out or refuses without any of
 * these (RFC 3454, tables B.1, C.1.2, C.6 and C.7). U+2800 is the Braille blank.
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u1680\u1806\u2800\u2ff0-\u2ffb\ufffc\ufffd]/u;

/**
 * The user that a text or an object means.
 *
 * @throws {InvalidUserNameError} when it can be no user's name
 */
export function toUserId(user: UserRef): UserId {
  if (typeof user === "string") return parseUserId(user);
  if (typeof user !== "object" || user === null) throw new TypeError("A user is a text or {tenant, name}");
  const { tenant = null, name } = user;
  return { tenant: tenant === null ? null : checkTenant(tenant), name: checkPart(name, "name") };
}

function parseUserId(text: string): UserId {
  const slash = text.indexOf("/");
  if (slash < 0) return { tenant: null, name: checkPart(text, "name") };
  return { tenant: checkTenant(text.slice(0, slash)), name: checkPart(text.slice(slash + 1), "name") };
}

/** @throws {InvalidUserNameError} when it can be no tenant's name */
export function checkTenant(tenant: string): string {
  return checkPart(tenant, "tenant");
}

/** The text of a user, which is also how it stands in the log. */
export function formatUserId({ tenant, name }: UserId): string {
  return tenant === null ? name : `${tenant}/${name}`;
}

/** The key of a user's record. The slash is always there: keys of a tenant's users begin with it and a slash. */
export function userKey({ tenant, name }: UserId): string {
  return `${tenant ?? ""}/${name}`;
}

/** The user whose record has the key. */
export function userOfKey(key: string): UserId {
  const slash = key.indexOf("/");
  return { tenant: slash <= 0 ? null : key.slice(0, slash), name: key.slice(slash + 1) };
}

/**
 * A part is plain text in the one form that clients send: SCRAM brings names into form NFKC (RFC 4013), so a name that
 * it would change could never log in, or would log in as another.
 */
function checkPart(text: string, part: "name" | "tenant"): string {
  if (typeof text !== "string") throw new TypeError(`The ${part} of a user must be a string`);
  const fail = (why: string) => new InvalidUserNameError(part, why);
  if (text === "") throw fail("it is empty");
  if (text.length > MAX_USER_NAME_SIZE || encodeUtf8(text).length > MAX_USER_NAME_SIZE) {
    throw fail(`it is longer than ${MAX_USER_NAME_SIZE} bytes`);
  }
  if (!text.isWellFormed()) throw fail("it is not valid Unicode");
  if (HIDDEN.test(text)) throw fail("it holds a control character, or one that cannot be seen or told");
  if (text.includes("/")) throw fail("it holds a slash, which parts tenant and name");
  if (text.trim() !== text) throw fail("it begins or ends with white space");
  if (text.normalize("NFKC") !== text) throw fail("it is not in Unicode form NFKC");
  return text;
}
