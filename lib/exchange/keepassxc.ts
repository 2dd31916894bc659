/**
 * The CSV export of KeePassXC: Group, Title, Username, Password, URL, Notes, TOTP, and more that is not taken over.
 *
 * @module
 */
import type { EntryList } from "./entry.ts";
import { itemEntries } from "./item.ts";
import { namedRows } from "./manager_csv.ts";

/** Columns that every such export has, in small letters. */
export const KEEPASSXC_COLUMNS = ["group", "title", "username", "password", "url", "notes"] as const;

/** Reads an export. The group that all others are in is no part of a name. @throws {MalformedImportError} */
export function parseKeepassxc(text: string): EntryList {
  const items = namedRows(text, "KeePassXC CSV", KEEPASSXC_COLUMNS).map(({ where, field }) => ({
    path: [...field("group").split("/").slice(1), field("title")],
    where,
    password: field("password"),
    username: field("username"),
    urls: [field("url")],
    otp: field("totp"),
    notes: field("notes"),
  }));
  return itemEntries("KeePassXC CSV", items);
}
