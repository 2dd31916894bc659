/**
 * The vault key and the keys that come from it.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { type AesKey, importAesKey, KEY_SIZE } from "../crypto/aes_gcm.ts";
import { hkdf } from "../crypto/hkdf.ts";
import { type HmacKey, importHmacKey } from "../crypto/hmac.ts";
import { randomBytes, wipe } from "../crypto/random.ts";
import { KEY_LABELS } from "./labels.ts";

/** The keys of one epoch, held by the platform; their raw bytes are wiped once they are imported. */
export interface VaultKeys {
  /** Seals segments. */
  readonly data: AesKey;
  /** Authenticates the meta. */
  readonly meta: HmacKey;
  /** Authenticates the anchor. */
  readonly anchor: HmacKey;
  /**
   * The vault key itself, exported only for the moment in which a new slot wraps it. It never encrypts anything.
   */
  readonly vault: CryptoKey;
}

/** Draws a vault key. */
export function newVaultKey(): Bytes {
  return randomBytes(KEY_SIZE);
}

/**
 * Derives the keys of an epoch. The vault key is uniformly random; the vault's id as salt keeps vaults apart.
 *
 * @param often whether they will be used often: they are then held by the runtime's synchronous crypto too
 */
export async function deriveKeys(vaultKey: Bytes, vaultId: Bytes, often = false): Promise<VaultKeys> {
  const [data, meta, anchor] = await Promise.all([
    hkdf(vaultKey, vaultId, KEY_LABELS.data),
    hkdf(vaultKey, vaultId, KEY_LABELS.meta),
    hkdf(vaultKey, vaultId, KEY_LABELS.anchor),
  ]);
  try {
    return {
      data: await importAesKey(data, often),
      meta: await importHmacKey(meta, often),
      anchor: await importHmacKey(anchor, often),
      vault: await crypto.subtle.importKey("raw", vaultKey, "AES-GCM", true, ["encrypt"]),
    };
  } finally {
    wipe(data, meta, anchor);
  }
}

/** The raw anchor key of an epoch; the caller wipes it. */
export async function deriveAnchorKey(vaultKey: Bytes, vaultId: Bytes): Promise<Bytes> {
  return await hkdf(vaultKey, vaultId, KEY_LABELS.anchor);
}

/** Hands the raw vault key to a function and wipes it afterwards. */
export async function withVaultKey<T>(keys: VaultKeys, use: (vaultKey: Bytes) => Promise<T>): Promise<T> {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", keys.vault));
  try {
    return await use(raw);
  } finally {
    wipe(raw);
  }
}
