/**
 * Time-based one-time codes (RFC 6238, over HOTP of RFC 4226), as authenticator programs show them.
 *
 * @module
 */
import { type Bytes, viewOf } from "../bytes.ts";
import { MalformedOtpError } from "./errors.ts";

/** What codes are made from. */
export interface Totp {
  /** The shared secret. */
  readonly secret: Bytes;
  /** The hash below HMAC. */
  readonly algorithm: "SHA-1" | "SHA-256" | "SHA-512";
  /** How many digits a code has, 6 to 10. */
  readonly digits: number;
  /** How long a code holds, in seconds, 1 to 86400. */
  readonly period: number;
}

/** A code, and for how long it holds. */
export interface TotpCode {
  /** Digits, zeros at the start included. */
  readonly code: string;
  /** Seconds until the next one, at least 1. */
  readonly secondsLeft: number;
}

const ALGORITHMS = { SHA1: "SHA-1", SHA256: "SHA-256", SHA512: "SHA-512" } as const;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/**
 * Least digits of a secret without an address: 80 bits. RFC 4226, section 4, wants 128, and many services give 80. What is
 * shorter is more likely a password that happens to have no other signs.
 */
const MIN_BARE_DIGITS = 16;
/** Longest text that is looked at. */
const MAX_TEXT_LENGTH = 8192;

/**
 * Reads an `otpauth://totp/…` address, or a secret alone in base32, at least 16 characters of it, in any case, with or
 * without spaces and padding. What it does not say is as usual: SHA-1, 6 digits, 30 seconds.
 *
 * @throws {MalformedOtpError}
 */
export function parseTotp(text: string): Totp {
  const trimmed = text.trim();
  if (trimmed.length > MAX_TEXT_LENGTH) throw new MalformedOtpError("it is too long");
  if (!/^[a-z][a-z0-9+.-]*:/i.test(trimmed)) {
    return { secret: decodeBase32(trimmed, MIN_BARE_DIGITS), ...parameters(new URLSearchParams()) };
  }
  if (!/^otpauth:\/\//i.test(trimmed)) throw new MalformedOtpError("an address has to begin with otpauth://");
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch {
    // The platform's error holds the text.
    throw new MalformedOtpError("the address is not of its form");
  }
  if (url.hostname.toLowerCase() !== "totp") throw new MalformedOtpError("only codes by time (totp) can be made");
  const secret = url.searchParams.get("secret");
  if (secret === null) throw new MalformedOtpError("the address holds no secret");
  return { secret: decodeBase32(secret), ...parameters(url.searchParams) };
}

function parameters(given: URLSearchParams): Omit<Totp, "secret"> {
  const name = (given.get("algorithm") ?? "SHA1").toUpperCase().replace("-", "");
  if (!Object.hasOwn(ALGORITHMS, name)) throw new MalformedOtpError("the algorithm is not SHA1, SHA256 or SHA512");
  return {
    algorithm: ALGORITHMS[name as keyof typeof ALGORITHMS],
    digits: wholeNumber("number of digits", given.get("digits") ?? "6", 6, 10),
    period: wholeNumber("period", given.get("period") ?? "30", 1, 86_400),
  };
}

function wholeNumber(what: string, text: string, least: number, most: number): number {
  const value = /^[0-9]{1,6}$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) throw new MalformedOtpError(`the ${what} is not from ${least} to ${most}`);
  return value;
}

/**
 * The code that holds at a time.
 *
 * @param time milliseconds since 1970
 */
export async function totpCode({ secret, algorithm, digits, period }: Totp, time: number): Promise<TotpCode> {
  const seconds = Math.floor(time / 1000);
  const counter = new Uint8Array(8);
  viewOf(counter).setBigUint64(0, BigInt(Math.floor(seconds / period)));
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: algorithm }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, counter));
  // RFC 4226, section 5.3: four bytes at a place that the last four bits name, without the sign.
  const number = viewOf(mac).getUint32(mac.at(-1)! & 0xf) & 0x7fffffff;
  const code = String(number % 10 ** digits).padStart(digits, "0");
  return { code, secondsLeft: period - seconds % period };
}

/** Base32 (RFC 4648, section 6). Bits that are left over are ignored, as all such programs do. */
function decodeBase32(text: string, least = 1): Bytes {
  const digits = text.replace(/[\s-]/g, "").replace(/=+$/, "").toUpperCase();
  if (digits === "") throw new MalformedOtpError("it is empty");
  if ([1, 3, 6].includes(digits.length % 8)) throw new MalformedOtpError("its base32 is cut short");
  const bytes = new Uint8Array(Math.floor(digits.length * 5 / 8));
  let buffer = 0;
  let bits = 0;
  let size = 0;
  if (digits.length < least) {
    throw new MalformedOtpError(`without an otpauth:// address it needs ${least} characters of base32`);
  }
  for (const digit of digits) {
    const value = BASE32.indexOf(digit);
    if (value < 0) throw new MalformedOtpError("it is neither an otpauth:// address nor base32");
    buffer = (buffer << 5 | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[size++] = buffer >> bits & 0xff;
  }
  return bytes;
}
