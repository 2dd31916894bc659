/**
 * Wrapping the vault key for a credential, and getting it back.
 *
 * @module
 */
import { type Bytes, concat, encodeUtf8, viewOf } from "../bytes.ts";
import { type AesKey, importAesKey, KEY_SIZE, open, seal } from "../crypto/aes_gcm.ts";
import type { Argon2Parameters } from "../crypto/argon2.ts";
import { constantTimeEqual } from "../crypto/constant_time.ts";
import { hkdf } from "../crypto/hkdf.ts";
import { randomBytes, wipe } from "../crypto/random.ts";
import { SlotVerificationError, WrongCredentialError } from "../errors.ts";
import type { Credential } from "./credential.ts";
import { checkKdf } from "./kdf_limits.ts";
import { SLOT_LABELS, WRAP_LABEL } from "./labels.ts";
import type { Meta } from "./meta.ts";
import { encodeSlot, SALT_SIZE, type Slot, SLOT_HEAD_SIZE, WRAPPED_SIZE } from "./slot.ts";

/** A slot that still lacks its number and its vault: the slow part is done, and needed no lock. */
export interface PreparedSlot {
  /** What opens it. */
  readonly kind: Slot["kind"];
  /** The user's own words. */
  readonly label: string;
  /** Cost of a passphrase. */
  readonly kdf?: Argon2Parameters;
  /** Random salt of the derivation. */
  readonly salt: Bytes;
  /** Wraps the vault key. */
  readonly key: AesKey;
}

/**
 * Derives the key that will wrap the vault key for a new credential, twice: a slot whose derivation does not repeat
 * would never open again. The credential's secret is wiped, whatever happens.
 *
 * @throws {SlotVerificationError}
 */
export async function prepareSlot(
  credential: Credential,
  label: string,
  kdf?: Argon2Parameters,
): Promise<PreparedSlot> {
  try {
    const salt = randomBytes(SALT_SIZE);
    const probe = randomBytes(KEY_SIZE);
    const key = await deriveSlotKey(credential, salt, kdf);
    const sealed = await seal(key, probe, salt);
    await assertOpens(await deriveSlotKey(credential, salt, kdf), sealed, salt, probe);
    return { kind: credential.kind, label, ...(kdf === undefined ? {} : { kdf }), salt, key };
  } finally {
    wipe(credential.secret);
  }
}

/**
 * Wraps the vault key into a slot, and opens the slot once before it counts.
 *
 * @throws {SlotVerificationError}
 */
export async function wrapSlot(
  prepared: PreparedSlot,
  vaultKey: Bytes,
  vault: Pick<Meta, "vaultId" | "epoch">,
  id: number,
  created: number,
): Promise<Slot> {
  const { kind, label, kdf, salt, key } = prepared;
  const slot: Slot = { id, kind, label, created, ...(kdf ? { kdf } : {}), salt, wrapped: new Uint8Array(WRAPPED_SIZE) };
  const wrapped: Slot = { ...slot, wrapped: await seal(key, vaultKey, slotAad(slot, vault)) };
  await assertOpens(key, wrapped.wrapped, slotAad(wrapped, vault), vaultKey);
  return wrapped;
}

async function assertOpens(key: AesKey, sealed: Bytes, aad: Bytes, expected: Bytes): Promise<void> {
  const again = await open(key, sealed, aad);
  if (again === null || !constantTimeEqual(again, expected)) throw new SlotVerificationError();
  wipe(again);
}

/** The vault key and the slot that gave it. */
export interface Unwrapped {
  /** 32 bytes; the caller wipes them. */
  readonly vaultKey: Bytes;
  /** Number of the slot. */
  readonly slot: number;
}

/**
 * Tries every slot of the credential's kind. Costs are judged before any of them is spent.
 *
 * @throws {WrongCredentialError} when none opens
 * @throws {KdfLimitError} when a slot asks for too much work
 */
export async function unwrapVaultKey(
  meta: Pick<Meta, "vaultId" | "epoch" | "slots">,
  credential: Credential,
  signal?: AbortSignal,
): Promise<Unwrapped> {
  // No slot was ever made with an empty secret, and not every Argon2id takes one.
  if (credential.secret.length === 0) throw new WrongCredentialError();
  const slots = meta.slots.filter((slot) => slot.kind === credential.kind);
  for (const slot of slots) {
    if (slot.kdf !== undefined) checkKdf(slot.kdf);
  }
  for (const slot of slots) {
    signal?.throwIfAborted();
    const key = await deriveSlotKey(credential, slot.salt, slot.kdf);
    const vaultKey = await open(key, slot.wrapped, slotAad(slot, meta));
    if (vaultKey !== null) return { vaultKey, slot: slot.id };
  }
  throw new WrongCredentialError();
}

/** Argon2id makes a passphrase dear to guess; the others are random already and need HKDF only. */
async function deriveSlotKey(
  credential: Credential,
  salt: Bytes,
  kdf: Argon2Parameters | undefined,
): Promise<AesKey> {
  const material = kdf === undefined ? credential.secret : await stretch(credential.secret, salt, kdf);
  const raw = await hkdf(material, salt, SLOT_LABELS[credential.kind]);
  try {
    return await importAesKey(raw);
  } finally {
    wipe(raw);
    if (kdf !== undefined) wipe(material);
  }
}

async function stretch(secret: Bytes, salt: Bytes, kdf: Argon2Parameters): Promise<Bytes> {
  const { argon2id } = await import("../crypto/argon2.ts");
  return await argon2id(secret, salt, kdf);
}

/** Binds the wrapped key to its vault, its epoch and every other field of its slot. */
function slotAad(slot: Slot, { vaultId, epoch }: Pick<Meta, "vaultId" | "epoch">): Bytes {
  const number = new Uint8Array(4);
  viewOf(number).setUint32(0, epoch, true);
  return concat(encodeUtf8(WRAP_LABEL), vaultId, number, encodeSlot(slot).subarray(0, SLOT_HEAD_SIZE));
}
