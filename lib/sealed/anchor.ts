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
import { type Bytes, encodeUtf8, equalBytes, isZero, readU64, viewOf, writeU64 } from "../bytes.ts";
import { hmac, HMAC_SIZE, type HmacKey, verifyHmac } from "../crypto/hmac.ts";
import { sha256 } from "../crypto/sha256.ts";
import {
  AnchorDamagedError,
  AnchorForeignError,
  AnchorMissingError,
  ForkDetectedError,
  MissingPermissionError,
  RollbackDetectedError,
  UnsupportedVersionError,
} from "../errors.ts";
import type { AnchorStore, WaitingAnchor } from "../storage/anchor_store.ts";
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

const DISPLACED_HINT =
  "A backup or a copy without an anchor stands in the place of a vault that has one; put that vault " +
  "back, or put the backup in its place with `coffer restore`";

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

/** What a vault remembers of the anchors before its own. */
export interface AnchorHistory {
  /** Gives the anchor key of the epoch before, where there was one: a crash may have come after a rotation. */
  readonly previousKey: () => Promise<HmacKey | undefined>;
  /** SHA-256 of the anchor that the vault was restored over: a crash may have come before the new one. */
  readonly superseded: () => Bytes | undefined;
}

/** The anchor of an open vault. */
export class Anchor {
  readonly #store: AnchorStore;
  /** What this object read or wrote last, and the generation that it was found to belong to. */
  #known: { readonly bytes: Bytes; readonly generation: number } | undefined;
  /** Whether what is there belongs to what a restore replaced, so that nothing of it may stay. */
  #superseded = false;
  /** The anchor of a new vault that has not got its name yet. */
  #waiting: WaitingAnchor | undefined;

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
   * @throws {AnchorMissingError} @throws {AnchorDamagedError} @throws {AnchorForeignError}
   * @throws {RollbackDetectedError} when the vault is older @throws {ForkDetectedError} when it is another one as new
   */
  async verify(generation: Head, key: HmacKey, history: AnchorHistory): Promise<AnchorState> {
    this.#superseded = false;
    this.#waiting = undefined;
    const bytes = this.#store.read();
    if (bytes === null) return await this.#verifyWaiting(generation, key, history);
    const { meta } = generation;
    const known = this.#known?.generation === meta.generation ? this.#known.bytes : undefined;
    if (known !== undefined && equalBytes(bytes, known)) return "level";
    if (await this.#isSuperseded(bytes, history)) return "behind";
    const record = await this.#newest(bytes, meta.vaultId, meta.epoch, key, history);
    if (record.epoch > meta.epoch || record.generation > meta.generation) {
      throw new RollbackDetectedError(meta.generation, record.generation);
    }
    if (record.generation < meta.generation) return "behind";
    if (!equalBytes(record.tag, tagOf(generation))) throw new ForkDetectedError(meta.generation);
    this.#known = { bytes, generation: meta.generation };
    return "level";
  }

  /**
   * What was written for a vault that was about to be made counts for the very generation that it was written for: the
   * first change gives it the anchor's name. An older one that was left over must never stand in for an anchor that is gone.
   */
  async #verifyWaiting(generation: Head, key: HmacKey, history: AnchorHistory): Promise<AnchorState> {
    const waiting = this.#store.waiting?.(generation.meta.vaultId);
    const bytes = waiting?.read() ?? null;
    waiting?.release();
    if (waiting === undefined || bytes === null) throw new AnchorMissingError(this.name);
    const { vaultId, epoch, generation: number } = generation.meta;
    let state: AnchorState;
    if (await this.#isSuperseded(bytes, history)) state = "behind";
    else {
      const record = await this.#newest(bytes, vaultId, epoch, key, history).catch(() => undefined);
      const level = record?.epoch === epoch && record.generation === number &&
        equalBytes(record.tag, tagOf(generation));
      if (!level) throw new AnchorMissingError(this.name);
      state = "level";
    }
    this.#waiting = waiting;
    return state;
  }

  async #isSuperseded(bytes: Bytes, { superseded }: AnchorHistory): Promise<boolean> {
    const digest = superseded();
    this.#superseded = digest !== undefined && equalBytes(await sha256(bytes), digest);
    return this.#superseded;
  }

  /**
   * Holds a vault that has no anchor, such as a backup, against one that is there nevertheless: it stands in the place of a
   * vault that has. The caller holds a lock.
   *
   * @throws {RollbackDetectedError} when that vault is the same, and newer
   * @throws {AnchorForeignError} when this is a backup, and that vault another one
   */
  verifyAbsent({ meta: { vaultId, epoch, generation, backup } }: Head): void {
    const bytes = readIfAllowed(this.#store);
    if (bytes === null) return;
    let records: readonly AnchorRecord[];
    try {
      records = inspectAnchor(bytes, this.name);
    } catch (error) {
      // It is of no use to this vault, whatever it is.
      if (error instanceof AnchorDamagedError) return;
      throw error;
    }
    const own = records.filter((record) => equalBytes(record.vaultId, vaultId));
    if (own.length === 0 && backup) throw new AnchorForeignError(this.name, { hint: DISPLACED_HINT });
    const newer = own.find((record) => record.generation > generation || record.epoch > epoch);
    if (newer !== undefined) throw new RollbackDetectedError(generation, newer.generation, { hint: DISPLACED_HINT });
  }

  /** Lets go of the store. */
  release(): void {
    this.#store.release();
  }

  /** Lets go of what the store does not keep from one lock to the next; to be called before the lock is given up. */
  pause(): void {
    if (this.#store.pause === undefined) this.#store.release();
    else this.#store.pause();
  }

  /**
   * Fails, with the reason, where {@linkcode move} would. An anchor that waits gets its name: before the first commit, for
   * it counts no longer than that. The caller holds the exclusive lock and has verified.
   */
  assertWritable(): void {
    this.#waiting?.settle();
    this.#waiting = undefined;
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
    if (this.#superseded) {
      // The other record would be of another history, and might count for more.
      const bytes = placed(new Uint8Array(ANCHOR_SIZE), record, offset);
      this.#store.replace(bytes);
      this.#superseded = false;
      this.#known = { bytes, generation: number };
      return;
    }
    this.#store.write(record, offset, durable);
    // The next commit reads the whole anchor, and finds it as it is kept here.
    if (this.#known !== undefined) {
      this.#known = { bytes: placed(this.#known.bytes, record, offset), generation: number };
    }
  }

  /**
   * Keeps the anchor of a vault that is about to appear, durably, where only that vault finds it: a crash before
   * {@linkcode replace} then leaves a vault that opens, and one before the vault nothing that anybody trips over. A store that
   * can not do so is left as it is.
   */
  async prepare(generation: Head, key: HmacKey): Promise<void> {
    this.#store.waiting?.(generation.meta.vaultId).replace(await newAnchorBytes(generation, key));
  }

  /** Takes away what was prepared: the vault did not appear. */
  discard({ vaultId }: Pick<Head["meta"], "vaultId">): void {
    this.#store.waiting?.(vaultId).remove();
  }

  /**
   * Makes the anchor anew, whatever an anchor of this vault was there.
   *
   * @param foreign whether another vault's may be written over, which then can not tell an older copy of that vault
   * @throws {AnchorDamagedError} when what is there never was an anchor: it may be a vault, or a key
   * @throws {AnchorForeignError} when it is of another vault
   */
  async replace(generation: Head, key: HmacKey, foreign = false): Promise<void> {
    const { vaultId } = generation.meta;
    try {
      const before = this.#store.read();
      if (before !== null) {
        assertReplaceable(before, this.name);
        if (!foreign) assertNotForeign(before, vaultId, this.name);
      }
      const bytes = await newAnchorBytes(generation, key);
      this.#store.replace(bytes);
      this.#store.waiting?.(vaultId).remove();
      this.#superseded = false;
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
    this.#waiting?.remove();
  }

  /** The newest record that is authentic; when there is none, why not. */
  async #newest(
    bytes: Bytes,
    vaultId: Bytes,
    epoch: number,
    key: HmacKey,
    { previousKey }: AnchorHistory,
  ): Promise<AnchorRecord> {
    const records = decodeAnchor(bytes, this.name);
    const authentic: AnchorRecord[] = [];
    for (const { record, raw } of records) {
      if (!equalBytes(record.vaultId, vaultId)) continue;
      // After a restore epochs are left out; the HMAC covers which one it is, so that one key speaks for one only.
      const under = record.epoch === epoch ? key : record.epoch < epoch ? await previousKey() : undefined;
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
 * Fails when bytes can not be what is left of an anchor, so that no new one may take their place: one is empty or wiped, or
 * has its magic where a record begins, or has its size and nothing where an anchor has nothing.
 *
 * @throws {AnchorDamagedError} when they are something else
 */
export function assertReplaceable(bytes: Uint8Array, name: string): void {
  const begins = (offset: number) => {
    const magic = bytes.subarray(offset, offset + MAGIC.length);
    return magic.length > 0 && equalBytes(magic, MAGIC.subarray(0, magic.length));
  };
  const gaps = [0, SLOT_SIZE].map((offset) => bytes.subarray(offset + RECORD_SIZE, offset + SLOT_SIZE));
  // A vault may begin with zeros, and be longer: half of all backups do.
  const wiped = bytes.length <= ANCHOR_SIZE && isZero(bytes);
  if (wiped || begins(0) || begins(SLOT_SIZE) || (bytes.length === ANCHOR_SIZE && gaps.every(isZero))) return;
  throw new AnchorDamagedError(name, {
    hint: "It is no anchor, and is left as it is: name the vault's anchor with --anchor, or move that file away",
  });
}

/** Fails when bytes are the anchor of another vault, as far as they are one. @throws {AnchorForeignError} */
function assertNotForeign(bytes: Bytes, vaultId: Bytes, name: string): void {
  let records: readonly AnchorRecord[];
  try {
    records = inspectAnchor(bytes, name);
  } catch (error) {
    if (error instanceof AnchorDamagedError) return;
    throw error;
  }
  if (!records.some((record) => equalBytes(record.vaultId, vaultId))) throw new AnchorForeignError(name);
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
  const encoded = new Uint8Array(RECORD_SIZE);
  const body = encoded.subarray(0, AT.hmac);
  const view = viewOf(body);
  body.set(MAGIC, AT.magic);
  view.setUint16(AT.version, VERSION, true);
  view.setUint32(AT.epoch, epoch, true);
  body.set(vaultId.subarray(0, ID_SIZE), AT.vaultId);
  writeU64(view, AT.generation, generation);
  body.set(tag, AT.tag);
  encoded.set(await hmac(key, body), AT.hmac);
  return encoded;
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
  return committed.meta.subarray(-HMAC_SIZE);
}

/** A process that may read the one file and nothing beside it can not be told. */
function readIfAllowed(store: AnchorStore): Bytes | null {
  try {
    return store.read();
  } catch (error) {
    if (error instanceof MissingPermissionError) return null;
    throw error;
  }
}

/** A whole anchor that says one thing. */
async function newAnchorBytes(generation: Head, key: HmacKey): Promise<Bytes> {
  const record = await encodeRecord(recordOf(generation), key);
  return placed(new Uint8Array(ANCHOR_SIZE), record, (generation.meta.generation % 2) * SLOT_SIZE);
}

function placed(anchor: Bytes, record: Bytes, offset: number): Bytes {
  const copy = anchor.slice();
  copy.set(record, offset);
  return copy;
}
