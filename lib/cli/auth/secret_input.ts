/**
 * Passwords, keys and tokens from files, from stdin and from prompts; never from an argument.
 *
 * @module
 */
import { decodeUtf8 } from "../../bytes.ts";
import { MalformedCredentialError, NoCredentialError } from "../../errors.ts";
import { claimStdin, readFile, readStdin, STDIN } from "../files.ts";
import { warn } from "../output.ts";
import { askNewPassphrase, askPassphrase, canAsk } from "../terminal.ts";

const MAX_FILE_SIZE = 64 * 1024;

/** The text of a file, or of stdin, without the line end that editors put at its end. */
export async function readSecretText(path: string, purpose: string): Promise<string> {
  const { bytes, mode } = path === STDIN
    ? { bytes: await readStdin(MAX_FILE_SIZE), mode: undefined }
    : await readFile(path, purpose, MAX_FILE_SIZE);
  try {
    if (bytes.length > MAX_FILE_SIZE) {
      throw new MalformedCredentialError(`The ${purpose} has more than ${MAX_FILE_SIZE} bytes`);
    }
    if (Deno.build.os !== "windows" && mode !== undefined && (mode & 0o077) !== 0) {
      warn(`Other users can read the ${purpose} "${path}"; make it private: chmod 600`);
    }
    const line = decoded(bytes, purpose).replace(/\r?\n$/, "");
    if (line === "") throw new MalformedCredentialError(`The ${purpose} is empty`);
    return line;
  } finally {
    bytes.fill(0);
  }
}

function decoded(bytes: Uint8Array, purpose: string): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new MalformedCredentialError(`The ${purpose} is not valid UTF-8`);
  }
}

/** Says that a flag is read from stdin, where it is. */
export function claim(path: string | undefined, flag: string): void {
  if (path === STDIN) claimStdin(flag);
}

/** A text that a file or stdin holds: stdin where no file is named. */
export async function readGiven(path: string | undefined, purpose: string, flag = "--file"): Promise<string> {
  claimStdinFor(path, flag);
  return await readSecretText(path ?? STDIN, purpose);
}

function claimStdinFor(path: string | undefined, flag: string): void {
  if (path === undefined || path === STDIN) claimStdin(path === undefined ? "the command" : flag);
}

/** A password that exists already: from a file, else asked for. */
export async function readPassword(path: string | undefined, question: string): Promise<string> {
  if (path !== undefined) return await readSecretText(path, "password file");
  if (canAsk()) return await askPassphrase(question);
  throw new NoCredentialError({ hint: "Give the password with --password-file, or run on a terminal" });
}

/** A new password: from a file, else asked for twice. */
export async function readNewPassword(path: string | undefined): Promise<string> {
  if (path !== undefined) return await readSecretText(path, "password file");
  if (canAsk()) return await askNewPassphrase("password");
  throw new NoCredentialError({ hint: "Give the new password with --new-password-file, or run on a terminal" });
}
