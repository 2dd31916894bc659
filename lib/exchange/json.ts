/**
 * Secrets as JSON: coffer's own export, which loses nothing, and plain objects.
 *
 * The export is one object (times are ISO 8601 in UTC, what is not set is left out):
 *
 * | field     | meaning                                                                                       |
 * | --------- | --------------------------------------------------------------------------------------------- |
 * | `coffer`  | `"export"`                                                                                    |
 * | `version` | 1                                                                                             |
 * | `secrets` | array of `name`, `value`, `encoding` (`utf8` or `base64`), `version` (number of the value's), |
 * |           | `setAt`, `createdAt`, `updatedAt`, `note`, `tags`, `expiresAt`, `type`, `history`             |
 * | `history` | array of the versions before, oldest first: `version`, `setAt`, `value`, `encoding`           |
 *
 * @module
 */
import * as v from "valibot";
import { type Bytes, decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from "../bytes.ts";
import { KEPT_VERSIONS } from "../state/secret.ts";
import { EntryList, type ImportEntry, type KeptVersion } from "./entry.ts";
import { MalformedImportError } from "./errors.ts";
import type { ExportedSecret } from "./exported.ts";
import { checkShape } from "./json_shape.ts";

const FORMAT = "JSON";

const time = v.pipe(v.string(), v.isoTimestamp(), v.transform((text) => new Date(text)), v.check(isTime));
const encodedValue = { value: v.string(), encoding: v.picklist(["utf8", "base64"]) };
const versionNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const exportedSecret = v.strictObject({
  name: v.string(),
  ...encodedValue,
  version: versionNumber,
  setAt: time,
  createdAt: time,
  updatedAt: time,
  note: v.optional(v.string()),
  tags: v.optional(v.array(v.string())),
  expiresAt: v.optional(time),
  type: v.optional(v.string()),
  history: v.optional(v.array(v.strictObject({ version: versionNumber, setAt: time, ...encodedValue }))),
});
const exportHead = v.strictObject({ coffer: v.literal("export"), version: v.number(), secrets: v.array(v.unknown()) });

/** Whether parsed JSON says that it is an export of coffer's. */
export function isCofferExport(document: unknown): boolean {
  return typeof document === "object" && document !== null && Object.hasOwn(document, "coffer") &&
    (document as { coffer: unknown }).coffer === "export";
}

/** Writes an export that loses nothing: one line a secret. */
export function formatJson(secrets: readonly ExportedSecret[]): string {
  const lines = secrets.map((secret) => JSON.stringify(asDocument(secret)));
  return `{"coffer":"export","version":1,"secrets":[\n${lines.join(",\n")}\n]}\n`;
}

function asDocument({ value, tags, history, name, ...rest }: ExportedSecret): unknown {
  return {
    name,
    ...encode(value),
    ...rest,
    ...(tags.length === 0 ? {} : { tags }),
    ...(history === undefined || history.length === 0
      ? {}
      : { history: history.map(({ value, ...version }) => ({ ...version, ...encode(value) })) }),
  };
}

function encode(value: Uint8Array): { readonly value: string; readonly encoding: "utf8" | "base64" } {
  try {
    return { value: decodeUtf8(value), encoding: "utf8" };
  } catch {
    return { value: encodeBase64(value), encoding: "base64" };
  }
}

/**
 * Parses JSON; numbers become the text that stands for them, so that none loses digits.
 *
 * @param format what it is called in messages
 * @throws {MalformedImportError} with the line where that is known
 * @throws {ExchangeLimitError}
 */
export function parseDocument(text: string, format: string, keepNumbers = false): unknown {
  const source = text.replace(/^\ufeff/, "");
  checkShape(source, format);
  try {
    return keepNumbers
      ? JSON.parse(source, numbersAsText as (key: string, value: unknown) => unknown)
      : JSON.parse(source);
  } catch (error) {
    // The platform's own message quotes what stands there, so it is not kept.
    const line = error instanceof SyntaxError ? /\(line ([0-9]+) column/.exec(error.message)?.[1] : undefined;
    throw new MalformedImportError(format, line === undefined ? undefined : `line ${line}`, "it is no JSON");
  }
}

function numbersAsText(_key: string, value: unknown, context: { readonly source: string }): unknown {
  return typeof value === "number" ? context.source : value;
}

/**
 * Reads an export of coffer's or a plain object, whose keys are joined by slashes; items of arrays are numbered from 0.
 *
 * @throws {MalformedImportError} @throws {ExchangeLimitError}
 */
export function parseJson(text: string): EntryList {
  const document = parseDocument(text, FORMAT);
  if (isCofferExport(document)) return parseExport(document);
  const entries = new EntryList(FORMAT);
  if (typeof document !== "object" || document === null) {
    throw new MalformedImportError(FORMAT, undefined, "it is no object");
  }
  let count = 0;
  for (const [name, value] of leaves(parseDocument(text, FORMAT, true) as object, [])) {
    const where = `value ${++count}`;
    if (value === null) throw new MalformedImportError(FORMAT, where, "null cannot be kept");
    entries.add({ name, value: encodeText(String(value), where), where });
  }
  return entries;
}

function* leaves(object: object, path: readonly string[]): Generator<readonly [name: string, value: unknown]> {
  for (const [key, value] of Object.entries(object)) {
    const at = [...path, key];
    if (typeof value === "object" && value !== null) yield* leaves(value, at);
    else yield [at.join("/"), value];
  }
}

function parseExport(document: unknown): EntryList {
  const head = v.safeParse(exportHead, document);
  if (!head.success) throw new MalformedImportError(FORMAT, undefined, "the export is not of its form");
  if (head.output.version !== 1) {
    throw new MalformedImportError(FORMAT, undefined, `version ${head.output.version} of the export is not known`, {
      hint: "Use a newer coffer for this file",
    });
  }
  const entries = new EntryList(FORMAT);
  for (const [index, secret] of head.output.secrets.entries()) {
    const where = `secret ${index + 1}`;
    const parsed = v.safeParse(exportedSecret, secret);
    if (!parsed.success) {
      // Names of fields that are known, and no others: what else stands there may be anything.
      const field = parsed.issues[0].path?.[0]?.key;
      const known = typeof field === "string" && Object.hasOwn(exportedSecret.entries, field) ? `its ${field}` : "it";
      throw new MalformedImportError(FORMAT, where, `${known} is not of its form`);
    }
    entries.add(asEntry(parsed.output, where));
  }
  return entries;
}

function asEntry(
  secret: v.InferOutput<typeof exportedSecret>,
  where: string,
): ImportEntry & { readonly where: string } {
  const { name, createdAt, updatedAt, history = [], note, tags, expiresAt, type } = secret;
  const versions: KeptVersion[] = [...history, secret].map(({ version, setAt, value, encoding }) => ({
    version,
    setAt,
    value: decode(value, encoding, where),
  }));
  const gapless = versions.every(({ version }, index) => version === versions[0]!.version + index);
  if (!gapless || versions.length > KEPT_VERSIONS) {
    throw new MalformedImportError(FORMAT, where, `its versions have a gap, or are more than ${KEPT_VERSIONS}`);
  }
  return {
    name,
    where,
    value: versions.at(-1)!.value,
    metadata: { note: note ?? null, tags: tags ?? null, expiresAt: expiresAt ?? null, type: type ?? null },
    kept: { createdAt, updatedAt, versions },
  };
}

function decode(value: string, encoding: "utf8" | "base64", where: string): Bytes {
  if (encoding === "utf8") return encodeText(value, where);
  try {
    return decodeBase64(value);
  } catch {
    throw new MalformedImportError(FORMAT, where, "its value is not base64");
  }
}

/** Text of a JSON document as bytes; escapes can make what is no Unicode, and could not be kept as it is. */
function encodeText(text: string, where: string): Bytes {
  if (!text.isWellFormed()) throw new MalformedImportError(FORMAT, where, "its value is no valid Unicode");
  return encodeUtf8(text);
}

function isTime(date: Date): boolean {
  return date.getTime() >= 0;
}
