/**
 * SASLprep (RFC 4013), the profile of stringprep (RFC 3454) by which SCRAM brings names and passwords into one form.
 *
 * The tables are loaded with this module, so callers import it only when text beyond ASCII comes.
 *
 * @module
 */
import {
  LEFT_TO_RIGHT,
  MAPPED_TO_NOTHING,
  NON_ASCII_SPACES,
  PROHIBITED,
  RIGHT_TO_LEFT,
  UNASSIGNED,
} from "./stringprep_tables.ts";

/** How text is prepared. */
export interface SaslprepOptions {
  /**
   * Whether characters newer than Unicode 3.2 are let through: right for what is looked up, not for what is stored
   * (RFC 3454, section 7). @default {false}
   */
  readonly allowUnassigned?: boolean;
}

/** ASCII without control characters, which preparation neither changes nor refuses. */
const PLAIN = /^[ -~]*$/;

/**
 * Prepares text: spaces become the ASCII one, invisible characters go, the rest takes Unicode form NFKC. Gives null when
 * the text holds what is prohibited (control characters, private use, lone surrogates), mixes directions of writing
 * against RFC 3454, section 6, or holds characters newer than Unicode 3.2.
 *
 * The form NFKC is the runtime's; Unicode promises that it never changes for characters that Unicode 3.2 had, save a
 * handful of corrected ideographs. What is prohibited is looked for after it, in the RFC's order. PostgreSQL looks
 * before; that tells for two accents (U+0340, U+0341) and for presentation forms of Hebrew and Arabic, which nobody
 * types.
 */
export function saslprep(text: string, options: SaslprepOptions = {}): string | null {
  if (PLAIN.test(text)) return text;
  // What is mapped to nothing may stand between two halves of a character, which would be one once it is gone.
  if (!text.isWellFormed()) return null;
  let mapped = "";
  for (const character of text) {
    // To Unicode 3.2 these were no characters, so its NFKC left them as they are; the runtime's might change them.
    if (!options.allowUnassigned && isIn(UNASSIGNED, character)) return null;
    // U+200B stands in both tables; RFC 4013, section 2.1 names the mapping to a space first.
    if (isIn(NON_ASCII_SPACES, character)) mapped += " ";
    else if (!isIn(MAPPED_TO_NOTHING, character)) mapped += character;
  }
  const characters = [...mapped.normalize("NFKC")];
  if (characters.some((character) => isIn(PROHIBITED, character))) return null;
  return hasSoundDirection(characters) ? characters.join("") : null;
}

/** RFC 3454, section 6: text that runs to the left holds nothing that runs to the right, and begins and ends so. */
function hasSoundDirection(characters: readonly string[]): boolean {
  if (!characters.some((character) => isIn(RIGHT_TO_LEFT, character))) return true;
  return isIn(RIGHT_TO_LEFT, characters[0]!) && isIn(RIGHT_TO_LEFT, characters.at(-1)!) &&
    !characters.some((character) => isIn(LEFT_TO_RIGHT, character));
}

/** Tables as they are looked up: first and last code point of each range in turn, ascending. Made on first use. */
const parsed = new Map<string, Uint32Array>();

function isIn(table: string, character: string): boolean {
  let bounds = parsed.get(table);
  if (bounds === undefined) parsed.set(table, bounds = parse(table));
  const code = character.codePointAt(0)!;
  let low = 0;
  let high = bounds.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (code > bounds[middle * 2 + 1]!) low = middle + 1;
    else high = middle;
  }
  return low * 2 < bounds.length && code >= bounds[low * 2]!;
}

function parse(table: string): Uint32Array {
  return Uint32Array.from(
    table.split(" ").flatMap((range) => {
      const [first, last = first] = range.split("-");
      return [parseInt(first!, 16), parseInt(last!, 16)];
    }),
  );
}
