/**
 * The key slot as bytes (`docs/format.md`, section 5).
 *
 * | offset | size | field                                                    |
 * |--------|------|----------------------------------------------------------|
 * | 0      | 1    | kind: 1 passphrase, 2 certificate, 3 recovery, 4 keyfile |
 * | 1      | 1    | length of the label                                      |
 * | 2      | 2    | zero                                                     |
 * | 4      | 4    | id, from 1                                               |
 * | 8      | 8    | created, in milliseconds since 1970                      |
 * | 16     | 4    | Argon2id memory in KiB; zero unless a passphrase         |
 * | 20     | 4    | Argon2id passes; zero unless a passphrase                |
 * | 24     | 4    | Argon2id lanes; zero unless a passphrase                 |
 * | 28     | 32   | label, UTF-8, then zeros                                 |
 * | 60     | 32   | salt                                                     |
 * | 92     | 60   | wrapped vault key: nonce 12, ciphertext 32, tag 16       |
 *
 * @module
 */
import { type Bytes, decodeUtf8, encodeUtf8, isZero, readU64, viewOf, writeU64 } from "../bytes.ts";
import type { Argon2Parameters } from "../crypto/argon2.ts";
import { KEY_SIZE, OVERHEAD } from "../crypto/aes_gcm.ts";
import { CorruptVaultError, InvalidMetadataError } from "../errors.ts";

/** Size of a slot, in bytes. */
export const SLOT_SIZE = 152;
/** Longest label, in bytes of UTF-8. */
export const MAX_LABEL_SIZE = 32;
/** Size of a salt, in bytes. */
export const SALT_SIZE = 32;
/** Bytes of a slot that come before the wrapped key and are authenticated with it. */
export const SLOT_HEAD_SIZE = 92;
/** Size of a wrapped vault key, in bytes. */
export const WRAPPED_SIZE = KEY_SIZE + OVERHEAD;

/** The kinds of credential, in the order of their numbers from 1. */
export const SLOT_KINDS = ["passphrase", "certificate", "recovery", "keyfile"] as const;

/** A kind of credential. */
export type SlotKind = typeof SLOT_KINDS[number];

/** The vault key, wrapped for one credential. */
export interface Slot {
  /** Number by which users name the slot, from 1. */
  readonly id: number;
  /** What opens it. */
  readonly kind: SlotKind;
  /** The user's own words, at most 32 bytes. */
  readonly label: string;
  /** When it was made, in milliseconds since 1970. */
  readonly created: number;
  /** Cost of a passphrase; absent for the other kinds. */
  readonly kdf?: Argon2Parameters;
  /** Random, 32 bytes. */
  readonly salt: Bytes;
  /** The wrapped vault key, 60 bytes. */
  readonly wrapped: Bytes;
}

/**
 * Returns the label when it fits a slot.
 *
 * @throws {InvalidMetadataError}
 */
export function checkLabel(label: string): string {
  if (!label.isWellFormed() || /\p{Cc}/u.test(label)) {
    throw new InvalidMetadataError("label", "it is not printable text");
  }
  if (label.length > MAX_LABEL_SIZE || encodeUtf8(label).length > MAX_LABEL_SIZE) {
    throw new InvalidMetadataError("label", `it is longer than ${MAX_LABEL_SIZE} bytes`);
  }
  return label;
}

/** Encodes a slot. */
export function encodeSlot(slot: Slot): Bytes {
  const bytes = new Uint8Array(SLOT_SIZE);
  const view = viewOf(bytes);
  const label = encodeUtf8(checkLabel(slot.label));
  bytes[0] = SLOT_KINDS.indexOf(slot.kind) + 1;
  bytes[1] = label.length;
  view.setUint32(4, slot.id, true);
  writeU64(view, 8, slot.created);
  view.setUint32(16, slot.kdf?.memory ?? 0, true);
  view.setUint32(20, slot.kdf?.passes ?? 0, true);
  view.setUint32(24, slot.kdf?.lanes ?? 0, true);
  bytes.set(label, 28);
  bytes.set(slot.salt, 60);
  bytes.set(slot.wrapped, SLOT_HEAD_SIZE);
  return bytes;
}

/**
 * Decodes a slot, or gives null for an unused one. Costs are not judged here: see `kdf_limits.ts`.
 *
 * @throws {CorruptVaultError} when the bytes are not of the form
 */
export function decodeSlot(bytes: Uint8Array): Slot | null {
  if (isZero(bytes)) return null;
  const view = viewOf(bytes);
  const kind = SLOT_KINDS[bytes[0]! - 1];
  const labelSize = bytes[1]!;
  const id = view.getUint32(4, true);
  const created = readU64(view, 8);
  const kdf = { memory: view.getUint32(16, true), passes: view.getUint32(20, true), lanes: view.getUint32(24, true) };
  const sound = bytes.length === SLOT_SIZE && kind !== undefined && id > 0 && created !== undefined &&
    labelSize <= MAX_LABEL_SIZE && isZero(bytes.subarray(2, 4)) && isZero(bytes.subarray(28 + labelSize, 60)) &&
    (kind === "passphrase" || isZero(bytes.subarray(16, 28)));
  if (!sound) throw new CorruptVaultError("a key slot is not of its form");
  return {
    id,
    kind,
    label: decodeLabel(bytes.subarray(28, 28 + labelSize)),
    created,
    ...(kind === "passphrase" ? { kdf } : {}),
    salt: bytes.slice(60, SLOT_HEAD_SIZE),
    wrapped: bytes.slice(SLOT_HEAD_SIZE, SLOT_SIZE),
  };
}

/** Labels are shown before any key is at hand, so what a terminal would obey is refused here too. */
function decodeLabel(bytes: Uint8Array): string {
  try {
    return checkLabel(decodeUtf8(bytes));
  } catch {
    throw new CorruptVaultError("the label of a key slot is not text");
  }
}
