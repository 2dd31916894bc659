/**
 * Passwords as bytes that verifiers are made from.
 *
 * @module
 */
import { type Bytes, encodeUtf8 } from "../bytes.ts";
import { wipe } from "../crypto/random.ts";
import { InvalidPasswordError } from "./errors.ts";

/** Longest password, in bytes of UTF-8; PostgreSQL and its clients have the same limit. */
export const MAX_PASSWORD_SIZE = 1024;

const ASCII = /^[\0-\x7f]*$/;

/**
 * Refuses what cannot be a password, before any work.
 *
 * @throws {InvalidPasswordError} when it is empty, longer than {@linkcode MAX_PASSWORD_SIZE}, or no valid Unicode
 */
export function checkPassword(password: string): void {
  if (password === "") throw new InvalidPasswordError("it is empty");
  // A text has at least as many bytes as code units; the first look keeps a huge one from being encoded at all.
  const size = password.length > MAX_PASSWORD_SIZE ? password.length : encodeUtf8(password).length;
  if (size > MAX_PASSWORD_SIZE) throw new InvalidPasswordError(`it has more than ${MAX_PASSWORD_SIZE} bytes`);
  // Every lone surrogate would become U+FFFD, so that different passwords would be the same.
  if (!password.isWellFormed()) throw new InvalidPasswordError("it is no valid Unicode text");
}

/**
 * Hands the bytes of a new password to a function, and wipes them afterwards. They have the one form that all verifiers
 * share, so that one password fits every kind of them: prepared by SASLprep, or as it came where SASLprep refuses it or
 * leaves nothing of it. PostgreSQL's servers and clients do the same, and their verifiers depend on it.
 *
 * @throws {InvalidPasswordError}
 */
export async function withPassword<T>(password: string, use: (bytes: Bytes) => Promise<T>): Promise<T> {
  const bytes = encodeUtf8(await prepared(password));
  try {
    return await use(bytes);
  } finally {
    wipe(bytes);
  }
}

/**
 * Whether a password fits by one of its forms: the prepared one, or the one that was typed. Verifiers that came from
 * elsewhere may have been made of the latter: RedDB does not normalise passwords, nor do most who write PHC strings.
 * Both forms are tried whenever they differ and nothing fits, so what a failure costs depends on the password alone.
 *
 * @throws {InvalidPasswordError}
 */
export async function passwordFits(password: string, fits: (bytes: Bytes) => Promise<boolean>): Promise<boolean> {
  for (const form of new Set([await prepared(password), password])) {
    const bytes = encodeUtf8(form);
    try {
      if (await fits(bytes)) return true;
    } finally {
      wipe(bytes);
    }
  }
  return false;
}

async function prepared(password: string): Promise<string> {
  checkPassword(password);
  if (ASCII.test(password)) return password;
  const { saslprep } = await import("./saslprep.ts");
  return saslprep(password) || password;
}
