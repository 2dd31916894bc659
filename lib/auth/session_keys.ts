/**
 * Keys of session tokens: one for each vault key, and for a while the one before.
 *
 * @module
 */
import { type Bytes, decodeBase64, encodeBase64 } from "../bytes.ts";
import { hkdf } from "../crypto/hkdf.ts";
import { wipe } from "../crypto/random.ts";
import { CorruptVaultError } from "../errors.ts";
import { SESSION_LABEL } from "../sealed/labels.ts";
import type { RecordReader } from "../state/records.ts";

/** Longest life of a session, in seconds: 30 days. A new vault key lets tokens of the one before live so long at most. */
export const MAX_SESSION_LIFETIME = 30 * 24 * 60 * 60;

/** Where the session key of the vault key before stands. */
export const PREVIOUS_SESSION = { kind: "epoch", key: "previous-session" } as const;

const KEY_SIZE = 32;

/** The session key of an earlier vault key. */
export interface PreviousSessionKey {
  /** The epoch that it is of. */
  readonly epoch: number;
  /** 32 bytes. */
  readonly key: Bytes;
  /** Until when tokens under it may count, in milliseconds since 1970. */
  readonly until: number;
}

/** The session key of a vault key; the caller wipes it. */
export async function deriveSessionKey(vaultKey: Bytes, vaultId: Bytes): Promise<Bytes> {
  return await hkdf(vaultKey, vaultId, SESSION_LABEL);
}

/** The record that a new vault key leaves of the one before it. */
export async function encodePreviousSession(
  vaultKey: Bytes,
  vaultId: Bytes,
  epoch: number,
  now: number,
): Promise<string> {
  const key = await deriveSessionKey(vaultKey, vaultId);
  try {
    return JSON.stringify({ epoch, key: encodeBase64(key), until: now + MAX_SESSION_LIFETIME * 1000 });
  } finally {
    wipe(key);
  }
}

/** The session key before, while it counts. @throws {CorruptVaultError} when the record is not of its form */
export function previousSession(records: RecordReader, now: number): PreviousSessionKey | undefined {
  const json = records.get(PREVIOUS_SESSION.kind, PREVIOUS_SESSION.key);
  if (json === undefined) return undefined;
  try {
    const { epoch, key, until } = JSON.parse(json);
    const bytes = decodeBase64(key);
    if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(until) || bytes.length !== KEY_SIZE) {
      throw new RangeError();
    }
    return until > now ? { epoch, key: bytes, until } : undefined;
  } catch {
    throw new CorruptVaultError("the record of the session key before is not of its form");
  }
}
