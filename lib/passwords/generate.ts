/**
 * New passwords and passphrases, every possible one as likely as any other.
 *
 * @module
 */
import { randomBytes } from "../crypto/random.ts";

/** The characters of each class. */
export const CLASSES = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  digits: "0123456789",
  symbols: "!#$%&()*+,-./:;<=>?@[]^_{|}~",
} as const;

/** Name of a class of characters. */
export type CharacterClass = keyof typeof CLASSES;

/** Longest password, in characters. */
export const MAX_LENGTH = 1024;
/** Most words of a passphrase. */
export const MAX_WORDS = 128;

/** What was made. */
export interface Generated {
  /** The password or passphrase. */
  readonly text: string;
  /** The logarithm to base 2 of how many there could have been. */
  readonly entropy: number;
}

/** Gives random bytes. */
export type RandomSource = (length: number) => Uint8Array;

/**
 * Makes a password that has at least one character of each class.
 *
 * One that lacks a class is thrown away as a whole, so what is left is uniform over all that have them all.
 *
 * @throws {RangeError} unless the length is a whole number from that of the classes to {@linkcode MAX_LENGTH}, and there
 * is a class
 */
export function generatePassword(
  length: number,
  classes: readonly CharacterClass[],
  random: RandomSource = randomBytes,
): Generated {
  const alphabets = [...new Set(classes)].map((name) => CLASSES[name]);
  if (alphabets.length === 0) throw new RangeError("A password needs a class of characters");
  checkCount("A length", length, alphabets.length, MAX_LENGTH);
  const alphabet = alphabets.join("");
  const draw = uniform(alphabet.length, random);
  while (true) {
    const text = Array.from({ length }, () => alphabet[draw()]!).join("");
    if (alphabets.every((own) => [...text].some((character) => own.includes(character)))) {
      return { text, entropy: log2(countPasswords(length, alphabets.map((own) => own.length))) };
    }
  }
}

/**
 * Makes a passphrase of words out of a list.
 *
 * @param words each of them once
 * @throws {RangeError} unless the count is a whole number from 1 to {@linkcode MAX_WORDS}
 */
export function generateWords(
  count: number,
  words: readonly string[],
  separator: string,
  random: RandomSource = randomBytes,
): Generated {
  checkCount("A number of words", count, 1, MAX_WORDS);
  const draw = uniform(words.length, random);
  return {
    text: Array.from({ length: count }, () => words[draw()]!).join(separator),
    entropy: count * Math.log2(words.length),
  };
}

/**
 * Draws whole numbers from 0 up to a bound of at most 65536, each as likely. A remainder would favour small ones, so what
 * lies above the largest multiple of the bound is drawn anew.
 */
export function uniform(bound: number, random: RandomSource = randomBytes): () => number {
  const limit = 65536 - 65536 % bound;
  return () => {
    while (true) {
      const [low, high] = random(2) as unknown as [number, number];
      const value = low | high << 8;
      if (value < limit) return value % bound;
    }
  };
}

/** How many texts of a length have a character of each alphabet: all, less those that lack one, plus those that lack two, … */
function countPasswords(length: number, sizes: readonly number[]): bigint {
  let count = 0n;
  for (let lacking = 0; lacking < 1 << sizes.length; lacking++) {
    const left = sizes.filter((_, index) => (lacking >> index & 1) === 0).reduce((sum, size) => sum + size, 0);
    const sign = sizes.filter((_, index) => (lacking >> index & 1) === 1).length % 2 === 0 ? 1n : -1n;
    count += sign * BigInt(left) ** BigInt(length);
  }
  return count;
}

/** The logarithm of a number that may be too large for a double. */
function log2(value: bigint): number {
  const excess = Math.max(0, value.toString(2).length - 64);
  return Math.log2(Number(value >> BigInt(excess))) + excess;
}

function checkCount(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${what} must be a whole number from ${least} to ${most}, got ${value}`);
}
