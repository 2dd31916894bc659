/**
 * The secret that logins and API keys are kept under.
 *
 * It is random and lies sealed in the state, instead of coming from the vault key by a label: the vault keeps a hash of an
 * API key and never the key, so what it is hashed under has to outlive a new vault key. For the challenge of an unknown
 * user the same holds: it must not change when those of real users do not.
 *
 * @module
 */
import { type Bytes, decodeBase64, encodeBase64 } from "../bytes.ts";
import { hkdf } from "../crypto/hkdf.ts";
import { type HmacKey, importHmacKey } from "../crypto/hmac.ts";
import { randomBytes, wipe } from "../crypto/random.ts";
import { CorruptVaultError } from "../errors.ts";
import { AUTH_LABELS } from "../sealed/labels.ts";
import type { RecordReader, RecordWriter } from "../state/records.ts";

/** Kind of the records that hold what concerns all users. */
export const AUTH = "auth";

const SECRET_KEY = "secret";
const SECRET_SIZE = 32;

/** What the secret is used for. */
export interface AuthKeys {
  /** Hashes API keys. */
  readonly apiKey: HmacKey;
  /** Hashes the names under which failures are counted. */
  readonly failure: HmacKey;
  /** Makes the challenges of unknown users. */
  readonly decoy: Bytes;
}

/** Keys by the JSON text that they came from: the text is the same for the life of a vault. */
const KNOWN = new WeakMap<object, { readonly json: string; readonly keys: Promise<AuthKeys> }>();

/** Makes sure that there is a secret. */
export function ensureAuthSecret(records: RecordWriter): void {
  if (records.get(AUTH, SECRET_KEY) !== undefined) return;
  const secret = randomBytes(SECRET_SIZE);
  records.put(AUTH, SECRET_KEY, JSON.stringify(encodeBase64(secret)));
  wipe(secret);
}

/**
 * The keys of an open vault; undefined before there is a secret.
 *
 * @param vault what they are remembered for, such as the engine
 * @throws {CorruptVaultError} when the record is not of its form
 */
export async function authKeys(vault: object, records: RecordReader): Promise<AuthKeys | undefined> {
  const json = records.get(AUTH, SECRET_KEY);
  if (json === undefined) return undefined;
  const known = KNOWN.get(vault);
  if (known?.json === json) return await known.keys;
  const keys = deriveAuthKeys(json);
  KNOWN.set(vault, { json, keys });
  return await keys;
}

async function deriveAuthKeys(json: string): Promise<AuthKeys> {
  const secret = decodeSecret(json);
  const none = new Uint8Array(0);
  const [apiKey, failure, decoy] = await Promise.all([
    hkdf(secret, none, AUTH_LABELS.apiKey),
    hkdf(secret, none, AUTH_LABELS.failure),
    hkdf(secret, none, AUTH_LABELS.decoy),
  ]);
  try {
    return { apiKey: await importHmacKey(apiKey, true), failure: await importHmacKey(failure, true), decoy };
  } finally {
    wipe(secret, apiKey, failure);
  }
}

function decodeSecret(json: string): Bytes {
  try {
    const secret = decodeBase64(JSON.parse(json));
    if (secret.length === SECRET_SIZE) return secret;
  } catch { /* No JSON, no text or no base64: it is not of its form. */ }
  throw new CorruptVaultError("the record of the secret of logins is not of its form");
}
