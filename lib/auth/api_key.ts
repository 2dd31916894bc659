/**
 * The text of an API key: `coffer_`, 160 random bits, a checksum.
 *
 * Both are base32 (RFC 4648, section 6, in lower case, without padding): 32 characters for the bits, 7 for the CRC-32 of
 * what stands before. The prefix and the checksum let a scanner for leaked secrets find keys, and a program refuse a key
 * with a typing error, without asking anybody. A pattern for scanners is `coffer_[a-z2-7]{39}`.
 *
 * @module
 */
import { type Bytes, encodeUtf8, viewOf } from "../bytes.ts";
import { randomBytes, wipe } from "../crypto/random.ts";
import { crc32 } from "../storage/crc32.ts";

/** What every API key of coffer's begins with. */
export const API_KEY_PREFIX = "coffer_";

const RANDOM_SIZE = 20;
const CHECKSUM_SIZE = 4;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const FORM = /^coffer_[a-z2-7]{39}$/;

/** Draws an API key. */
export function newApiKey(): string {
  const random = randomBytes(RANDOM_SIZE);
  const body = API_KEY_PREFIX + encodeBase32(random);
  wipe(random);
  return body + checksum(body);
}

/**
 * Whether a text can be an API key of coffer's: it has the form, and the checksum is right. It says nothing about whether
 * such a key exists.
 *
 * @example
 * ```ts
 * import { isApiKey } from "@coffer/vault";
 *
 * console.assert(!isApiKey("coffer_with-a-typing-error"));
 * ```
 */
export function isApiKey(text: string): boolean {
  if (!FORM.test(text)) return false;
  const end = text.length - Math.ceil(CHECKSUM_SIZE * 8 / 5);
  return text.slice(end) === checksum(text.slice(0, end));
}

function checksum(body: string): string {
  const bytes = new Uint8Array(CHECKSUM_SIZE);
  viewOf(bytes).setUint32(0, crc32(encodeUtf8(body)), false);
  return encodeBase32(bytes);
}

function encodeBase32(bytes: Bytes): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >>> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}
