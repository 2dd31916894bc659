/**
 * A state sealed as one piece of text, apart from any file: hex of `RDVX`, version, salt, nonce, ciphertext and tag.
 *
 * @module
 */
import { concat, decodeHex, encodeHex, encodeUtf8, equalBytes } from "../bytes.ts";
import { NONCE_SIZE, open, seal, TAG_SIZE } from "../crypto/aes_gcm.ts";
import { randomBytes, wipe } from "../crypto/random.ts";
import { RedDbCorruptError, RedDbDecryptionError } from "./errors.ts";
import { type CredentialInput, deriveKey, type RedDbCredential, requireCredential, SALT_SIZE } from "./credential.ts";
import { VaultState } from "./state.ts";

const MAGIC = encodeUtf8("RDVX");
const VERSION = 1;
const SALT_OFFSET = MAGIC.length + 1;
const SEALED_OFFSET = SALT_OFFSET + SALT_SIZE;
const AAD = encodeUtf8("reddb-vault-logical-export-v1");

/**
 * Seals a state as text, under a fresh salt.
 *
 * @throws {RedDbNoKeyError} @throws {InvalidMetadataError} when the state cannot be written
 */
export async function sealLogicalExport(state: VaultState, credential: CredentialInput): Promise<string> {
  const taken = requireCredential(credential);
  try {
    return await sealExport(state, taken);
  } finally {
    wipe(taken.secret);
  }
}

/**
 * Opens what {@linkcode sealLogicalExport}, or RedDB, made. White space around the text does not count.
 *
 * @throws {RedDbNoKeyError} @throws {RedDbCorruptError} when it is no export
 * @throws {RedDbDecryptionError} when the credential is another one, or the text was changed
 */
export async function unsealLogicalExport(text: string, credential: CredentialInput): Promise<VaultState> {
  const taken = requireCredential(credential);
  try {
    return await unsealExport(text, taken);
  } finally {
    wipe(taken.secret);
  }
}

/** Seals with a credential that is taken already. */
export async function sealExport(state: VaultState, credential: RedDbCredential): Promise<string> {
  const payload = state.serialize();
  try {
    const salt = randomBytes(SALT_SIZE);
    const sealed = await seal(await deriveKey(credential, salt), payload, AAD);
    return encodeHex(concat(MAGIC, Uint8Array.of(VERSION), salt, sealed));
  } finally {
    wipe(payload);
  }
}

/** Opens with a credential that is taken already. */
export async function unsealExport(text: string, credential: RedDbCredential): Promise<VaultState> {
  const bytes = decodeExport(text);
  const key = await deriveKey(credential, bytes.subarray(SALT_OFFSET, SEALED_OFFSET));
  const payload = await open(key, bytes.subarray(SEALED_OFFSET), AAD);
  if (payload === null) throw new RedDbDecryptionError();
  try {
    return VaultState.deserialize(payload);
  } finally {
    wipe(payload);
  }
}

function decodeExport(text: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = decodeHex(text.trim());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new RedDbCorruptError("the export is not hex");
  }
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) throw new RedDbCorruptError("this is no RDVX export");
  if (bytes.length < SEALED_OFFSET + NONCE_SIZE + TAG_SIZE) throw new RedDbCorruptError("the export is cut short");
  const version = bytes[MAGIC.length]!;
  if (version !== VERSION) {
    throw new RedDbCorruptError(`the export has version ${version}, this coffer reads version ${VERSION}`);
  }
  return bytes;
}
