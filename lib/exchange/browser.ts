/**
 * The CSV exports of browsers: name, url, username, password, note (Chrome, Edge and their kin), and url, username,
 * password, and more that is not taken over (Firefox).
 *
 * @module
 */
import type { EntryList } from "./entry.ts";
import { itemEntries } from "./item.ts";
import { hasColumns, namedRows } from "./manager_csv.ts";

const FORMAT = "browser CSV";
/** Columns that every such export has, in small letters. */
const BROWSER_COLUMNS = ["url", "username", "password"] as const;
/** What there is beside them in the exports of Chrome, and in those of Firefox. */
const CHROME_COLUMNS = new Set<string>(["name", ...BROWSER_COLUMNS, "note"]);
const FIREFOX_COLUMNS = ["httprealm", "formactionorigin", "guid"] as const;

/** Whether a header is surely one of a browser. Managers have those columns too, and more that should not get lost. */
export function isBrowserHeader(header: readonly string[]): boolean {
  if (!hasColumns(header, BROWSER_COLUMNS)) return false;
  return header.every((name) => CHROME_COLUMNS.has(name.trim().toLowerCase())) || hasColumns(header, FIREFOX_COLUMNS);
}

/** Reads an export. What has no name gets that of the host in its address. @throws {MalformedImportError} */
export function parseBrowser(text: string): EntryList {
  const items = namedRows(text, FORMAT, BROWSER_COLUMNS).map(({ where, field }) => ({
    path: [field("name").trim() || hostOf(field("url"))],
    where,
    password: field("password"),
    username: field("username"),
    urls: [field("url")],
    notes: field("note"),
  }));
  return itemEntries(FORMAT, items);
}

function hostOf(address: string): string {
  try {
    return new URL(address).hostname;
  } catch {
    return "";
  }
}
