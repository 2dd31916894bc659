/**
 * The text that snapshots and deltas are made of (`docs/format.md`, section 7).
 *
 * One line a record, ended by a line feed: `+kind TAB key TAB json` sets a record, `-kind TAB key` removes one. Neither
 * keys nor JSON text hold a raw tab or line feed, so nothing is escaped and lines are cut by searching for two bytes.
 *
 * @module
 */
import { type Bytes, concat } from "../bytes.ts";
import { CorruptVaultError } from "../errors.ts";

/** How much text is gathered before it is turned into bytes: enough to make few calls, too little to matter. */
const TEXT_BATCH = 128 * 1024;
const ENCODER = new TextEncoder();

/** A change as read from a line: null removes. */
export type Line = readonly [kind: string, key: string, json: string | null];

/**
 * Encodes records or changes, in order, into pieces of exactly `size` bytes, the last one excepted.
 * Gives one empty piece when there are none.
 */
export function* encodeLines(lines: Iterable<Line>, size: number): Generator<Bytes> {
  let parts: Bytes[] = [];
  let filled = 0;
  let none = true;
  for (const text of batches(lines)) {
    for (let bytes = ENCODER.encode(text); bytes.length > 0;) {
      const part = bytes.subarray(0, size - filled);
      parts.push(part);
      filled += part.length;
      bytes = bytes.subarray(part.length);
      if (filled === size) {
        yield joined(parts);
        none = false;
        parts = [];
        filled = 0;
      }
    }
  }
  if (filled > 0 || none) yield joined(parts);
}

function joined(parts: readonly Bytes[]): Bytes {
  return parts.length === 1 ? parts[0]! : concat(...parts);
}

function* batches(lines: Iterable<Line>): Generator<string> {
  let text = "";
  for (const [kind, key, json] of lines) {
    text += json === null ? `-${kind}\t${key}\n` : `+${kind}\t${key}\t${json}\n`;
    if (text.length >= TEXT_BATCH) {
      yield text;
      text = "";
    }
  }
  if (text !== "") yield text;
}

/** Reads lines out of pieces of text that may end anywhere, also in the middle of a character. */
export class LineDecoder {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #snapshot: boolean;
  #rest = "";

  /** Starts at the beginning of a snapshot, where only records may stand, or of a delta. */
  constructor(kind: "snapshot" | "delta") {
    this.#snapshot = kind === "snapshot";
  }

  /**
   * Gives the lines that end in this piece.
   *
   * @throws {CorruptVaultError} when the text is not of the form
   */
  *push(chunk: Uint8Array): Generator<Line> {
    const text = this.#decode(chunk);
    let start = 0;
    for (let end; (end = text.indexOf("\n", start)) >= 0; start = end + 1) {
      if (this.#rest === "") yield this.#parse(text, start, end);
      else {
        // The rest grows piece by piece without being searched again: long values stay linear.
        const line = this.#rest + text.slice(start, end);
        this.#rest = "";
        yield this.#parse(line, 0, line.length);
      }
    }
    this.#rest += text.slice(start);
  }

  /**
   * Says that no more will come.
   *
   * @throws {CorruptVaultError} when a line is not finished
   */
  end(): void {
    if (this.#rest !== "") throw malformed();
    try {
      this.#decoder.decode();
    } catch {
      throw malformed();
    }
  }

  #decode(chunk: Uint8Array): string {
    try {
      return this.#decoder.decode(chunk, { stream: true });
    } catch {
      throw malformed();
    }
  }

  #parse(text: string, start: number, end: number): Line {
    const sign = text.charCodeAt(start);
    const kindEnd = text.indexOf("\t", start);
    if (kindEnd < 0 || kindEnd >= end) throw malformed();
    const kind = text.slice(start + 1, kindEnd);
    if (!KIND.test(kind)) throw malformed();
    let keyEnd = text.indexOf("\t", kindEnd + 1);
    if (keyEnd < 0 || keyEnd > end) keyEnd = end;
    if (keyEnd === kindEnd + 1) throw malformed();
    const key = text.slice(kindEnd + 1, keyEnd);
    if (sign === PLUS && keyEnd + 1 < end) return [kind, key, text.slice(keyEnd + 1, end)];
    if (sign === MINUS && keyEnd === end && !this.#snapshot) return [kind, key, null];
    throw malformed();
  }
}

const KIND = /^[a-z][a-z-]{0,31}$/;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** These bytes were authenticated, so this is a defect of whoever wrote them; their text stays out of the message. */
function malformed(): CorruptVaultError {
  return new CorruptVaultError("a record is not of its form");
}
