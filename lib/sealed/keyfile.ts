/**
 * Key files: 32 random bytes as two lines of text, or any file of enough bytes that the user brings.
 *
 * @module
 */
import { type Bytes, decodeHex, encodeHex, encodeUtf8 } from "../bytes.ts";
import { randomBytes, wipe } from "../crypto/random.ts";
import { MalformedCredentialError } from "../errors.ts";

const MAGIC = "COFFER-KEYFILE-";
const FIRST_LINE = `${MAGIC}1\n`;
/** Size of the key in a key file that coffer made, in bytes. */
const KEY_SIZE = 32;
/** Fewest bytes of a key file that the user brings. They must be random: no slow derivation protects them. */
export const MIN_KEY_FILE_SIZE = 32;
/** Most bytes of a key file. */
export const MAX_KEY_FILE_SIZE = 64 * 1024;

/** The contents of a new key file: a line with magic and version, a line of hex. */
export function newKeyFile(): Bytes {
  const key = randomBytes(KEY_SIZE);
  const contents = encodeUtf8(`${FIRST_LINE}${encodeHex(key)}\n`);
  wipe(key);
  return contents;
}

/**
 * The secret in a key file's contents: the key of a file that coffer made, all bytes of another file.
 *
 * @throws {MalformedCredentialError} when it is too short, too long, or begins as coffer's and is not whole
 * @throws {TypeError} when it is no bytes, such as a file that was read as text
 */
export function parseKeyFile(contents: Uint8Array): Bytes {
  if (!(contents instanceof Uint8Array)) throw new TypeError("The contents of a key file are bytes, not text");
  if (!startsWith(contents, encodeUtf8(MAGIC))) {
    if (contents.length < MIN_KEY_FILE_SIZE || contents.length > MAX_KEY_FILE_SIZE) {
      throw new MalformedCredentialError(
        `A key file has ${MIN_KEY_FILE_SIZE} to ${MAX_KEY_FILE_SIZE} bytes, got ${contents.length}`,
      );
    }
    return new Uint8Array(contents);
  }
  const text = new TextDecoder().decode(contents);
  const match = /^COFFER-KEYFILE-1\n([0-9a-f]{64})\n?$/.exec(text);
  if (match === null) throw new MalformedCredentialError("The key file is damaged, or of a later version");
  return decodeHex(match[1]!);
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, index) => bytes[index] === byte);
}
