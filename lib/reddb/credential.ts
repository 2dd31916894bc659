/**
 * What opens a RedDB vault, and the key that is derived from it.
 *
 * @module
 */
import { type Bytes, decodeHex, encodeUtf8 } from "../bytes.ts";
import { type AesKey, importAesKey } from "../crypto/aes_gcm.ts";
import { argon2id } from "../crypto/argon2.ts";
import { wipe } from "../crypto/random.ts";
import { ConflictingCredentialsError } from "../errors.ts";
import { RedDbNoKeyError } from "./errors.ts";
import { CERTIFICATE_SIZE } from "./key_pair.ts";

/** A credential as a caller gives it: one of the two. */
export interface CredentialInput {
  /** Text, or its bytes in UTF-8. */
  readonly passphrase?: string | Uint8Array;
  /** 64 hex digits, or 32 bytes. */
  readonly certificate?: string | Uint8Array;
}

/** A credential as it is used. The bytes are a copy of their own, to be wiped. */
export interface RedDbCredential {
  /** Which of the two it is. */
  readonly kind: "passphrase" | "certificate";
  /** The secret bytes. */
  readonly secret: Bytes;
}

/** Size of a salt, in bytes. */
export const SALT_SIZE = 16;

/** The derivation is fixed by the format: 16 MiB, 3 passes, 1 lane. */
const KDF = { memory: 16 * 1024, passes: 3, lanes: 1 };
/** A certificate is random already; the format gives all of them one salt. */
const CERTIFICATE_SALT = encodeUtf8("reddb-vault-seal");

/**
 * Takes a credential as a caller gave it; undefined when there is none.
 *
 * @throws {ConflictingCredentialsError} when both are given @throws {RedDbNoKeyError} for a malformed certificate
 */
export function takeCredential(input: CredentialInput = {}): RedDbCredential | undefined {
  const { passphrase, certificate } = input;
  if (passphrase !== undefined && certificate !== undefined) {
    throw new ConflictingCredentialsError(["passphrase", "certificate"]);
  }
  if (certificate !== undefined) return { kind: "certificate", secret: certificateBytes(certificate) };
  if (passphrase === undefined || passphrase.length === 0) return undefined;
  const secret = typeof passphrase === "string" ? encodeUtf8(passphrase) : new Uint8Array(passphrase);
  return { kind: "passphrase", secret };
}

/** The same, for callers that can do nothing without one. @throws {RedDbNoKeyError} */
export function requireCredential(input?: CredentialInput): RedDbCredential {
  const credential = takeCredential(input);
  if (credential === undefined) throw new RedDbNoKeyError();
  return credential;
}

/** The 32 bytes that a vault or an export with this salt is sealed with; the caller wipes them. */
export async function deriveKeyBytes({ kind, secret }: RedDbCredential, salt: Uint8Array): Promise<Bytes> {
  return await argon2id(secret, kind === "certificate" ? CERTIFICATE_SALT : new Uint8Array(salt), KDF);
}

/** The key that a vault or an export with this salt is sealed with. Takes tens of milliseconds. */
export async function deriveKey(credential: RedDbCredential, salt: Uint8Array): Promise<AesKey> {
  const raw = await deriveKeyBytes(credential, salt);
  const key = await importAesKey(raw);
  wipe(raw);
  return key;
}

function certificateBytes(certificate: string | Uint8Array): Bytes {
  let bytes: Bytes | undefined;
  try {
    bytes = typeof certificate === "string" ? decodeHex(certificate) : new Uint8Array(certificate);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (bytes?.length === CERTIFICATE_SIZE) return bytes;
  throw new RedDbNoKeyError(`The certificate is not ${CERTIFICATE_SIZE * 2} hex digits`, {
    hint: "Give the certificate as bootstrapping showed it",
  });
}
