/**
 * CSV exports of password managers: which columns they have, and how a row is read by their names.
 *
 * @module
 */
import { type CsvTable, parseCsv } from "./csv.ts";
import { MalformedImportError } from "./errors.ts";

/** A row whose fields are asked for by the name of their column. */
export interface NamedRow {
  /** Where it stands: `line 3`. */
  readonly where: string;
  /** The field of the first of these columns that there is; empty when there is none. */
  readonly field: (...columns: readonly string[]) => string;
}

/** Whether a header has all of the columns. */
export function hasColumns(header: readonly string[], columns: readonly string[]): boolean {
  const names = new Set(header.map((name) => name.trim().toLowerCase()));
  return columns.every((column) => names.has(column));
}

/**
 * The rows of an export.
 *
 * @param columns names in small letters that must be there
 * @throws {MalformedImportError} when one is not
 */
export function namedRows(text: string, format: string, columns: readonly string[]): NamedRow[] {
  const { header, rows }: CsvTable = parseCsv(text, format);
  if (!hasColumns(header, columns)) {
    throw new MalformedImportError(format, "line 1", `the header lacks one of the columns ${columns.join(", ")}`);
  }
  const places = new Map(header.map((name, place) => [name.trim().toLowerCase(), place]));
  return rows.map(({ line, fields }) => ({
    where: `line ${line}`,
    field: (...names) => {
      const place = names.map((name) => places.get(name)).find((place) => place !== undefined);
      return place === undefined ? "" : fields[place]!;
    },
  }));
}
