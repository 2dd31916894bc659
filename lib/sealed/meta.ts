/**
 * The sealed meta: what a committed generation says about itself, authenticated by HMAC (`docs/format.md`, section 5).
 *
 * | offset | size      | field                                                 |
 * |--------|-----------|-------------------------------------------------------|
 * | 0      | 16        | vault id                                              |
 * | 16     | 8         | generation                                            |
 * | 24     | 4         | epoch                                                 |
 * | 28     | 4         | id of the next new slot                               |
 * | 32     | 8         | seals made under this epoch's data key                |
 * | 40     | 8         | vault created, in milliseconds since 1970             |
 * | 48     | 8         | this commit, in milliseconds since 1970               |
 * | 56     | 16        | id of the newest state segment                        |
 * | 72     | 8         | entries in the audit log, those pruned included       |
 * | 80     | 32        | head of the audit log's hash chain                    |
 * | 112    | 4         | flags: 1 has an anchor, 2 is a backup                 |
 * | 116    | 44        | reserved, zero                                        |
 * | 160    | 16 × 152  | key slots; unused ones are zero                       |
 * | 2592   | 32        | HMAC-SHA256 under the meta key of all bytes before it |
 *
 * @module
 */
import type { LogHead } from "../audit/chain.ts";
import { type Bytes, concat, isZero, readU64, viewOf, writeU64 } from "../bytes.ts";
import { hmac, HMAC_SIZE, type HmacKey, verifyHmac } from "../crypto/hmac.ts";
import { CorruptVaultError } from "../errors.ts";
import { isTime } from "../time.ts";
import { decodeSlot, encodeSlot, type Slot, SLOT_SIZE } from "./slot.ts";

/** How many slots a vault has. */
export const SLOT_COUNT = 16;
/** Size of a vault id and of a segment id, in bytes. */
export const ID_SIZE = 16;
/** Most seals under one data key: with random nonces a repetition then still is less likely than 2^-32. */
export const SEAL_LIMIT = 2 ** 32;
/** Where the fields are. */
const AT = {
  vaultId: 0,
  generation: 16,
  epoch: 24,
  nextSlotId: 28,
  seals: 32,
  created: 40,
  updated: 48,
  head: 56,
  auditLength: 72,
  auditHead: 80,
  flags: 112,
  reserved: 116,
  slots: 160,
  hmac: 160 + SLOT_COUNT * SLOT_SIZE,
} as const;
/** Size of a sealed meta, in bytes. */
export const META_SIZE = AT.hmac + HMAC_SIZE;

const FLAGS = { anchored: 1, backup: 2 } as const;

/** A committed generation's own words. */
export interface Meta {
  /** Random, 16 bytes; the same as long as the vault lives. */
  readonly vaultId: Bytes;
  /** Counts commits, from 1. */
  readonly generation: number;
  /** Counts vault keys, from 1. */
  readonly epoch: number;
  /** Never falls, so that a slot's number is never used again. */
  readonly nextSlotId: number;
  /** How often this epoch's data key has sealed a chunk. */
  readonly seals: number;
  /** When the vault was made, in milliseconds since 1970. */
  readonly created: number;
  /** When this generation was committed, in milliseconds since 1970. */
  readonly updated: number;
  /** Id of the newest state segment; through it and its predecessors every live segment is authenticated. */
  readonly head: Bytes;
  /** Where the audit log ends. */
  readonly audit: LogHead;
  /** Whether an anchor outside the vault says which generation is the newest. */
  readonly anchored: boolean;
  /** Whether this is a backup: it is read and restored, never changed. */
  readonly backup: boolean;
  /** One to sixteen. */
  readonly slots: readonly Slot[];
}

/** Encodes a meta and appends its HMAC. */
export async function sealMeta(meta: Meta, key: HmacKey): Promise<Bytes> {
  const sealed = new Uint8Array(META_SIZE);
  const body = sealed.subarray(0, AT.hmac);
  const view = viewOf(body);
  body.set(meta.vaultId, AT.vaultId);
  writeU64(view, AT.generation, meta.generation);
  view.setUint32(AT.epoch, meta.epoch, true);
  view.setUint32(AT.nextSlotId, meta.nextSlotId, true);
  writeU64(view, AT.seals, meta.seals);
  writeU64(view, AT.created, meta.created);
  writeU64(view, AT.updated, meta.updated);
  body.set(meta.head, AT.head);
  writeU64(view, AT.auditLength, meta.audit.length);
  body.set(meta.audit.head, AT.auditHead);
  view.setUint32(AT.flags, (meta.anchored ? FLAGS.anchored : 0) | (meta.backup ? FLAGS.backup : 0), true);
  body.set(encodeSlots(meta.slots), AT.slots);
  sealed.set(await hmac(key, body), AT.hmac);
  return sealed;
}

/**
 * Decodes a meta without authenticating it: enough to find the slots, and to show what anyone may see.
 *
 * @throws {CorruptVaultError} when the bytes are not of the form
 */
export function decodeMeta(bytes: Uint8Array): Meta {
  if (bytes.length !== META_SIZE) throw new CorruptVaultError("the sealed meta is not of its size");
  const view = viewOf(bytes);
  const generation = readU64(view, AT.generation);
  const seals = readU64(view, AT.seals);
  const created = readU64(view, AT.created);
  const updated = readU64(view, AT.updated);
  const auditLength = readU64(view, AT.auditLength);
  const flags = view.getUint32(AT.flags, true);
  const epoch = view.getUint32(AT.epoch, true);
  const nextSlotId = view.getUint32(AT.nextSlotId, true);
  const slots = decodeSlots(bytes.subarray(AT.slots, AT.hmac));
  if (
    !generation || epoch === 0 || seals === undefined || seals > SEAL_LIMIT || !isTime(created) || !isTime(updated) ||
    auditLength === undefined
  ) {
    throw new CorruptVaultError("a number in the sealed meta is out of its range");
  }
  // A flag that is not known may change what the vault is: nothing is guessed.
  if (flags > (FLAGS.anchored | FLAGS.backup) || !isZero(bytes.subarray(AT.reserved, AT.slots))) {
    throw new CorruptVaultError("reserved bytes of the sealed meta are set");
  }
  if (slots.some((slot) => slot.id >= nextSlotId)) throw new CorruptVaultError("a key slot has a number not yet given");
  return {
    vaultId: bytes.slice(AT.vaultId, AT.vaultId + ID_SIZE),
    generation,
    epoch,
    nextSlotId,
    seals,
    created,
    updated,
    head: bytes.slice(AT.head, AT.head + ID_SIZE),
    audit: { length: auditLength, head: bytes.slice(AT.auditHead, AT.flags) },
    anchored: (flags & FLAGS.anchored) !== 0,
    backup: (flags & FLAGS.backup) !== 0,
    slots,
  };
}

/**
 * Decodes a meta that must have been made with the key.
 *
 * @throws {CorruptVaultError} when it was not
 */
export async function openMeta(bytes: Uint8Array, key: HmacKey): Promise<Meta> {
  const meta = decodeMeta(bytes);
  if (!await verifyHmac(key, bytes.subarray(0, AT.hmac), bytes.subarray(AT.hmac))) {
    throw new CorruptVaultError("the meta page fails authentication");
  }
  return meta;
}

/** Slots seldom change from one commit to the next. */
const encodedSlots = new WeakMap<readonly Slot[], Bytes>();

function encodeSlots(slots: readonly Slot[]): Bytes {
  let encoded = encodedSlots.get(slots);
  if (encoded === undefined) encodedSlots.set(slots, encoded = concat(...slots.map(encodeSlot)));
  return encoded;
}

/** Slots stand without gaps, each number once. */
function decodeSlots(bytes: Uint8Array): readonly Slot[] {
  const slots: Slot[] = [];
  for (let index = 0; index < SLOT_COUNT; index++) {
    const slot = decodeSlot(bytes.subarray(index * SLOT_SIZE, (index + 1) * SLOT_SIZE));
    if (slot === null) continue;
    if (slots.length !== index || slots.some(({ id }) => id === slot.id)) {
      throw new CorruptVaultError("the key slots are not in order");
    }
    slots.push(slot);
  }
  if (slots.length === 0) throw new CorruptVaultError("there is no key slot");
  return slots;
}
