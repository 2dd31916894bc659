/**
 * Items of password managers as secrets.
 *
 * An item has several fields, a secret has one value. The password of an item becomes the secret of the item's path, what
 * else it has stands below that path: `PATH/username`, `PATH/url`, `PATH/otp` (of type `otpauth`), and its own fields
 * under their names. What was written to an item becomes its note, or `PATH/notes` where a note cannot hold it.
 *
 * @module
 */
import { type Bytes, encodeUtf8 } from "../bytes.ts";
import { InvalidMetadataError } from "../errors.ts";
import { checkMetadata } from "../state/metadata.ts";
import { EntryList } from "./entry.ts";

/** One item of a password manager. What is empty counts as not there. */
export interface Item {
  /** Folders and title. */
  readonly path: readonly string[];
  /** Where it stands in the file: `line 3`, `item 2`. */
  readonly where: string;
  /** The password, or what else is the point of the item; bytes when it is no text. */
  readonly password?: string | Bytes | undefined;
  /** What that is. @default {"password"} */
  readonly type?: string | undefined;
  /** Who logs in. */
  readonly username?: string | undefined;
  /** Where to log in. */
  readonly urls?: readonly string[];
  /** `otpauth://` address, or the secret alone. */
  readonly otp?: string | undefined;
  /** Free text. */
  readonly notes?: string | undefined;
  /** The item's own fields. */
  readonly fields?: readonly { readonly name: string; readonly value: string }[];
  /** The item's tags. */
  readonly tags?: readonly string[];
}

/**
 * Turns items into entries. Several of one name, which managers allow, are told apart by `-2`, `-3`, … at the end.
 *
 * @throws {ExchangeLimitError}
 */
export function itemEntries(format: string, items: Iterable<Item>): EntryList {
  const entries = new EntryList(format);
  const paths = new Numbered();
  for (const item of items) addItem(item, paths, entries);
  return entries;
}

function addItem(item: Item, paths: Numbered, entries: EntryList): void {
  const { where, password = "", type = "password", username = "", urls = [], otp = "", notes = "", fields = [] } = item;
  const tags = item.tags?.length ? { tags: item.tags } : {};
  const parts: { name: string; value: string; type?: string }[] = [
    { name: "username", value: username },
    ...urls.map((url) => ({ name: "url", value: url, type: "url" })),
    { name: "otp", value: otp, type: "otpauth" },
    ...fields,
  ].filter(({ value }) => value !== "");
  if (password === "" && parts.length === 0 && notes === "") return;

  const path = paths.next(item.path.map((part) => part.trim()).filter((part) => part !== "").join("/") || "untitled");
  const names = new Numbered();
  const add = (name: string, value: string | Bytes, metadata: { type?: string; note?: string }) => {
    let free = name;
    // An item may be called what a field of another one is.
    for (let number = 2; entries.has(free); number++) free = `${name}-${number}`;
    entries.add({ name: free, value: toBytes(value), metadata: { ...metadata, ...tags }, where });
  };
  const noted = notes !== "" && fitsNote(notes);
  if (password !== "") add(path, password, { type, ...(noted ? { note: notes } : {}) });
  if (notes !== "" && password === "" && parts.length === 0) add(path, notes, { type: "note" });
  else if (notes !== "" && !(noted && password !== "")) parts.push({ name: "notes", value: notes, type: "note" });
  for (const { name, value, type } of parts) {
    add(`${path}/${names.next(name.trim() || "field")}`, value, type === undefined ? {} : { type });
  }
}

function toBytes(value: string | Bytes): Bytes {
  return typeof value === "string" ? encodeUtf8(value) : value;
}

function fitsNote(note: string): boolean {
  try {
    checkMetadata({ note });
    return true;
  } catch (error) {
    if (error instanceof InvalidMetadataError) return false;
    throw error;
  }
}

/** Names, each given out once. */
class Numbered {
  readonly #given = new Set<string>();
  readonly #next = new Map<string, number>();

  next(name: string): string {
    let free = name;
    let number = this.#next.get(name) ?? 2;
    for (; this.#given.has(free); number++) free = `${name}-${number}`;
    this.#next.set(name, number);
    this.#given.add(free);
    return free;
  }
}
