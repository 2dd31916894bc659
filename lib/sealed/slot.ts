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
import { type Bytes, decodeUtf8, encodeUtf8, equalBytes, isZero, readU64, viewOf, writeU64 } from "../bytes.ts";
import type { Argon2Parameters } from "../crypto/argon2.ts";
import { KEY_SIZE, OVERHEAD } from "../crypto/aes_gcm.ts";
import { CorruptVaultError, InvalidMetadataError } from "../errors.ts";
import { isTime } from "../time.ts";

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

/** Where the fields are. */
const AT = {
  kind: 0,
  labelSize: 1,
  zero: 2,
  id: 4,
  created: 8,
  memory: 16,
  passes: 20,
  lanes: 24,
  label: 28,
  salt: 60,
  wrapped: SLOT_HEAD_SIZE,
} as const;

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
  bytes[AT.kind] = SLOT_KINDS.indexOf(slot.kind) + 1;
  bytes[AT.labelSize] = label.length;
  view.setUint32(AT.id, slot.id, true);
  writeU64(view, AT.created, slot.created);
  view.setUint32(AT.memory, slot.kdf?.memory ?? 0, true);
  view.setUint32(AT.passes, slot.kdf?.passes ?? 0, true);
  view.setUint32(AT.lanes, slot.kdf?.lanes ?? 0, true);
  bytes.set(label, AT.label);
  bytes.set(slot.salt, AT.salt);
  bytes.set(slot.wrapped, AT.wrapped);
  return bytes;
}

/**
 * Decodes a slot, or gives null for an unused one. Costs are not judged here: see `kdf_limits.ts`.
 *
 * @throws {CorruptVaultError} when the bytes are not of the form
 */
export function decodeSlot(bytes: Uint8Array): Slot | null {
  if (bytes.length !== SLOT_SIZE) throw new CorruptVaultError("a key slot is not of its size");
  if (isZero(bytes)) return null;
  const view = viewOf(bytes);
  const kind = SLOT_KINDS[bytes[AT.kind]! - 1];
  const labelSize = bytes[AT.labelSize]!;
  const id = view.getUint32(AT.id, true);
  const created = readU64(view, AT.created);
  const kdf = {
    memory: view.getUint32(AT.memory, true),
    passes: view.getUint32(AT.passes, true),
    lanes: view.getUint32(AT.lanes, true),
  };
  const sound = kind !== undefined && id > 0 && isTime(created) && labelSize <= MAX_LABEL_SIZE &&
    isZero(bytes.subarray(AT.zero, AT.id)) && isZero(bytes.subarray(AT.label + labelSize, AT.salt)) &&
    (kind === "passphrase" || isZero(bytes.subarray(AT.memory, AT.label)));
  if (!sound) throw new CorruptVaultError("a key slot is not of its form");
  return {
    id,
    kind,
    label: decodeLabel(bytes.subarray(AT.label, AT.label + labelSize)),
    created,
    ...(kind === "passphrase" ? { kdf } : {}),
    salt: bytes.slice(AT.salt, AT.wrapped),
    wrapped: bytes.slice(AT.wrapped),
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

/** Whether two lists of slots are the same: a slot that was wrapped anew is another one. */
export function sameSlots(a: readonly Slot[], b: readonly Slot[]): boolean {
  return a.length === b.length && a.every((slot, index) => equalBytes(slot.wrapped, b[index]!.wrapped));
}
