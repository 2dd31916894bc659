/**
 * The record of failed tries to open a vault, as bytes, and how long it makes the next try wait.
 *
 * | offset | size | field                                                            |
 * |--------|------|------------------------------------------------------------------|
 * | 0      | 8    | magic `COFFERAT`                                                 |
 * | 8      | 4    | version, 1                                                       |
 * | 12     | 4    | failures since the last success                                  |
 * | 16     | 16   | vault id                                                         |
 * | 32     | 8    | time of the last failure, in milliseconds since 1970; 0 if none  |
 * | 40     | 4    | failures that the audit log does not tell of yet                 |
 * | 44     | 4    | zero                                                             |
 * | 48     | 32   | SHA-256 of the 48 bytes before                                   |
 *
 * The digest finds damage, not forgery: nobody has a key before the vault is open. Whoever may write the file may reset
 * it, and may as well copy the vault and guess elsewhere, where only Argon2id slows them down.
 *
 * @module
 */
import { type Bytes, encodeUtf8, equalBytes, isZero, readU64, viewOf, writeU64 } from "../bytes.ts";
import { DIGEST_SIZE, sha256 } from "../crypto/sha256.ts";
import { ID_SIZE } from "./meta.ts";

/** Size of a record, in bytes: it fits a sector, so that a disk writes it whole or not at all. */
export const ATTEMPTS_SIZE = 80;
/** The version that this code writes and reads. */
export const ATTEMPTS_VERSION = 1;
/** So many failures cost no wait. The next try after this many waits {@linkcode FIRST_DELAY}. */
export const FREE_FAILURES = 5;
/** The first wait, in milliseconds; each further failure doubles it. */
export const FIRST_DELAY = 1_000;
/** The longest wait, in milliseconds. */
export const LONGEST_DELAY = 15 * 60 * 1_000;
/** What a damaged record counts as: a wait of 32 s, which a user bears and a guesser feels. */
export const DAMAGED_FAILURES = 10;

const MAGIC = encodeUtf8("COFFERAT");
const MAX_U32 = 0xffff_ffff;

/** Where the fields are. */
const AT = { magic: 0, version: 8, failures: 12, vaultId: 16, last: 32, unlogged: 40, zero: 44, digest: 48 } as const;

/** What is known of failed tries to open one vault. */
export interface AttemptsRecord {
  /** The vault that it belongs to, 16 bytes. */
  readonly vaultId: Uint8Array;
  /** Failures since the last success. */
  readonly failures: number;
  /** Time of the last failure, in milliseconds since 1970. */
  readonly last: number;
  /** Failures that the audit log does not tell of yet. A success does not reset them. */
  readonly unlogged: number;
}

/** What bytes are, when they are no record of this version. */
export type NoRecord = { readonly status: "damaged" } | { readonly status: "version"; readonly version: number };

/** Encodes a record. */
export async function encodeAttempts(record: AttemptsRecord): Promise<Bytes> {
  const bytes = new Uint8Array(ATTEMPTS_SIZE);
  const view = viewOf(bytes);
  bytes.set(MAGIC, AT.magic);
  view.setUint32(AT.version, ATTEMPTS_VERSION, true);
  view.setUint32(AT.failures, record.failures, true);
  bytes.set(record.vaultId, AT.vaultId);
  writeU64(view, AT.last, record.last);
  view.setUint32(AT.unlogged, record.unlogged, true);
  bytes.set(await sha256(bytes.subarray(0, AT.digest)), AT.digest);
  return bytes;
}

/**
 * Decodes a record. A later version is told from damage when magic and digest, which ends a record of any version, are
 * right: a flipped bit must not lock anyone out for good.
 */
export async function decodeAttempts(
  bytes: Uint8Array,
): Promise<{ readonly status: "valid"; readonly record: AttemptsRecord } | NoRecord> {
  const end = bytes.length - DIGEST_SIZE;
  if (end < AT.failures || !equalBytes(bytes.subarray(AT.magic, AT.version), MAGIC)) return { status: "damaged" };
  if (!equalBytes(bytes.subarray(end), await sha256(bytes.subarray(0, end)))) return { status: "damaged" };
  const view = viewOf(bytes);
  const version = view.getUint32(AT.version, true);
  if (version > ATTEMPTS_VERSION) return { status: "version", version };
  if (version !== ATTEMPTS_VERSION || bytes.length !== ATTEMPTS_SIZE) return { status: "damaged" };
  const last = readU64(view, AT.last);
  if (last === undefined || !isZero(bytes.subarray(AT.zero, AT.digest))) return { status: "damaged" };
  const failures = view.getUint32(AT.failures, true);
  const unlogged = view.getUint32(AT.unlogged, true);
  const vaultId = bytes.slice(AT.vaultId, AT.vaultId + ID_SIZE);
  return { status: "valid", record: { vaultId, failures, last, unlogged } };
}

/** A vault's record before anything failed. */
export function noAttempts(vaultId: Uint8Array): AttemptsRecord {
  return { vaultId, failures: 0, last: 0, unlogged: 0 };
}

/**
 * What counts for a vault at a time, given the record that was found, or undefined where none could be made out.
 *
 * A record that is damaged, or of another vault, counts as {@linkcode DAMAGED_FAILURES} failures, the last of them now:
 * if it counted as none, to spoil it would be the way to go on guessing. A last failure that lies ahead means that the
 * clock was set back; it is moved to now, so that the whole wait counts from here and does pass. Both are only true once
 * they are written: else the wait would begin anew at each look.
 *
 * @param now in milliseconds since 1970
 */
export function settleAttempts(
  found: AttemptsRecord | undefined,
  vaultId: Uint8Array,
  now: number,
): AttemptsRecord {
  if (found === undefined || !equalBytes(found.vaultId, vaultId)) {
    return { vaultId, failures: DAMAGED_FAILURES, last: now, unlogged: DAMAGED_FAILURES };
  }
  return found.last > now ? { ...found, last: now } : found;
}

/** How long the next try has to wait, in milliseconds; 0 when it may be made. The whole wait when the clock was set back. */
export function retryAfter({ failures, last }: Pick<AttemptsRecord, "failures" | "last">, now: number): number {
  if (failures < FREE_FAILURES) return 0;
  const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - FREE_FAILURES));
  return now < last ? delay : Math.max(0, last + delay - now);
}

/** The record after one more failure. */
export function countFailure(record: AttemptsRecord, now: number): AttemptsRecord {
  return {
    ...record,
    failures: Math.min(MAX_U32, record.failures + 1),
    unlogged: Math.min(MAX_U32, record.unlogged + 1),
    last: now,
  };
}

/** The record after a success: nothing waits any more, and the log has still to be told. */
export function countSuccess(record: AttemptsRecord): AttemptsRecord {
  return { ...record, failures: 0, last: 0 };
}

/** The record once the audit log tells of so many failures. Those that came in the meantime stay. */
export function countLogged(record: AttemptsRecord, logged: number): AttemptsRecord {
  return { ...record, unlogged: Math.max(0, record.unlogged - logged) };
}
