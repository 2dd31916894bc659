/**
 * The keys of SCRAM-SHA-256 (RFC 5802, section 3; RFC 7677).
 *
 * @module
 */
import { type Bytes, encodeUtf8 } from "../bytes.ts";
import { hmac, importHmacKey } from "./hmac.ts";
import { pbkdf2 } from "./pbkdf2.ts";
import { wipe } from "./random.ts";
import { sha256 } from "./sha256.ts";

const CLIENT_KEY = encodeUtf8("Client Key");
const SERVER_KEY = encodeUtf8("Server Key");

/** What a server keeps of a password; neither lets it act as a client. */
export interface ScramKeys {
  /** 32 bytes that a client's proof is held against. */
  readonly storedKey: Bytes;
  /** 32 bytes that the server proves itself with. */
  readonly serverKey: Bytes;
}

/** Derives a server's keys. The password is taken as it is: normalising it is the caller's part, as is wiping it. */
export async function deriveScramKeys(
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramKeys> {
  const salted = await pbkdf2(password, salt, iterations);
  const key = await importHmacKey(salted);
  const clientKey = await hmac(key, CLIENT_KEY);
  const keys = { storedKey: await sha256(clientKey), serverKey: await hmac(key, SERVER_KEY) };
  // Either of these would let whoever reads it log in as the user.
  wipe(salted, clientKey);
  return keys;
}
