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
 * | 72     | 8         | audit length (reserved, zero)                         |
 * | 80     | 32        | audit head (reserved, zero)                           |
 * | 112    | 48        | reserved, zero                                        |
 * | 160    | 16 × 152  | key slots; unused ones are zero                       |
 * | 2592   | 32        | HMAC-SHA256 under the meta key of all bytes before it |
 *
 * @module
 */
import { type Bytes, concat, isZero, readU64, viewOf, writeU64 } from "../bytes.ts";
import { hmac, HMAC_SIZE, type HmacKey, verifyHmac } from "../crypto/hmac.ts";
import { CorruptVaultError } from "../errors.ts";
import { decodeSlot, encodeSlot, type Slot, SLOT_SIZE } from "./slot.ts";

/** How many slots a vault has. */
export const SLOT_COUNT = 16;
/** Size of a vault id and of a segment id, in bytes. */
export const ID_SIZE = 16;
const SLOTS_OFFSET = 160;
const HMAC_OFFSET = SLOTS_OFFSET + SLOT_COUNT * SLOT_SIZE;
/** Size of a sealed meta, in bytes. */
export const META_SIZE = HMAC_OFFSET + HMAC_SIZE;

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
  /** One to sixteen. */
  readonly slots: readonly Slot[];
}

/** Encodes a meta and appends its HMAC. */
export async function sealMeta(meta: Meta, key: HmacKey): Promise<Bytes> {
  const body = new Uint8Array(HMAC_OFFSET);
  const view = viewOf(body);
  body.set(meta.vaultId, 0);
  writeU64(view, 16, meta.generation);
  view.setUint32(24, meta.epoch, true);
  view.setUint32(28, meta.nextSlotId, true);
  writeU64(view, 32, meta.seals);
  writeU64(view, 40, meta.created);
  writeU64(view, 48, meta.updated);
  body.set(meta.head, 56);
  meta.slots.forEach((slot, index) => body.set(encodeSlot(slot), SLOTS_OFFSET + index * SLOT_SIZE));
  return concat(body, await hmac(key, body));
}

/**
 * Decodes a meta without authenticating it: enough to find the slots, and to show what anyone may see.
 *
 * @throws {CorruptVaultError} when the bytes are not of the form
 */
export function decodeMeta(bytes: Uint8Array): Meta {
  if (bytes.length !== META_SIZE) throw new CorruptVaultError("the sealed meta is not of its size");
  const view = viewOf(bytes);
  const [generation, seals, created, updated] = [16, 32, 40, 48].map((offset) => readU64(view, offset));
  const epoch = view.getUint32(24, true);
  const nextSlotId = view.getUint32(28, true);
  const slots = decodeSlots(bytes.subarray(SLOTS_OFFSET, HMAC_OFFSET));
  if (!generation || seals === undefined || created === undefined || updated === undefined || epoch === 0) {
    throw new CorruptVaultError("a number in the sealed meta is out of its range");
  }
  if (!isZero(bytes.subarray(72, SLOTS_OFFSET))) {
    throw new CorruptVaultError("reserved bytes of the sealed meta are set");
  }
  if (slots.some((slot) => slot.id >= nextSlotId)) throw new CorruptVaultError("a key slot has a number not yet given");
  return {
    vaultId: bytes.slice(0, ID_SIZE),
    generation,
    epoch,
    nextSlotId,
    seals,
    created,
    updated,
    head: bytes.slice(56, 56 + ID_SIZE),
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
  if (!await verifyHmac(key, bytes.subarray(0, HMAC_OFFSET), bytes.subarray(HMAC_OFFSET))) {
    throw new CorruptVaultError("the meta page fails authentication");
  }
  return meta;
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
