/**
 * The CSV export of 1Password: Title, Url (older: Website), Username, Password, OTPAuth, Tags, Notes, and fields of the
 * user's own.
 *
 * @module
 */
import type { EntryList } from "./entry.ts";
import { itemEntries } from "./item.ts";
import { namedRows } from "./manager_csv.ts";

/** Columns that every such export has, in small letters. */
export const ONEPASSWORD_COLUMNS = ["title", "username", "password", "otpauth"] as const;

/** Reads an export. @throws {MalformedImportError} */
export function parseOnepassword(text: string): EntryList {
  const items = namedRows(text, "1Password CSV", ONEPASSWORD_COLUMNS).map(({ where, field }) => ({
    path: [field("title")],
    where,
    password: field("password"),
    username: field("username"),
    urls: [field("url", "website")],
    otp: field("otpauth"),
    notes: field("notes"),
    tags: field("tags").split(/[,;]/).map((tag) => tag.trim()).filter((tag) => tag !== ""),
  }));
  return itemEntries("1Password CSV", items);
}
