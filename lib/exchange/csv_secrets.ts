/**
 * Secrets as comma-separated values, for a spreadsheet: a header, then a row a secret.
 *
 * The columns are `name`, `value`, `note`, `tags` (with commas between them), `expires` (ISO 8601) and `type`. Reading
 * takes them in any order and case; all but the first two may be left out, and what is empty is not set.
 *
 * @module
 */
import { decodeUtf8, encodeUtf8 } from "../bytes.ts";
import type { SecretMetadata } from "../state/metadata.ts";
import { formatCsv, parseCsv } from "./csv.ts";
import { EntryList } from "./entry.ts";
import { ExportUnsuitedError, MalformedImportError } from "./errors.ts";
import type { ExportedSecret } from "./exported.ts";

const FORMAT = "CSV";
const COLUMNS = ["name", "value", "note", "tags", "expires", "type"] as const;

type Column = typeof COLUMNS[number];

/** Whether a header is one of this format. */
export function isSecretsHeader(header: readonly string[]): boolean {
  const names = header.map(columnName);
  return names.includes("name") && names.includes("value");
}

/**
 * Reads secrets from rows below a header.
 *
 * @throws {MalformedImportError} with the number of the line
 */
export function parseCsvSecrets(text: string): EntryList {
  const { header, rows } = parseCsv(text, FORMAT);
  const names = header.map(columnName);
  if (!isSecretsHeader(header)) {
    throw new MalformedImportError(FORMAT, "line 1", "the header names no columns name and value", {
      hint: "Nothing was imported; csv wants the columns name and value, other formats their program's own columns",
    });
  }
  const doubled = names.length !== new Set(names).size;
  if (doubled || !names.every((name) => (COLUMNS as readonly string[]).includes(name))) {
    throw new MalformedImportError(
      FORMAT,
      "line 1",
      `the header names columns twice, or others than ${COLUMNS.join(", ")}`,
    );
  }
  const entries = new EntryList(FORMAT);
  for (const { line, fields } of rows) {
    const where = `line ${line}`;
    const field = (name: Column) => fields[names.indexOf(name)] ?? "";
    entries.add({ name: field("name"), value: encodeUtf8(field("value")), metadata: metadataOf(field, where), where });
  }
  return entries;
}

function columnName(text: string): string {
  return text.trim().toLowerCase();
}

function metadataOf(field: (name: Column) => string, where: string): SecretMetadata {
  const tags = field("tags").split(",").map((tag) => tag.trim()).filter((tag) => tag !== "");
  const expires = field("expires").trim();
  const isDate = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(expires);
  const expiresAt = new Date(isDate ? expires : NaN);
  if (expires !== "" && !(expiresAt.getTime() >= 0)) {
    throw new MalformedImportError(FORMAT, where, "the expiry is no date of ISO 8601");
  }
  return {
    ...(field("note") === "" ? {} : { note: field("note") }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(expires === "" ? {} : { expiresAt }),
    ...(field("type") === "" ? {} : { type: field("type") }),
  };
}

/**
 * Writes secrets as rows below a header.
 *
 * @throws {ExportUnsuitedError} for values that are no text, and tags with a comma or white space around them
 */
export function formatCsvSecrets(secrets: readonly ExportedSecret[]): string {
  const rows = secrets.map((secret) => ({ name: secret.name, row: rowOf(secret) }));
  const binary = rows.filter(({ row }) => row === undefined);
  if (binary.length > 0) throw unsuited("binary values", binary);
  const tagged = secrets.filter(({ tags }) => tags.some((tag) => tag.includes(",") || tag.trim() !== tag));
  if (tagged.length > 0) throw unsuited("tags with a comma, or white space around them", tagged);
  return formatCsv([COLUMNS, ...rows.map(({ row }) => row!)]);
}

function unsuited(what: string, secrets: readonly { readonly name: string }[]): ExportUnsuitedError {
  return new ExportUnsuitedError(FORMAT, what, secrets.map(({ name }) => name));
}

function rowOf({ name, value, note = "", tags, expiresAt, type = "" }: ExportedSecret): string[] | undefined {
  try {
    return [name, decodeUtf8(value), note, tags.join(","), expiresAt?.toISOString() ?? "", type];
  } catch {
    return undefined;
  }
}
