/**
 * References to secrets in text: what they look like and where they are.
 *
 * Three forms, and nothing else, are a reference:
 *
 * | form | name |
 * |---|---|
 * | `coffer://db/url` | ASCII letters, digits, `_`, `-`, `.`, `/`; begins with a letter, a digit or `_`, and ends with the last of these that follows |
 * | `{{ coffer://db/url }}` | any name without `}}`; blanks around it do not count |
 * | `${coffer://db/url}` | any name without `}`; blanks around it do not count |
 *
 * The first form is none behind a letter, a digit, `_`, `+`, `-` or `.`, where it would be the end of a longer word. A
 * backslash takes a reference for the text it is, and goes; two stand for one before a reference. Anywhere else a
 * backslash is a backslash.
 *
 * @module
 */
import { decodeUtf8 } from "../bytes.ts";
import { InvalidNameError } from "../errors.ts";
import { checkName, MAX_NAME_SIZE } from "../state/names.ts";
import { MalformedTemplateError } from "./errors.ts";
import { fromLatin1 } from "./latin1.ts";

/** What a reference begins with. */
const SCHEME = "coffer://";
/** Most bytes between a reference's scheme and its end: a name, and blanks around it. */
const MAX_INSIDE = MAX_NAME_SIZE + 64;

const BARE_NAME = /[A-Za-z0-9_][A-Za-z0-9_./-]*/y;
const WORD_BEFORE = /[A-Za-z0-9_+.-]/;
const LINE_END = /[\r\n]/;

/** A place in a text that means something. Offsets are bytes. */
export interface Place {
  /** Where it begins, with the backslashes in front of it. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
  /** What stands there instead: backslashes, and a reference's own text where it was escaped. */
  readonly literal: string;
  /** The secret whose value follows that; undefined where the reference was escaped. */
  readonly name?: string;
  /** Line of the text, from 1. */
  readonly line: number;
}

/**
 * The references in a text, and what escapes them, from first to last. Takes time linear in the text.
 *
 * @param latin1 the text's bytes, one character each: what is no reference may be anything
 * @throws {MalformedTemplateError} when a reference has no end in its line, or no valid name
 */
export function* findReferences(latin1: string): Generator<Place> {
  let line = 1;
  let counted = 0;
  let done = 0;
  for (let at = latin1.indexOf(SCHEME); at >= 0; at = latin1.indexOf(SCHEME, Math.max(done, at + SCHEME.length))) {
    const opening = openingBefore(latin1, at, done);
    if (opening === undefined) continue;
    const start = at - opening.length;
    for (; counted < start; counted++) if (latin1.charCodeAt(counted) === 0x0a) line++;
    let backslashes = 0;
    while (start - backslashes > done && latin1[start - backslashes - 1] === "\\") backslashes++;
    const shared = { start: start - backslashes, line };
    const kept = "\\".repeat(backslashes >> 1);
    const begin = at + SCHEME.length;
    const found = opening === "" ? bareName(latin1, begin) : delimited(latin1, begin, opening);
    // Without a delimiter it takes a name to be a reference; with one, it takes an end not to be a mistake.
    if (found === undefined && opening === "") continue;
    if (backslashes % 2 === 1) {
      done = found?.end ?? begin;
      yield { ...shared, end: done, literal: kept + latin1.slice(start, done) };
    } else if (found === undefined) {
      const [wanted, closing] = [opening.trim(), closingOf(opening)];
      throw new MalformedTemplateError(line, `a reference that begins with "${wanted}" has no "${closing}"`);
    } else {
      done = found.end;
      yield { ...shared, end: done, literal: kept, name: checked(found.name, line) };
    }
  }
}

/** What a reference at a place is opened with: `{{` and blanks, `${`, nothing; undefined where it cannot be one. */
function openingBefore(latin1: string, at: number, done: number): string | undefined {
  if (at - 2 >= done && latin1.startsWith("${", at - 2)) return "${";
  let blank = at;
  while (blank > done && isBlank(latin1[blank - 1]!)) blank--;
  if (blank - 2 >= done && latin1.startsWith("{{", blank - 2)) return latin1.slice(blank - 2, at);
  return at > done && WORD_BEFORE.test(latin1[at - 1]!) ? undefined : "";
}

function bareName(latin1: string, at: number): { readonly name: string; readonly end: number } | undefined {
  BARE_NAME.lastIndex = at;
  const name = BARE_NAME.exec(latin1)?.[0].replace(/(?<=[A-Za-z0-9_])[./-]+$/, "");
  return name === undefined ? undefined : { name, end: at + name.length };
}

function delimited(latin1: string, at: number, opening: string): { name: string; end: number } | undefined {
  const closing = closingOf(opening);
  const inside = latin1.slice(at, at + MAX_INSIDE + closing.length);
  const length = inside.indexOf(closing);
  const text = inside.slice(0, length);
  return length < 0 || LINE_END.test(text) ? undefined : { name: text, end: at + length + closing.length };
}

function closingOf(opening: string): string {
  return opening === "${" ? "}" : "}}";
}

function checked(latin1: string, line: number): string {
  try {
    return checkName(decodeUtf8(fromLatin1(latin1)).replace(/^[ \t]+|[ \t]+$/g, ""));
  } catch (error) {
    // Bytes that are no text are no name either.
    if (!(error instanceof InvalidNameError || error instanceof TypeError)) throw error;
    throw new MalformedTemplateError(line, "a reference has no valid name");
  }
}

function isBlank(character: string): boolean {
  return character === " " || character === "\t";
}
