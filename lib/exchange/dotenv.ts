/**
 * Dotenv files, read as the `dotenv` package for npm reads them, and written so that it reads back the same bytes.
 *
 * A file is a list of `NAME=VALUE`, also `export NAME=VALUE` and `NAME: VALUE`. A value in one of three quotes (' " `)
 * may have several lines; in double quotes `\n` and `\r` stand for line ends. Without quotes a value ends at the line's
 * end or at `#`, white space around it does not count. Of a name that stands twice the last one counts. What that package
 * passes over in silence (a line that is neither an assignment nor a comment) is an error here; what it reads otherwise than
 * it may have been meant (a value cut at `#`, a `${…}` that is kept) is read like that, and told of.
 *
 * Not for `coffer run --env-file`: see `variable_file.ts`, which is stricter.
 *
 * @module
 */
import { decodeUtf8, encodeUtf8 } from "../bytes.ts";
import { EntryList } from "./entry.ts";
import { ExportUnsuitedError, MalformedImportError } from "./errors.ts";

const FORMAT = "dotenv";

/** What ends a line for `^`, `$` and `.` of a regular expression. */
const LINE_END = /[\n\u2028\u2029]/;
const NEXT_LINE_END = /[\n\u2028\u2029]|$/g;

interface Assignment {
  readonly name: string;
  readonly value: string;
  /** Where the search for the next one begins: at the end of a line, or of the text. */
  readonly end: number;
  /** Whether it is without quotes, and a `#` right behind other characters ends it. */
  readonly cut: boolean;
  /** Whether it stands between single quotes, where nobody expects anything to be put in. */
  readonly literal: boolean;
}

/**
 * Reads a dotenv file. Takes time linear in its length.
 *
 * @throws {MalformedImportError} for a line that is neither an assignment nor a comment, with its number
 */
export function parseDotenv(source: string): EntryList {
  const text = source.replace(/\r\n?/g, "\n");
  const entries = new EntryList(FORMAT);
  const lines = new LineCounter(text);
  for (let at = skipSpace(text, 0); at < text.length;) {
    const found = assignmentAt(text, at);
    if (found === undefined && text[at] !== "#") {
      throw new MalformedImportError(FORMAT, `line ${lines.at(at)}`, "it is neither NAME=VALUE nor a comment");
    }
    if (found !== undefined) {
      const { name, value } = found;
      entries.set({ name, value: encodeUtf8(value), where: `line ${lines.at(at)}` }, doubtsOf(found));
    }
    at = skipSpace(text, endOfLine(text, found?.end ?? at));
  }
  return entries;
}

function doubtsOf({ value, cut, literal }: Assignment): string[] {
  return [
    ...(cut ? ["the value ends at its #, as it has no quotes"] : []),
    ...(!literal && value.includes("${") ? ["${…} in the value is kept as it is"] : []),
  ];
}

function assignmentAt(text: string, at: number): Assignment | undefined {
  const exported = matchAt(/export\s+/y, text, at);
  // A variable may be called export itself.
  return (exported === undefined ? undefined : bareAssignmentAt(text, exported)) ?? bareAssignmentAt(text, at);
}

function bareAssignmentAt(text: string, at: number): Assignment | undefined {
  const nameEnd = matchAt(/[\w.-]+/y, text, at);
  if (nameEnd === undefined) return undefined;
  const valueAt = matchAt(/\s*=/y, text, nameEnd) ?? matchAt(/:\s/y, text, nameEnd);
  if (valueAt === undefined) return undefined;
  return { name: text.slice(at, nameEnd), ...(quotedAt(text, valueAt) ?? unquotedAt(text, valueAt)) };
}

type Value = Omit<Assignment, "name">;

/** A value between quotes, or undefined when it has to be read as one without. */
function quotedAt(text: string, at: number): Value | undefined {
  const open = skipSpace(text, at);
  const quote = text[open];
  if (quote !== "'" && quote !== '"' && quote !== "`") return undefined;
  // A quote behind a backslash may end the value or be a part of it. The last one that can end it does.
  const closings: number[] = [];
  for (let next = text.indexOf(quote, open + 1); next >= 0; next = text.indexOf(quote, next + 1)) {
    closings.push(next);
    if (text[next - 1] !== "\\") break;
  }
  for (const close of closings.reverse()) {
    const end = endOfValue(text, close + 1);
    if (end === undefined) continue;
    return { value: unquoted(text.slice(open, close + 1)), end, cut: false, literal: quote === "'" };
  }
  return undefined;
}

/** Where the line of a closed quote ends, or undefined when something other than a comment follows. */
function endOfValue(text: string, at: number): number | undefined {
  const next = skipSpace(text, at);
  if (next === text.length) return next;
  if (text[next] === "#") return endOfLine(text, next);
  for (let end = next - 1; end >= at; end--) {
    if (LINE_END.test(text[end]!)) return end;
  }
  return undefined;
}

function unquotedAt(text: string, at: number): Value {
  const end = matchAt(/[^#\n]*/y, text, at)!;
  const value = text.slice(at, end).trim();
  if (LINE_END.test(value)) {
    const line = new LineCounter(text).at(at);
    throw new MalformedImportError(
      FORMAT,
      `line ${line}`,
      "a value with a separator of lines or paragraphs needs quotes",
    );
  }
  const cut = text[end] === "#" && /\S/.test(text[end - 1]!);
  return { value: unquoted(value), end, cut, literal: false };
}

/** Takes away quotes that stand around the whole, and reads line ends in double ones. */
function unquoted(value: string): string {
  const quote = value[0];
  const whole = value.length > 1 && (quote === "'" || quote === '"' || quote === "`") && value.endsWith(quote);
  const inner = whole ? value.slice(1, -1) : value;
  return quote === '"' ? inner.replaceAll("\\n", "\n").replaceAll("\\r", "\r") : inner;
}

/**
 * Writes a dotenv file. Names and values are all checked before: it is whole, or an error.
 *
 * @throws {ExportUnsuitedError} for names that cannot be variables, and for values that no quotes can hold
 */
export function formatDotenv(secrets: readonly { readonly name: string; readonly value: Uint8Array }[]): string {
  const unnamed = secrets.filter(({ name }) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (unnamed.length > 0) throw unsuited("names that are no variables", unnamed);
  const lines = secrets.map(({ name, value }) => ({ name, quoted: quotedValue(value) }));
  const unquotable = lines.filter(({ quoted }) => quoted === undefined);
  if (unquotable.length > 0) throw unsuited("binary values, and those with every kind of quote", unquotable);
  return lines.map(({ name, quoted }) => `${name}=${quoted}\n`).join("");
}

function unsuited(what: string, secrets: readonly { readonly name: string }[]): ExportUnsuitedError {
  return new ExportUnsuitedError(FORMAT, what, secrets.map(({ name }) => name));
}

/** The value as it is written, or undefined when there is no way to. Shells read the first two forms alike. */
function quotedValue(bytes: Uint8Array): string | undefined {
  let value: string;
  try {
    value = decodeUtf8(bytes);
  } catch {
    return undefined;
  }
  if (/^[A-Za-z0-9_./:@%+,=-]+$/.test(value)) return value;
  // Behind a backslash a quote would not surely end the value.
  const closes = !value.endsWith("\\");
  if (closes && !/['\r]/.test(value)) return `'${value}'`;
  if (closes && !/"|\\[nr]/.test(value)) return `"${value.replaceAll("\r", "\\r")}"`;
  if (closes && !/[`\r]/.test(value)) return `\`${value}\``;
  return /^['"`]|[#\n\r\u2028\u2029]/.test(value) || value.trim() !== value || value === "" ? undefined : value;
}

function skipSpace(text: string, at: number): number {
  return matchAt(/\s*/y, text, at)!;
}

function endOfLine(text: string, at: number): number {
  NEXT_LINE_END.lastIndex = at;
  return NEXT_LINE_END.exec(text)!.index;
}

/** Where the match of a sticky pattern ends. */
function matchAt(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** Numbers of lines, for places that are asked for in their order. */
class LineCounter {
  readonly #text: string;
  #line = 1;
  #seen = 0;

  constructor(text: string) {
    this.#text = text;
  }

  at(place: number): number {
    for (let next = this.#text.indexOf("\n", this.#seen); next >= 0 && next < place;) {
      this.#line++;
      this.#seen = next + 1;
      next = this.#text.indexOf("\n", this.#seen);
    }
    return this.#line;
  }
}
