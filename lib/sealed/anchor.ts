/**
 * The anchor: outside the vault, which generation is the newest (`docs/format.md`, section 10).
 *
 * Two records take turns, each in a sector of its own, so that a torn write leaves the one before it:
 *
 * | offset | size | field                                                   |
 * |--------|------|---------------------------------------------------------|
 * | 0      | 8    | magic `COFFERAN`                                        |
 * | 8      | 2    | version, 1                                              |
 * | 10     | 2    | zero                                                    |
 * | 12     | 4    | epoch                                                   |
 * | 16     | 16   | vault id                                                |
 * | 32     | 8    | generation                                              |
 * | 40     | 32   | HMAC of that generation's sealed meta                   |
 * | 72     | 32   | HMAC-SHA256 under the anchor key of the 72 bytes before |
 *
 * @module
 */
import { type Bytes, concat, encodeUtf8, equalBytes, isZero, readU64, viewOf, writeU64 } from "../bytes.ts";
import { hmac, HMAC_SIZE, type HmacKey, verifyHmac } from "../crypto/hmac.ts";
import {
  AnchorDamagedError,
  AnchorForeignError,
  AnchorMissingError,
  ForkDetectedError,
  RollbackDetectedError,
  UnsupportedVersionError,
} from "../errors.ts";
import type { AnchorStore } from "../storage/anchor_store.ts";
import { ID_SIZE } from "./meta.ts";
import type { Generation } from "./store.ts";

/** Distance of the two records, in bytes: a sector is written whole or not at all. */
const SLOT_SIZE = 512;
/** Size of an anchor, in bytes. */
export const ANCHOR_SIZE = 2 * SLOT_SIZE;

const MAGIC = encodeUtf8("COFFERAN");
const VERSION = 1;
const AT = { magic: 0, version: 8, zero: 10, epoch: 12, vaultId: 16, generation: 32, tag: 40, hmac: 72 } as const;
const RECORD_SIZE = AT.hmac + HMAC_SIZE;

/** What an anchor says. */
export interface AnchorRecord {
  /** Of which vault, 16 bytes. */
  readonly vaultId: Bytes;
  /** Under which vault key. */
  readonly epoch: number;
  /** The newest generation. */
  readonly generation: number;
  /** HMAC of its sealed meta: another one is of another history. */
  readonly tag: Bytes;
}

/** A committed generation, as far as an anchor looks at it. */
export type Head = Pick<Generation, "meta" | "committed">;

/** How the vault stands to its anchor: level, or one or more commits ahead, because a crash came in between. */
export type AnchorState = "level" | "behind";

/** Gives the anchor key of the epoch before, where there was one. */
export type PreviousKey = () => Promise<HmacKey | undefined>;

/** The anchor of an open vault. */
export class Anchor {
  readonly #store: AnchorStore;
  /** What this object read or wrote last, and the generation that it was found to belong to. */
  #known: { readonly bytes: Bytes; readonly generation: number } | undefined;

  /** The anchor in a store. */
  constructor(store: AnchorStore) {
    this.#store = store;
  }

  /** Where it is. */
  get name(): string {
    return this.#store.name;
  }

  /**
   * Holds the vault against the anchor. The caller holds a lock and has read the newest generation.
   *
   * @param previous gives the anchor key of the epoch before, where there was one: a crash may have come after a rotation
   * @throws {AnchorMissingError} @throws {AnchorDamagedError} @throws {AnchorForeignError}
   * @throws {RollbackDetectedError} when the vault is older @throws {ForkDetectedError} when it is another one as new
   */
  async verify(generation: Head, key: HmacKey, previous: PreviousKey): Promise<AnchorState> {
    const bytes = this.#store.read();
    if (bytes === null) throw new AnchorMissingError(this.name);
    const { meta } = generation;
    const known = this.#known?.generation === meta.generation ? this.#known.bytes : undefined;
    if (known !== undefined && equalBytes(bytes, known)) return "level";
    const record = await this.#newest(bytes, meta.vaultId, meta.epoch, key, previous);
    if (record.epoch > meta.epoch || record.generation > meta.generation) {
      throw new RollbackDetectedError(meta.generation, record.generation);
    }
    if (record.generation < meta.generation) return "behind";
    if (!equalBytes(record.tag, tagOf(generation))) throw new ForkDetectedError(meta.generation);
    this.#known = { bytes, generation: meta.generation };
    return "level";
  }

  /** Lets go of the store; to be called before the vault's lock is given up. */
  release(): void {
    this.#store.release();
  }

  /** Fails, with the reason, where {@linkcode move} would. */
  assertWritable(): void {
    this.#store.assertWritable();
  }

  /**
   * Moves the anchor to a generation that is durable. The caller holds the exclusive lock.
   *
   * @param durable whether the anchor is to be durable too when this returns
   */
  async move(generation: Head, key: HmacKey, durable = false): Promise<void> {
    const record = await encodeRecord(recordOf(generation), key);
    const { generation: number } = generation.meta;
    const offset = (number % 2) * SLOT_SIZE;
    this.#store.write(record, offset, durable);
    // The next commit reads the whole anchor, and finds it as it is kept here.
    if (this.#known !== undefined) {
      this.#known = { bytes: placed(this.#known.bytes, record, offset), generation: number };
    }
  }

  /**
   * Makes the anchor anew, whatever an anchor was there.
   *
   * @throws {AnchorDamagedError} when what is there never was an anchor: it may be a vault, or a key
   */
  async replace(generation: Head, key: HmacKey): Promise<void> {
    try {
      const before = this.#store.read();
      if (before !== null) assertReplaceable(before, this.name);
      const record = await encodeRecord(recordOf(generation), key);
      const bytes = placed(new Uint8Array(ANCHOR_SIZE), record, (generation.meta.generation % 2) * SLOT_SIZE);
      this.#store.replace(bytes);
      this.#known = { bytes, generation: generation.meta.generation };
    } finally {
      // There may be no open vault that would do so.
      this.#store.release();
    }
  }

  /** Takes it away: another one is in its place. */
  remove(): void {
    this.#known = undefined;
    this.#store.remove();
  }

  /** The newest record that is authentic; when there is none, why not. */
  async #newest(
    bytes: Bytes,
    vaultId: Bytes,
    epoch: number,
    key: HmacKey,
    previous: PreviousKey,
  ): Promise<AnchorRecord> {
    const records = decodeAnchor(bytes, this.name);
    const authentic: AnchorRecord[] = [];
    for (const { record, raw } of records) {
      if (!equalBytes(record.vaultId, vaultId)) continue;
      const under = record.epoch === epoch ? key : record.epoch === epoch - 1 ? await previous() : undefined;
      if (under !== undefined && await isAuthentic(raw, under)) authentic.push(record);
      // Only the vault's newer key could tell; that there is one says that this vault is the older.
      else if (record.epoch > epoch) authentic.push(record);
    }
    const [newest] = authentic.sort((a, b) => b.epoch - a.epoch || b.generation - a.generation);
    if (newest !== undefined) return newest;
    if (records.some(({ record }) => !equalBytes(record.vaultId, vaultId))) throw new AnchorForeignError(this.name);
    throw new AnchorDamagedError(this.name);
  }
}

/** What an anchor's bytes say, to anyone. @throws {AnchorDamagedError} @throws {UnsupportedVersionError} */
export function inspectAnchor(bytes: Uint8Array, name: string): readonly AnchorRecord[] {
  return decodeAnchor(bytes, name).map(({ record }) => record);
}

/**
 * Fails when bytes can not be what is left of an anchor, so that no new one may take their place: one has its size, or is
 * empty or wiped, or has its magic where a record begins.
 *
 * @throws {AnchorDamagedError} when they are something else
 */
export function assertReplaceable(bytes: Uint8Array, name: string): void {
  const begins = (offset: number) => {
    const magic = bytes.subarray(offset, offset + MAGIC.length);
    return magic.length > 0 && equalBytes(magic, MAGIC.subarray(0, magic.length));
  };
  if (bytes.length === ANCHOR_SIZE || isZero(bytes) || begins(0) || begins(SLOT_SIZE)) return;
  throw new AnchorDamagedError(name, {
    hint: "It is no anchor, and is left as it is: name the vault's anchor with --anchor, or move that file away",
  });
}

function decodeAnchor(bytes: Uint8Array, name: string): { record: AnchorRecord; raw: Uint8Array }[] {
  if (bytes.length !== ANCHOR_SIZE) throw new AnchorDamagedError(name);
  const found: { record: AnchorRecord; raw: Uint8Array }[] = [];
  for (const offset of [0, SLOT_SIZE]) {
    const raw = bytes.subarray(offset, offset + RECORD_SIZE);
    if (!equalBytes(raw.subarray(AT.magic, AT.version), MAGIC)) continue;
    const view = viewOf(raw);
    const version = view.getUint16(AT.version, true);
    if (version > VERSION) throw new UnsupportedVersionError(name, version);
    const generation = readU64(view, AT.generation);
    const epoch = view.getUint32(AT.epoch, true);
    if (version !== VERSION || !generation || epoch === 0 || !isZero(raw.subarray(AT.zero, AT.epoch))) continue;
    const record = {
      vaultId: raw.slice(AT.vaultId, AT.generation),
      epoch,
      generation,
      tag: raw.slice(AT.tag, AT.hmac),
    };
    found.push({ record, raw });
  }
  if (found.length === 0) throw new AnchorDamagedError(name);
  return found;
}

async function encodeRecord({ vaultId, epoch, generation, tag }: AnchorRecord, key: HmacKey): Promise<Bytes> {
  const body = new Uint8Array(AT.hmac);
  const view = viewOf(body);
  body.set(MAGIC, AT.magic);
  view.setUint16(AT.version, VERSION, true);
  view.setUint32(AT.epoch, epoch, true);
  body.set(vaultId.subarray(0, ID_SIZE), AT.vaultId);
  writeU64(view, AT.generation, generation);
  body.set(tag, AT.tag);
  return concat(body, await hmac(key, body));
}

async function isAuthentic(raw: Uint8Array, key: HmacKey): Promise<boolean> {
  return await verifyHmac(key, raw.subarray(0, AT.hmac), raw.subarray(AT.hmac));
}

function recordOf(generation: Head): AnchorRecord {
  const { vaultId, epoch, generation: number } = generation.meta;
  return { vaultId, epoch, generation: number, tag: tagOf(generation) };
}

/** The last bytes of a sealed meta are its own HMAC: a digest of all that was committed. */
function tagOf({ committed }: Head): Bytes {
  return committed.meta.slice(-HMAC_SIZE);
}

function placed(anchor: Bytes, record: Bytes, offset: number): Bytes {
  const copy = anchor.slice();
  copy.set(record, offset);
  return copy;
}
