/**
 * Files for the `age` program. The package is loaded only where one is written or read.
 *
 * @module
 */
import { type Bytes, decodeUtf8, encodeUtf8, equalBytes } from "../bytes.ts";
import { MalformedCredentialError, NoCredentialError, UsageError, WrongCredentialError } from "../errors.ts";
import { warn } from "./output.ts";
import { readFile } from "./files.ts";

/** How an age file begins, as it is and as text. */
const MAGICS = ["age-encryption.org/v1\n", "-----BEGIN AGE ENCRYPTED FILE-----"].map(encodeUtf8);
/** Most bytes of a file with identities. */
const MAX_IDENTITY_SIZE = 64 * 1024;

/** What opens an age file: a file with identities, or a passphrase. */
export type AgeCredential = { readonly identityFile: string } | { readonly passphrase: string };

/** Whether the bytes are those of an age file. */
export function isAge(bytes: Uint8Array): boolean {
  return MAGICS.some((magic) => equalBytes(bytes.subarray(0, magic.length), magic));
}

/**
 * Makes a function that encrypts for all of some age recipients.
 *
 * @throws {UsageError} when one is none; it stays out of the message, as it may be an identity in the wrong place
 */
export async function ageEncrypter(recipients: readonly string[]): Promise<(bytes: Uint8Array) => Promise<Uint8Array>> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw new UsageError("--to names no age recipient", {
        hint: "A recipient begins with age1; `age-keygen -y` shows it",
      });
    }
  }
  return async (bytes) => await encrypter.encrypt(bytes);
}

/** Makes a function that encrypts under a passphrase. */
export async function agePassphraseEncrypter(passphrase: string): Promise<(bytes: Uint8Array) => Promise<Uint8Array>> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  return async (bytes) => await encrypter.encrypt(bytes);
}

/** Whether an age file opens with a passphrase, and not with an identity. */
export async function wantsPassphrase(bytes: Uint8Array): Promise<boolean> {
  try {
    const head = (isBinary(bytes) ? bytes : await unarmored(bytes)).subarray(MAGICS[0]!.length);
    return decodeAscii(head.subarray(0, 16)).startsWith("-> scrypt ");
  } catch {
    return false;
  }
}

/**
 * Decrypts an age file that is a backup.
 *
 * @throws {NoCredentialError} without a file with identities @throws {MalformedCredentialError} when it holds none
 * @throws {WrongCredentialError} when none of them opens it, or it was changed or cut short
 */
export async function decryptAge(bytes: Uint8Array, identityFile: string | undefined): Promise<Bytes> {
  if (identityFile === undefined) {
    throw new NoCredentialError({
      hint: "The backup is encrypted for age: give the file with the identity, --identity",
    });
  }
  return await openAge(
    bytes,
    { identityFile },
    () => new WrongCredentialError({ hint: "The age identity does not open the backup, or the backup is damaged" }),
  );
}

/**
 * Decrypts an age file.
 *
 * @param refusal makes the error for a file that does not open
 * @throws {MalformedCredentialError} when the file with identities holds none
 */
export async function openAge(bytes: Uint8Array, credential: AgeCredential, refusal: () => Error): Promise<Bytes> {
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  if ("passphrase" in credential) decrypter.addPassphrase(credential.passphrase);
  else {
    for (const identity of await readIdentities(credential.identityFile)) {
      try {
        decrypter.addIdentity(identity);
      } catch {
        throw new MalformedCredentialError("The identity file holds a line that is no age identity");
      }
    }
  }
  try {
    return new Uint8Array(await decrypter.decrypt(isBinary(bytes) ? bytes : await unarmored(bytes)));
  } catch {
    // Why is the library's own wording, and would only say what was tried.
    throw refusal();
  }
}

function isBinary(bytes: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, MAGICS[0]!.length), MAGICS[0]!);
}

async function unarmored(bytes: Uint8Array): Promise<Uint8Array> {
  const { armor } = await import("age-encryption");
  return armor.decode(decodeUtf8(bytes));
}

function decodeAscii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** The identities of a file as `age-keygen` writes it: one a line, comments behind `#`. */
async function readIdentities(path: string): Promise<string[]> {
  const { bytes, mode } = await readFile(path, "identity file", MAX_IDENTITY_SIZE);
  if (Deno.build.os !== "windows" && mode !== undefined && (mode & 0o077) !== 0) {
    warn(`Other users can read the identity file "${path}"; make it private: chmod 600`);
  }
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/).map((line) => line.trim());
  bytes.fill(0);
  const identities = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (identities.length === 0) throw new MalformedCredentialError("The identity file holds no age identity");
  return identities;
}
