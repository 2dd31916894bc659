/**
 * What a parser of JSON does not tell, looked at before it runs: names that stand twice in one object, of which it would
 * keep the last alone, and documents that take far more memory than their text.
 *
 * @module
 */
import { ExchangeLimitError, MalformedImportError } from "./errors.ts";

/** Deepest nesting. */
const MAX_DEPTH = 64;
/** Most values, those that hold others included. Each takes some 50 bytes of memory, whatever it is. */
const MAX_VALUES = 16_000_000;

/**
 * Refuses a document for its shape. Of a text that is no JSON it need not notice that: the parser does.
 *
 * @param format what it is called in messages
 * @throws {MalformedImportError} when a name stands twice in one object, or it is nested too deep
 * @throws {ExchangeLimitError}
 */
export function checkShape(text: string, format: string): void {
  /** What is open: of an object the names so far. */
  const open: (Set<string> | undefined)[] = [];
  let values = 1;
  let isName = false;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at + 1);
        if (end < 0) return;
        if (isName) {
          const names = open.at(-1)!;
          const name = unescaped(text.slice(at, end + 1));
          if (names.has(name)) {
            throw new MalformedImportError(format, lineOf(text, at), "a name stands twice in one object");
          }
          names.add(name);
        }
        isName = false;
        at = end;
        break;
      }
      case "{":
      case "[":
        isName = text[at] === "{";
        open.push(isName ? new Set() : undefined);
        if (open.length > MAX_DEPTH) throw new MalformedImportError(format, undefined, "it is nested too deep");
        values++;
        break;
      case "}":
      case "]":
        open.pop();
        isName = false;
        break;
      case ",":
        isName = open.at(-1) !== undefined;
        values++;
    }
    if (values > MAX_VALUES) throw new ExchangeLimitError("The file has more values", MAX_VALUES);
  }
}

/** Where the quote is that closes a string; -1 where none does. */
function endOfString(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === "\\") escapes++;
    if (escapes % 2 === 0) return end;
  }
  return -1;
}

/** One name may be written in several ways. */
function unescaped(quoted: string): string {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted);
  } catch {
    return quoted;
  }
}

function lineOf(text: string, at: number): string {
  let line = 1;
  for (let end = text.indexOf("\n"); end >= 0 && end < at; end = text.indexOf("\n", end + 1)) line++;
  return `line ${line}`;
}
