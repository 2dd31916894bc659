/**
 * The rules for names of secrets, and patterns over them.
 *
 * @module
 */
import { encodeUtf8 } from "../bytes.ts";
import { InvalidNameError } from "../errors.ts";

/** Longest name, in bytes of UTF-8. */
export const MAX_NAME_SIZE = 512;

/** What is stored between tabs and line ends, and shown on terminals, must hold neither. */
const CONTROL = /\p{Cc}/u;
/** What nearly every name is, and what keeps to every rule. */
const PLAIN = /^[ -~]{1,512}$/;

/**
 * Returns the name when it is NFC text of 1 to 512 bytes without control characters.
 *
 * @throws {InvalidNameError} when it is not
 */
export function checkName(name: string): string {
  if (typeof name !== "string") throw new TypeError(`A name must be a string, got ${typeof name}`);
  if (PLAIN.test(name)) return name;
  if (name === "") throw new InvalidNameError("it is empty");
  // A string has at most three bytes of UTF-8 for each of its units: refuse a huge one before encoding it.
  if (name.length > MAX_NAME_SIZE || encodeUtf8(name).length > MAX_NAME_SIZE) {
    throw new InvalidNameError(`it is longer than ${MAX_NAME_SIZE} bytes`);
  }
  if (!name.isWellFormed()) throw new InvalidNameError("it is not valid Unicode");
  if (CONTROL.test(name)) throw new InvalidNameError("it holds a control character");
  if (name.normalize("NFC") !== name) throw new InvalidNameError("it is not in Unicode form NFC");
  return name;
}

/**
 * Makes a test for a glob over names: `*` matches within one part of a path, `**` across parts, `?` one character,
 * `[a-z]` and `[!a-z]` one of a set within a part; `\` takes the next character as it is.
 *
 * Matching takes time linear in pattern and name for each star, whatever the pattern: there is no regular expression
 * that could be made to run for ever.
 *
 * @example
 * ```ts ignore
 * globMatcher("db/*")("db/url"); // true
 * ```
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  if (pattern.length > 4 * MAX_NAME_SIZE) throw new InvalidNameError("the pattern is too long");
  const tokens = parseGlob(pattern);
  return (name) => matches(tokens, [...name]);
}

type Token =
  | { readonly kind: "star" | "globstar" | "any" }
  | { readonly kind: "one"; readonly of: (character: string) => boolean };

function parseGlob(pattern: string): readonly Token[] {
  const characters = [...pattern];
  const tokens: Token[] = [];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === "*") {
      if (characters[i + 1] === "*") {
        while (characters[i + 1] === "*") i++;
        tokens.push({ kind: "globstar" });
      } else tokens.push({ kind: "star" });
    } else if (character === "?") tokens.push({ kind: "any" });
    else if (character === "[") {
      const end = characters.indexOf("]", characters[i + 1] === "!" ? i + 3 : i + 2);
      if (end < 0) {
        tokens.push(literal(character));
      } else {
        tokens.push({ kind: "one", of: parseSet(characters.slice(i + 1, end)) });
        i = end;
      }
    } else if (character === "\\" && i + 1 < characters.length) tokens.push(literal(characters[++i]!));
    else tokens.push(literal(character));
  }
  return tokens;
}

function literal(wanted: string): Token {
  return { kind: "one", of: (character) => character === wanted };
}

function parseSet(inside: readonly string[]): (character: string) => boolean {
  const negated = inside[0] === "!";
  const members = negated ? inside.slice(1) : inside;
  const ranges: [number, number][] = [];
  for (let i = 0; i < members.length; i++) {
    const low = members[i]!.codePointAt(0)!;
    if (members[i + 1] === "-" && i + 2 < members.length) {
      ranges.push([low, members[i + 2]!.codePointAt(0)!]);
      i += 2;
    } else ranges.push([low, low]);
  }
  return (character) => {
    const point = character.codePointAt(0)!;
    return character !== "/" && ranges.some(([low, high]) => low <= point && point <= high) !== negated;
  };
}

/** Runs all states of the pattern at once: bit by bit a row of a table, never back-tracking. */
function matches(tokens: readonly Token[], name: readonly string[]): boolean {
  let row = closure(tokens, new Set([0]));
  for (const character of name) {
    const next = new Set<number>();
    for (const state of row) {
      const token = tokens[state];
      if (token === undefined) continue;
      if (token.kind === "globstar" || (token.kind === "star" && character !== "/")) next.add(state);
      else if (token.kind === "any" && character !== "/") next.add(state + 1);
      else if (token.kind === "one" && token.of(character)) next.add(state + 1);
    }
    if (next.size === 0) return false;
    row = closure(tokens, next);
  }
  return row.has(tokens.length);
}

/** A star may match nothing: wherever one stands, the state behind it is reached too. */
function closure(tokens: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) {
    const kind = tokens[state]?.kind;
    if (kind === "star" || kind === "globstar") states.add(state + 1);
  }
  return states;
}
