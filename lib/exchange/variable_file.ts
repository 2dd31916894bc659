/**
 * Files of variables, as dotenv files are written: `NAME=value`, a line each, with templates for values.
 *
 * `export` in front of a name, empty lines and lines that begin with `#` are passed over. A value in single, double or
 * backward quotes may go on over lines; in double quotes `\n` and `\r` are a line feed and a carriage return. One
 * without quotes ends at a `#` or at the line's end, and loses the blanks around it. Of two lines for one variable the
 * last one counts.
 *
 * `dotenv.ts` reads the same kind of file for an import, and leniently: as the package does that a project used so far,
 * down to `NAME: value` and a quote without an end. What is to start a program is read strictly: there such a line is a
 * mistake, and not a variable with an odd value.
 *
 * References are looked for once that is done, in each value for itself, whatever its quotes.
 *
 * @module
 */
import { decodeUtf8, encodeUtf8 } from "../bytes.ts";
import { MalformedTemplateError, TemplateTooLargeError } from "./errors.ts";
import { MAX_TEMPLATE_SIZE, parseTemplate, type Template } from "./template.ts";
import { isVariableName } from "./variable_names.ts";

const BLANKS = /[ \t\r\uFEFF]*/y;
const NAME = /(?:export[ \t]+)?([A-Za-z0-9_.-]+)[ \t]*=[ \t]*/y;
const REST = /[ \t]*(?:#[^\r\n]*)?(?:\r\n|[\r\n]|$)/y;
const UNQUOTED = /[^#\r\n]*/y;

/**
 * Reads a file of variables.
 *
 * @throws {TemplateTooLargeError}
 * @throws {MalformedTemplateError} names the first line that is none of a file of variables
 */
export function parseVariableFile(bytes: Uint8Array): ReadonlyMap<string, Template> {
  if (bytes.length > MAX_TEMPLATE_SIZE) throw new TemplateTooLargeError("The file of variables", MAX_TEMPLATE_SIZE);
  return new Reader(asText(bytes)).read();
}

class Reader {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #counted = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): ReadonlyMap<string, Template> {
    const variables = new Map<string, Template>();
    while (this.#at < this.#text.length) {
      this.#take(BLANKS);
      if (this.#ends()) continue;
      const line = this.#lineNumber();
      const name = this.#take(NAME)?.[1];
      if (name === undefined) throw new MalformedTemplateError(line, "it is no NAME=value");
      if (!isVariableName(name)) throw new MalformedTemplateError(line, "its variable has no valid name");
      const value = this.#value(line);
      if (value.includes("\0")) throw new MalformedTemplateError(line, "no variable can hold a NUL");
      if (!this.#ends()) throw new MalformedTemplateError(line, "something follows the quoted value");
      variables.set(name, templateAt(value, line));
    }
    return variables;
  }

  #value(line: number): string {
    const quote = this.#text[this.#at] ?? "";
    if (!/^['"`]/.test(quote)) return this.#take(UNQUOTED)![0].trim();
    const start = this.#at + 1;
    let end = this.#text.indexOf(quote, start);
    // A quote behind a backslash is a part of the value, and stays there with it.
    while (end >= 0 && this.#text[end - 1] === "\\") end = this.#text.indexOf(quote, end + 1);
    if (end < 0) throw new MalformedTemplateError(line, "its quoted value has no end");
    this.#at = end + 1;
    const value = this.#text.slice(start, end);
    return quote === '"' ? value.replaceAll("\\n", "\n").replaceAll("\\r", "\r") : value;
  }

  /** Whether nothing but a comment is left of the line; it is done with then. */
  #ends(): boolean {
    return this.#take(REST) !== undefined;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #lineNumber(): number {
    for (; this.#counted < this.#at; this.#counted++) {
      const unit = this.#text[this.#counted];
      if (unit === "\n" || (unit === "\r" && this.#text[this.#counted + 1] !== "\n")) this.#line++;
    }
    return this.#line;
  }
}

function templateAt(value: string, line: number): Template {
  try {
    return parseTemplate(encodeUtf8(value));
  } catch (error) {
    // The value's own lines are not the file's: the one where it begins is named.
    if (error instanceof MalformedTemplateError) {
      throw new MalformedTemplateError(line, "a reference in it is malformed");
    }
    throw error;
  }
}

function asText(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new MalformedTemplateError(lineOfBadByte(bytes), "it is not UTF-8 text");
  }
}

/** The first line that is not UTF-8. Lines can be judged apart: no character of several bytes holds a line feed. */
function lineOfBadByte(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    try {
      decodeUtf8(bytes.subarray(start, end < 0 ? bytes.length : end));
    } catch {
      return line;
    }
    if (end < 0) break;
    start = end + 1;
  }
  return line;
}
