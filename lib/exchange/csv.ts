/**
 * Rows of comma-separated values (RFC 4180): quotes around a field are doubled inside, lines end with CRLF or LF.
 *
 * @module
 */
import { MAX_ENTRIES } from "./entry.ts";
import { ExchangeLimitError, MalformedImportError } from "./errors.ts";

/** Most fields of a file. An empty one is one byte of it, and takes some ten of memory. */
const MAX_FIELDS = 16_000_000;

/** A line with names, and the rows below it. */
export interface CsvTable {
  /** The names of the columns, as they stand there. */
  readonly header: readonly string[];
  /** The rows, each of as many fields as the header. */
  readonly rows: readonly CsvRow[];
}

/** One row. */
export interface CsvRow {
  /** The number of the line where it begins, from 1. */
  readonly line: number;
  /** Its fields. */
  readonly fields: readonly string[];
}

/**
 * Reads rows below a header. Empty lines, and a byte order mark at the start, do not count.
 *
 * @param format what it is called in messages
 * @throws {MalformedImportError} with the number of the line
 * @throws {ExchangeLimitError}
 */
export function parseCsv(source: string, format: string): CsvTable {
  const rows: CsvRow[] = [];
  for (const row of rowsOf(source.replace(/^\ufeff/, ""), format)) {
    if (row.fields.length === 1 && row.fields[0] === "") continue;
    if (rows.length > MAX_ENTRIES) throw new ExchangeLimitError("The file has more entries", MAX_ENTRIES);
    const expected = rows[0]?.fields.length ?? row.fields.length;
    if (row.fields.length !== expected) {
      throw new MalformedImportError(
        format,
        `line ${row.line}`,
        `expected ${expected} fields, got ${row.fields.length}`,
      );
    }
    rows.push(row);
  }
  const [header, ...rest] = rows;
  if (header === undefined) throw new MalformedImportError(format, undefined, "it is empty");
  return { header: header.fields, rows: rest };
}

function* rowsOf(text: string, format: string): Generator<CsvRow> {
  let line = 1;
  let begin = 1;
  let fields: string[] = [];
  let count = 0;
  for (let at = 0; at <= text.length;) {
    let field: string;
    if (text[at] === '"') {
      const parts: string[] = [];
      let close = text.indexOf('"', at + 1);
      for (at++;; close = text.indexOf('"', at)) {
        if (close < 0) throw new MalformedImportError(format, `line ${line}`, "a quote is not closed");
        parts.push(text.slice(at, close));
        at = close + 1;
        if (text[at] !== '"') break;
        parts.push('"');
        at++;
      }
      field = parts.join("");
      for (const character of field) if (character === "\n") line++;
      if (at < text.length && text[at] !== "," && !/\r?\n/y.test(text.slice(at, at + 2))) {
        throw new MalformedImportError(format, `line ${line}`, "something follows a closed quote");
      }
    } else {
      const plain = /[^,\r\n"]*/y;
      plain.lastIndex = at;
      [field] = plain.exec(text) as unknown as [string];
      at += field.length;
      if (text[at] === '"') throw new MalformedImportError(format, `line ${line}`, "a quote stands inside of a field");
      if (text[at] === "\r" && text[at + 1] !== "\n") {
        throw new MalformedImportError(format, `line ${line}`, "a carriage return stands alone");
      }
    }
    if (++count > MAX_FIELDS) throw new ExchangeLimitError("The file has more fields", MAX_FIELDS);
    fields.push(field);
    if (text[at] === ",") {
      at++;
      continue;
    }
    yield { line: begin, fields };
    fields = [];
    if (at >= text.length) return;
    at += text[at] === "\r" ? 2 : 1;
    begin = ++line;
    if (at >= text.length) return;
  }
}

/** Writes rows, the header first, with CRLF at the end of each. */
export function formatCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((fields) => `${fields.map(quoted).join(",")}\r\n`).join("");
}

function quoted(field: string): string {
  return /[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
