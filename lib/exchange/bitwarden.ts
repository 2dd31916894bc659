/**
 * The JSON export of Bitwarden, without encryption: of one person, with folders, or of an organization, with collections.
 *
 * @module
 */
import * as v from "valibot";
import type { EntryList } from "./entry.ts";
import { ImportEncryptedError, MalformedImportError } from "./errors.ts";
import { type Item, itemEntries } from "./item.ts";
import { parseDocument } from "./json.ts";

const FORMAT = "Bitwarden JSON";

const text = v.nullish(v.string(), "");
const fields = v.nullish(v.record(v.string(), v.unknown()), {});
const folders = v.nullish(v.array(v.object({ id: v.string(), name: v.string() })), []);
const itemSchema = v.object({
  name: text,
  notes: text,
  folderId: text,
  collectionIds: v.nullish(v.array(v.string()), []),
  fields: v.nullish(v.array(v.object({ name: text, value: v.nullish(v.union([v.string(), v.boolean()]), "") })), []),
  login: v.nullish(
    v.object({
      username: text,
      password: text,
      totp: text,
      uris: v.nullish(v.array(v.object({ uri: text })), []),
    }),
  ),
  card: fields,
  identity: fields,
  sshKey: fields,
});
const documentSchema = v.object({ items: v.array(v.unknown()), folders, collections: folders });

type BitwardenItem = v.InferOutput<typeof itemSchema>;

/** Whether parsed JSON looks like an export of Bitwarden's. */
export function isBitwarden(document: unknown): boolean {
  if (typeof document !== "object" || document === null || !("encrypted" in document)) return false;
  return typeof document.encrypted === "boolean" && (document.encrypted || "items" in document);
}

/**
 * Reads an export.
 *
 * @throws {ImportEncryptedError} when it is encrypted
 * @throws {MalformedImportError} with the number of the item
 */
export function parseBitwarden(source: string): EntryList {
  const document = parseDocument(source, FORMAT);
  if (isBitwarden(document) && (document as { encrypted: boolean }).encrypted) {
    throw new ImportEncryptedError("Bitwarden");
  }
  const parsed = v.safeParse(documentSchema, document);
  if (!parsed.success) throw new MalformedImportError(FORMAT, undefined, "the export is not of its form");
  const { items, folders, collections } = parsed.output;
  const names = new Map([...folders, ...collections].map(({ id, name }) => [id, name]));
  return itemEntries(
    FORMAT,
    items.map((item, index) => {
      const where = `item ${index + 1}`;
      const parsed = v.safeParse(itemSchema, item);
      if (!parsed.success) throw new MalformedImportError(FORMAT, where, "it is not of its form");
      return asItem(parsed.output, names, where);
    }),
  );
}

function asItem(item: BitwardenItem, folders: ReadonlyMap<string, string>, where: string): Item {
  const { name, notes, folderId, collectionIds, login } = item;
  const folder = folders.get(folderId) ?? folders.get(collectionIds[0] ?? "") ?? "";
  const own = item.fields.map(({ name, value }) => ({ name, value: String(value) }));
  const others = [item.card, item.identity, item.sshKey].flatMap((part) => Object.entries(part)).flatMap(
    ([name, value]) => typeof value === "string" || typeof value === "number" ? [{ name, value: String(value) }] : [],
  );
  return {
    path: [...folder.split("/"), name],
    where,
    password: login?.password,
    username: login?.username,
    urls: login?.uris.map(({ uri }) => uri) ?? [],
    otp: login?.totp,
    notes,
    fields: [...others, ...own],
  };
}
