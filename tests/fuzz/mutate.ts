/**
 * Changing inputs: by bits, by fields, by pages, by words.
 *
 * @module
 */
import { type Bytes, concat, viewOf } from "../../lib/bytes.ts";
import { bytesOfText, type Target, textOfBytes } from "./target.ts";

/** Numbers from 0 up to 1. */
export type Random = () => number;

/** Where numbers break: around powers of two, at the ends of ranges. */
const NUMBERS = [
  0n,
  1n,
  2n,
  15n,
  16n,
  17n,
  47n,
  48n,
  49n,
  63n,
  64n,
  127n,
  128n,
  255n,
  256n,
  4079n,
  4080n,
  4081n,
  4095n,
  4096n,
  4097n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x1_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_fffen,
  0xffff_ffffn,
  0x1_0000_0000n,
  8_640_000_000_000_000n,
  8_640_000_000_000_001n,
  0x1f_ffff_ffff_ffffn,
  0x20_0000_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_ffffn,
] as const;

/** What is put into text: ends of lines, what other programs obey, what looks like something else, what is no text. */
const WORDS = [
  "",
  "\n",
  "\r\n",
  "\t",
  "\0",
  " ",
  "\u00a0",
  "\u0085",
  "\ufeff",
  "\u200b",
  "\u202e",
  "é",
  "e\u0301",
  "ﬀ",
  "\u{1f511}",
  "\ud800",
  "\udc00",
  "null",
  "true",
  "{}",
  "[]",
  '""',
  "__proto__",
  "constructor",
  "-1",
  "-0",
  "0",
  "00",
  "1e3",
  "1.5",
  "NaN",
  "Infinity",
  "9007199254740991",
  "9007199254740992",
  "8640000000000001",
  "99999999999999999999999999999999999999999",
  "=",
  ",",
  ":",
  "$",
  "/",
  "\\",
  "'",
  '"',
  "*",
  "**",
  "[",
  "]",
  "--",
  "-",
] as const;

/** A whole number below `end`. */
export function below(random: Random, end: number): number {
  return Math.floor(random() * end);
}

/** One of some things. */
export function oneOf<T>(random: Random, things: readonly T[]): T {
  return things[below(random, things.length)]!;
}

/** An input that came of some others, by one to a few changes. */
export function mutate(random: Random, pool: readonly Bytes[], target: Target): Bytes {
  let bytes = oneOf(random, pool).slice();
  // Most often one change: two at once seldom get past the first check.
  const changes = random() < 0.6 ? 1 : 1 + below(random, 6);
  for (let i = 0; i < changes; i++) {
    const kinds = target.words === undefined ? BINARY : random() < 0.8 ? TEXT : BINARY;
    const paged = target.unit !== undefined && random() < 0.3;
    bytes = paged ? mutatePages(random, bytes, pool, target.unit) : oneOf(random, kinds)(random, bytes, pool, target);
  }
  return bytes.subarray(0, target.most ?? 65_536);
}

type Mutation = (random: Random, bytes: Bytes, pool: readonly Bytes[], target: Target) => Bytes;

/** Replaces a run of bytes. */
function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Bytes {
  return concat(bytes.subarray(0, at), added, bytes.subarray(at + removed));
}

const BINARY: readonly Mutation[] = [
  function flipBit(random, bytes) {
    if (bytes.length > 0) bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
    return bytes;
  },
  function setByte(random, bytes) {
    if (bytes.length > 0) {
      bytes[below(random, bytes.length)] = oneOf(random, [0, 1, 0x7f, 0x80, 0xff, below(random, 256)]);
    }
    return bytes;
  },
  setField,
  setField,
  function addToField(random, bytes) {
    const size = oneOf(random, [1, 2, 4, 8]);
    if (bytes.length < size) return bytes;
    const at = fieldAt(random, bytes.length, size);
    const by = BigInt(below(random, 9) - 4);
    writeField(bytes, at, size, readField(bytes, at, size) + by);
    return bytes;
  },
  function copyField(random, bytes) {
    const size = oneOf(random, [2, 4, 8, 16, 24]);
    if (bytes.length < 2 * size) return bytes;
    const from = fieldAt(random, bytes.length, size);
    bytes.copyWithin(fieldAt(random, bytes.length, size), from, from + size);
    return bytes;
  },
  function fill(random, bytes) {
    const at = below(random, bytes.length + 1);
    return bytes.fill(oneOf(random, [0, 0xff]), at, at + below(random, 33));
  },
  function cutOut(random, bytes) {
    return spliced(bytes, below(random, bytes.length + 1), 1 + below(random, 40), new Uint8Array(0));
  },
  function putIn(random, bytes) {
    const added = new Uint8Array(1 + below(random, 40)).fill(below(random, 256));
    return spliced(bytes, below(random, bytes.length + 1), 0, added);
  },
  function cutOff(random, bytes) {
    return bytes.slice(0, below(random, bytes.length + 1));
  },
  function repeat(random, bytes) {
    const at = below(random, bytes.length + 1);
    const piece = bytes.slice(at, at + 1 + below(random, 200));
    return spliced(bytes, at, 0, piece);
  },
  function cross(random, bytes, pool) {
    const other = oneOf(random, pool);
    const at = below(random, Math.min(bytes.length, other.length) + 1);
    return concat(bytes.subarray(0, at), other.subarray(at));
  },
  function paste(random, bytes, pool) {
    const other = oneOf(random, pool);
    const from = below(random, other.length + 1);
    const piece = other.subarray(from, from + below(random, 64));
    return spliced(bytes, below(random, bytes.length + 1), random() < 0.5 ? piece.length : 0, piece);
  },
];

const TEXT: readonly Mutation[] = [
  function putInWord(random, bytes, _pool, target) {
    return edited(bytes, (text) => {
      const at = below(random, text.length + 1);
      const word = oneOf(random, random() < 0.5 ? WORDS : target.words!);
      return text.slice(0, at) + word + text.slice(at + (random() < 0.5 ? 0 : below(random, 8)));
    });
  },
  function replaceToken(random, bytes, pool, target) {
    return edited(bytes, (text) => {
      const tokens = text.split(/([^A-Za-z0-9+\-._]+)/);
      const other = textOfBytes(oneOf(random, pool)).split(/([^A-Za-z0-9+\-._]+)/);
      const words = oneOf<readonly string[]>(random, [WORDS, target.words!, other]);
      if (words.length > 0) tokens[below(random, tokens.length)] = oneOf(random, words);
      return tokens.join("");
    });
  },
  function repeatToken(random, bytes) {
    return edited(bytes, (text) => {
      const tokens = text.split(/([,:$\t\n ]+)/);
      const at = below(random, tokens.length);
      const times = random() < 0.1 ? 1 + below(random, 300) : 1;
      return [...tokens.slice(0, at + 1), ...Array(times).fill(tokens[at]), ...tokens.slice(at + 1)].join("");
    });
  },
  function dropToken(random, bytes) {
    return edited(
      bytes,
      (text) => text.split(/([,:$\t\n ]+)/).toSpliced(below(random, text.length + 1) % 20, 1).join(""),
    );
  },
  function changeNumber(random, bytes) {
    return edited(bytes, (text) => {
      const numbers = [...text.matchAll(/[0-9]+/g)];
      if (numbers.length === 0) return text;
      const { index, 0: digits } = oneOf(random, numbers);
      return text.slice(0, index) + oneOf(random, NUMBERS) + text.slice(index + digits.length);
    });
  },
  function changeCase(random, bytes) {
    return edited(bytes, (text) => {
      const at = below(random, text.length + 1);
      const end = at + 1 + below(random, 8);
      const part = text.slice(at, end);
      return text.slice(0, at) + (random() < 0.5 ? part.toUpperCase() : part.toLowerCase()) + text.slice(end);
    });
  },
  function changeJson(random, bytes) {
    return edited(bytes, (text) => {
      try {
        return JSON.stringify(changedJson(random, JSON.parse(text)));
      } catch {
        return text;
      }
    });
  },
];

/** What may stand anywhere in JSON. */
const JSON_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  -0,
  1e300,
  Number.MAX_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER + 1,
  8.64e15,
  8.64e15 + 1,
  "",
  "text",
  "AA==",
  "\ud800",
  "\n",
  [],
  [null],
  [[]],
  {},
  { a: null },
];

function changedJson(random: Random, value: unknown): unknown {
  if (random() < 0.15 || typeof value !== "object" || value === null) return oneOf(random, JSON_VALUES);
  if (Array.isArray(value)) {
    const copy = [...value];
    const at = below(random, copy.length + 1);
    const kind = random();
    if (kind < 0.3) copy.splice(at, 1);
    else if (kind < 0.5) copy.splice(at, 0, copy[0] ?? oneOf(random, JSON_VALUES));
    else copy[at] = changedJson(random, copy[at]);
    return copy;
  }
  const entries = Object.entries(value);
  const at = below(random, entries.length + 1);
  const [name = "more", inner] = entries[at] ?? [];
  if (random() < 0.25) return Object.fromEntries(entries.filter((_, index) => index !== at));
  return { ...value, [name]: changedJson(random, inner) };
}

function edited(bytes: Bytes, edit: (text: string) => string): Bytes {
  return bytesOfText(edit(textOfBytes(bytes)));
}

function setField(random: Random, bytes: Bytes): Bytes {
  const size = oneOf(random, [1, 2, 4, 8]);
  if (bytes.length >= size) writeField(bytes, fieldAt(random, bytes.length, size), size, oneOf(random, NUMBERS));
  return bytes;
}

/** Most fields begin where a multiple of their size, or of four, is; and most of them near the start. */
function fieldAt(random: Random, length: number, size: number): number {
  const most = length - size;
  const at = below(random, (random() < 0.5 ? Math.min(most, 256) : most) + 1);
  return random() < 0.7 ? at - at % Math.min(size, 4) : at;
}

function readField(bytes: Bytes, at: number, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!);
  return value;
}

function writeField(bytes: Bytes, at: number, size: number, value: bigint): void {
  const whole = new Uint8Array(8);
  viewOf(whole).setBigUint64(0, BigInt.asUintN(64, value), true);
  bytes.set(whole.subarray(0, size), at);
}

/** Swaps, repeats, wipes, drops pages, or takes one of another input. */
function mutatePages(random: Random, bytes: Bytes, pool: readonly Bytes[], unit: number): Bytes {
  const count = Math.ceil(bytes.length / unit);
  if (count === 0) return bytes;
  const page = (source: Bytes, number: number) => source.slice(number * unit, (number + 1) * unit);
  const [one, other] = [below(random, count), below(random, count)];
  switch (below(random, 5)) {
    case 0: {
      const [first, second] = [page(bytes, one), page(bytes, other)];
      return spliced(spliced(bytes, one * unit, unit, second), other * unit, unit, first);
    }
    case 1:
      return spliced(bytes, one * unit, unit, page(bytes, other));
    case 2:
      return spliced(bytes, one * unit, unit, new Uint8Array(unit));
    case 3:
      return spliced(bytes, one * unit, unit, new Uint8Array(0));
    default: {
      const source = oneOf(random, pool);
      return spliced(bytes, one * unit, unit, page(source, below(random, Math.ceil(source.length / unit) || 1)));
    }
  }
}
