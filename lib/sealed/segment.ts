/**
 * Sealed segments: a header in the clear and authenticated chunks (`docs/format.md`, section 6).
 *
 * | offset | size | field                                                             |
 * |--------|------|-------------------------------------------------------------------|
 * | 0      | 4    | magic `CFSG`                                                      |
 * | 4      | 1    | version, 1                                                        |
 * | 5      | 1    | kind: 1 snapshot, 2 delta, 3 audit                                |
 * | 6      | 2    | zero                                                              |
 * | 8      | 4    | epoch                                                             |
 * | 12     | 4    | zero                                                              |
 * | 16     | 8    | first generation that it covers                                   |
 * | 24     | 8    | last generation that it covers; for a snapshot equal to the first |
 * | 32     | 16   | id, random                                                        |
 * | 48     | 16   | id of the segment before it; zero for the first                   |
 * | 64     | …    | chunks: nonce 12, ciphertext, tag 16                              |
 *
 * @module
 */
import { type Bytes, encodeUtf8, equalBytes, isZero, readU64, viewOf, writeU64 } from "../bytes.ts";
import { type AesKey, open, OVERHEAD, sealInto } from "../crypto/aes_gcm.ts";
import { CorruptVaultError } from "../errors.ts";
import type { StoredSegment } from "../storage/medium.ts";
import { SEGMENT_LABEL } from "./labels.ts";

/** Size of a segment's header, in bytes. */
export const SEGMENT_HEADER_SIZE = 64;
/** Size of every chunk's plaintext but the last one's, in bytes. */
export const CHUNK_SIZE = 1024 * 1024;
/** Size of every sealed chunk but the last one, in bytes. */
export const SEALED_CHUNK_SIZE = CHUNK_SIZE + OVERHEAD;
/** Where the fields of the header are. */
const AT = {
  magic: 0,
  version: 4,
  kind: 5,
  zero: 6,
  epoch: 8,
  zero2: 12,
  first: 16,
  last: 24,
  id: 32,
  previous: 48,
} as const;
const MAGIC = encodeUtf8("CFSG");
const LABEL = encodeUtf8(SEGMENT_LABEL);
const VERSION = 1;
const KINDS = { snapshot: 1, delta: 2, audit: 3 } as const;
const KIND_NAMES = ["snapshot", "delta", "audit"] as const;
/** How many chunks are read and opened ahead of the one in use. */
const READ_AHEAD = 2;

/** What a segment says about itself. */
export interface SegmentHeader {
  /** A snapshot holds the whole state, a delta what changed, an audit segment old entries of the log. */
  readonly kind: keyof typeof KINDS;
  /** Whose data key sealed it. */
  readonly epoch: number;
  /** First generation that it covers. */
  readonly first: number;
  /** Last generation that it covers. */
  readonly last: number;
  /** Random, 16 bytes. */
  readonly id: Bytes;
  /** Id of the segment before it, zero for the first: it ties the live segments into one chain. */
  readonly previous: Bytes;
}

/** A vault's data key and what it is bound to. */
export interface SegmentKey {
  /** AES-256-GCM. */
  readonly key: AesKey;
  /** 16 bytes. */
  readonly vaultId: Bytes;
}

/** Seals the pieces of a plaintext: each of {@linkcode CHUNK_SIZE} bytes, the last one at most that. */
export async function sealSegment(
  { key, vaultId }: SegmentKey,
  header: SegmentHeader,
  chunks: readonly Bytes[],
): Promise<Bytes> {
  const head = encodeHeader(header);
  const segment = new Uint8Array(chunks.reduce((sum, { length }) => sum + length + OVERHEAD, head.length));
  segment.set(head);
  let end = head.length;
  await Promise.all(chunks.map((chunk, index) => {
    const place = segment.subarray(end, end += chunk.length + OVERHEAD);
    return sealInto(place, key, chunk, chunkAad(vaultId, head, index, index === chunks.length - 1));
  }));
  return segment;
}

/**
 * Reads the header of a stored segment. Nothing in it is to be believed until a chunk has opened: it is part of what
 * each chunk authenticates.
 *
 * @throws {CorruptVaultError} when it is not of the form
 */
export async function readSegmentHeader(segment: StoredSegment): Promise<SegmentHeader> {
  if (segment.length < SEGMENT_HEADER_SIZE + OVERHEAD) throw new CorruptVaultError("a segment is too short");
  return decodeHeader(await segment.read(0, SEGMENT_HEADER_SIZE));
}

/**
 * Opens the chunks of a segment one after another, reading a little ahead.
 *
 * @throws {CorruptVaultError} when one fails authentication
 */
export async function* openSegment(
  { key, vaultId }: SegmentKey,
  segment: StoredSegment,
  header: SegmentHeader,
): AsyncGenerator<Bytes> {
  const count = chunkCount(segment);
  const ahead: Promise<Bytes | null>[] = [];
  try {
    for (let next = 0; ahead.length > 0 || next < count;) {
      while (next < count && ahead.length < READ_AHEAD) {
        const sealed = await readSealed(segment, next);
        ahead.push(openSealed({ key, vaultId }, header, sealed, next, next === count - 1));
        next++;
      }
      yield authentic(await ahead.shift()!);
    }
  } finally {
    await Promise.allSettled(ahead);
  }
}

/** How many chunks a segment has. */
export function chunkCount(segment: StoredSegment): number {
  return Math.ceil((segment.length - SEGMENT_HEADER_SIZE) / SEALED_CHUNK_SIZE);
}

/**
 * Opens one chunk of a segment.
 *
 * @throws {CorruptVaultError} when it fails authentication
 */
export async function openChunk(
  key: SegmentKey,
  segment: StoredSegment,
  header: SegmentHeader,
  index: number,
): Promise<Bytes> {
  const sealed = await readSealed(segment, index);
  return authentic(await openSealed(key, header, sealed, index, index === chunkCount(segment) - 1));
}

async function readSealed(segment: StoredSegment, index: number): Promise<Bytes> {
  const offset = SEGMENT_HEADER_SIZE + index * SEALED_CHUNK_SIZE;
  return await segment.read(offset, Math.min(SEALED_CHUNK_SIZE, segment.length - offset));
}

function openSealed(
  { key, vaultId }: SegmentKey,
  header: SegmentHeader,
  sealed: Bytes,
  index: number,
  last: boolean,
): Promise<Bytes | null> {
  return open(key, sealed, chunkAad(vaultId, encodeHeader(header), index, last));
}

function authentic(chunk: Bytes | null): Bytes {
  if (chunk === null) throw new CorruptVaultError("a segment fails authentication");
  return chunk;
}

/** The bytes of a header. */
export function encodeHeader(header: SegmentHeader): Bytes {
  const bytes = new Uint8Array(SEGMENT_HEADER_SIZE);
  const view = viewOf(bytes);
  bytes.set(MAGIC, AT.magic);
  bytes[AT.version] = VERSION;
  bytes[AT.kind] = KINDS[header.kind];
  view.setUint32(AT.epoch, header.epoch, true);
  writeU64(view, AT.first, header.first);
  writeU64(view, AT.last, header.last);
  bytes.set(header.id, AT.id);
  bytes.set(header.previous, AT.previous);
  return bytes;
}

/**
 * Decodes the bytes of a header.
 *
 * @throws {CorruptVaultError} when they are not of the form
 */
export function decodeHeader(bytes: Uint8Array): SegmentHeader {
  if (bytes.length !== SEGMENT_HEADER_SIZE) throw new CorruptVaultError("the header of a segment is not of its size");
  const view = viewOf(bytes);
  const kind = KIND_NAMES[bytes[AT.kind]! - 1];
  const epoch = view.getUint32(AT.epoch, true);
  const first = readU64(view, AT.first);
  const last = readU64(view, AT.last);
  const id = bytes.slice(AT.id, AT.previous);
  const previous = bytes.slice(AT.previous, SEGMENT_HEADER_SIZE);
  const sound = equalBytes(bytes.subarray(AT.magic, AT.version), MAGIC) && bytes[AT.version] === VERSION &&
    kind !== undefined && isZero(bytes.subarray(AT.zero, AT.epoch)) && isZero(bytes.subarray(AT.zero2, AT.first)) &&
    first !== undefined && last !== undefined && first >= 1 && first <= last &&
    (kind !== "snapshot" || first === last);
  if (!sound) throw new CorruptVaultError("the header of a segment is not of its form");
  return { kind, epoch, first, last, id, previous };
}

/**
 * What a chunk is sealed to. Index and last mark keep chunks from being moved, dropped or cut; the header keeps them in
 * their segment.
 */
export function chunkAad(vaultId: Bytes, head: Bytes, index: number, last: boolean): Bytes {
  const aad = new Uint8Array(LABEL.length + vaultId.length + head.length + 5);
  aad.set(LABEL, 0);
  aad.set(vaultId, LABEL.length);
  aad.set(head, LABEL.length + vaultId.length);
  viewOf(aad).setUint32(aad.length - 5, index, true);
  aad[aad.length - 1] = last ? 1 : 0;
  return aad;
}
