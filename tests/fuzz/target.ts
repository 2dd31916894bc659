/**
 * What is fuzzed: decoders, and how their inputs come to be.
 *
 * @module
 */
import type { Arbitrary } from "fast-check";
import { type Bytes, encodeUtf8 } from "../../lib/bytes.ts";

/** A class of errors. */
// deno-lint-ignore no-explicit-any -- constructors take what they take
export type ErrorClass = abstract new (...args: any) => Error;

/** One decoder. Targets stand in tables: `targets/*.ts`. */
export interface Target<T = unknown> {
  /** Names the target in reports, in `COFFER_FUZZ` and in the corpus. */
  readonly name: string;
  /** Sound inputs, which are what is mutated first. */
  readonly seeds: readonly Bytes[] | (() => Promise<readonly Bytes[]>);
  /** Decodes an input, or throws one of the errors in `allowed`. It may check more of what came out. */
  readonly decode: (input: Bytes) => T | Promise<T>;
  /** The classes of errors that it may throw. */
  readonly allowed: readonly ErrorClass[];
  /** Encodes what was decoded; the same bytes must come back. */
  readonly encode?: (value: T) => Bytes | undefined | Promise<Bytes | undefined>;
  /** Where texts may stand for the same: what was decoded as bytes which must decode to the same value again. */
  readonly again?: (value: T) => Bytes | Promise<Bytes>;
  /** Makes checksums, digests and tags fit again, so that what lies behind them is reached. Every other input gets it. */
  readonly mend?: (input: Bytes) => Bytes | Promise<Bytes>;
  /** Sound values, encoded: drawn in the place of a seed now and then. */
  readonly values?: Arbitrary<Bytes | Promise<Bytes>>;
  /** Brings every input into the one form that stands for what is meant. */
  readonly normal?: (input: Bytes) => Bytes;
  /** Words of the format, put in where chance says so. For text. */
  readonly words?: readonly string[];
  /** Cuts pages of this size out of inputs, and swaps them. */
  readonly unit?: number;
  /** Longest input that is tried, in bytes. @default {65536} */
  readonly most?: number;
  /** How much dearer than others one input is: so many times fewer are tried. @default {1} */
  readonly cost?: number;
}

/** Declares a target with the type of what it decodes kept together. */
export function target<T>(definition: Target<T>): Target {
  return definition as unknown as Target;
}

/** A target whose inputs are text. */
export function textTarget<T>(
  definition: Omit<Target<T>, "seeds" | "decode" | "encode" | "again" | "values"> & {
    readonly seeds: readonly string[];
    readonly decode: (text: string) => T | Promise<T>;
    readonly encode?: (value: T) => string | undefined;
    readonly again?: (value: T) => string;
    readonly values?: Arbitrary<string>;
  },
): Target {
  const { seeds, decode, encode, again, values, ...rest } = definition;
  return target<T>({
    ...rest,
    seeds: seeds.map(bytesOfText),
    normal: (input) => bytesOfText(textOfBytes(input)),
    decode: (input) => decode(textOfBytes(input)),
    ...(encode === undefined ? {} : {
      encode: (value) => {
        const text = encode(value);
        return text === undefined ? undefined : bytesOfText(text);
      },
    }),
    ...(again === undefined ? {} : { again: (value) => bytesOfText(again(value)) }),
    ...(values === undefined ? {} : { values: values.map(bytesOfText) }),
  });
}

/** How far lone surrogates are moved, so that bytes of UTF-8 can stand for any text of the language. */
const SURROGATES = { from: 0xd800, to: 0xe000, places: 0x800 } as const;

/** The text that bytes stand for. What is no UTF-8 becomes U+FFFD, U+E000 to U+E7FF become lone surrogates. */
export function textOfBytes(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replace(
    /[\ue000-\ue7ff]/g,
    (character) => String.fromCharCode(character.charCodeAt(0) - SURROGATES.to + SURROGATES.from),
  );
}

/** The bytes that stand for a text; the other way round, the same text comes back. */
export function bytesOfText(text: string): Bytes {
  return encodeUtf8(
    text.replace(
      /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      (character) => String.fromCharCode(character.charCodeAt(0) - SURROGATES.from + SURROGATES.to),
    ),
  );
}
