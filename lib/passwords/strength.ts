/**
 * An estimate of how many guesses a password withstands.
 *
 * A text is taken apart in the cheapest way: into single characters, repeats of one, runs along the alphabet, the digits
 * or a row of the keyboard, years, and words of two lists (some very common passwords, and the BIP 39 words). Each part
 * costs the bits of one choice among all of its kind, and the text costs the sum. So the estimate is an upper bound of
 * what a guesser who knows these habits needs: it knows no dictionary of a language, no names and no leaked lists, and
 * rates texts too high that are built from those. What is random it hardly ever rates low.
 *
 * @module
 */

/** Below so many bits a password counts as weak: 2^50 guesses are within reach of whoever has its hash. */
export const WEAK_BELOW = 50;

/** What was used so often that it is tried first. */
const COMMON = (
  "password passwort passw0rd pass admin administrator root user guest login welcome letmein changeme secret default " +
  "master monkey dragon shadow sunshine princess football baseball superman batman trustno1 iloveyou whatever freedom " +
  "hello hallo test demo temp hunter access server system oracle postgres mysql database backup service company " +
  "summer winter spring autumn january february march april may june july august september october november december " +
  "monday tuesday wednesday thursday friday saturday sunday qwerty azerty qwertz abc123 zaq12wsx 1q2w3e4r asdf"
).split(" ");

/** What fingers and children run along. */
const ROWS = ["abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertz", "azerty"];

/** Only so many characters are looked at; more make nothing weak. */
const MAX_LENGTH = 128;

/**
 * Estimates the strength of a password, in bits.
 *
 * @param words further words that a guesser would try, such as those of BIP 39
 */
export function estimateStrength(text: string, words: ReadonlySet<string> = new Set()): number {
  const characters = [...text.slice(0, 2 * MAX_LENGTH)].slice(0, MAX_LENGTH);
  const plain = characters.map((character) => character.toLowerCase());
  const each = Math.log2(alphabetSize(characters));
  // The cheapest way to build the first n characters.
  const cost = new Array<number>(characters.length + 1).fill(Infinity);
  cost[0] = 0;
  for (let start = 0; start < characters.length; start++) {
    const reach = (end: number, bits: number) => cost[end] = Math.min(cost[end]!, cost[start]! + bits);
    reach(start + 1, each);
    for (let end = start + 3; end <= runEnd(plain, start); end++) reach(end, each + Math.log2(end - start) + 1);
    for (let end = start + 3; end <= Math.min(start + 16, characters.length); end++) {
      const part = plain.slice(start, end).join("");
      const bits = wordBits(part, words);
      if (bits !== undefined) reach(end, bits + (part === characters.slice(start, end).join("") ? 0 : 1));
    }
  }
  return cost[characters.length]!;
}

function wordBits(part: string, words: ReadonlySet<string>): number | undefined {
  if (COMMON.includes(part) || COMMON.includes(unleet(part))) {
    return Math.log2(COMMON.length) + (COMMON.includes(part) ? 0 : 2);
  }
  if (/^(19|20)\d\d$/.test(part)) return Math.log2(200);
  return words.has(part) ? Math.log2(words.size) : undefined;
}

/** Letters instead of the digits and signs that look like them. */
function unleet(text: string): string {
  const letters: Readonly<Record<string, string>> = {
    0: "o",
    1: "i",
    3: "e",
    4: "a",
    5: "s",
    7: "t",
    "@": "a",
    "$": "s",
  };
  return text.replace(/[013457@$]/g, (sign) => letters[sign]!);
}

/** Where a repeat of one character, or a run along a row in either direction, ends that begins at a place. */
function runEnd(plain: readonly string[], start: number): number {
  let repeat = start + 1;
  while (repeat < plain.length && plain[repeat] === plain[start]) repeat++;
  let longest = repeat;
  for (const row of ROWS) {
    for (const step of [1, -1]) {
      let end = start + 1;
      for (
        let at = row.indexOf(plain[start]!);
        at >= 0 && end < plain.length && row[at + step] === plain[end];
        at += step
      ) {
        end++;
      }
      longest = Math.max(longest, end);
    }
  }
  return longest;
}

/** How many characters there are of the kinds that the text has. */
function alphabetSize(characters: readonly string[]): number {
  const kinds: readonly (readonly [RegExp, number])[] = [[/[a-z]/, 26], [/[A-Z]/, 26], [/[0-9]/, 10], [
    /[ -/:-@[-`{-~]/,
    33,
  ]];
  const known = kinds.filter(([kind]) => characters.some((character) => kind.test(character)));
  const others = characters.some((character) => !kinds.some(([kind]) => kind.test(character)));
  return Math.max(2, known.reduce((sum, [, size]) => sum + size, 0) + (others ? 100 : 0));
}
