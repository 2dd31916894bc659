import assert from "node:assert/strict";
import { type Bytes, concat } from "../../lib/bytes.ts";
import { importAesKey, OVERHEAD } from "../../lib/crypto/aes_gcm.ts";
import { CorruptVaultError } from "../../lib/errors.ts";
import {
  CHUNK_SIZE,
  openSegment,
  readSegmentHeader,
  sealSegment,
  SEGMENT_HEADER_SIZE,
  type SegmentHeader,
  type SegmentKey,
} from "../../lib/sealed/segment.ts";
import type { StoredSegment } from "../../lib/storage/medium.ts";
import { flipped, gather, patterned } from "../helpers.ts";

const SEALED = CHUNK_SIZE + OVERHEAD;
const SIZES = [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE];
const KEY: SegmentKey = { key: await importAesKey(patterned(32), true), vaultId: patterned(16) };
const HEADER: SegmentHeader = {
  kind: "snapshot",
  epoch: 1,
  first: 4,
  last: 4,
  id: patterned(16, 3),
  previous: new Uint8Array(16),
};

function stored(bytes: Bytes): StoredSegment {
  return { version: 1, length: bytes.length, read: (at, length) => Promise.resolve(bytes.slice(at, at + length)) };
}

function split(plaintext: Bytes): Bytes[] {
  return Array.from(
    { length: chunksOf(plaintext.length) },
    (_, index) => plaintext.slice(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE),
  );
}

function chunksOf(size: number): number {
  return Math.max(1, Math.ceil(size / CHUNK_SIZE));
}

async function openAll(bytes: Bytes, key = KEY): Promise<Bytes> {
  const segment = stored(bytes);
  return concat(...await gather(openSegment(key, segment, await readSegmentHeader(segment))));
}

function chunk(bytes: Bytes, index: number): Bytes {
  return bytes.slice(SEGMENT_HEADER_SIZE + index * SEALED, SEGMENT_HEADER_SIZE + (index + 1) * SEALED);
}

async function refuses(bytes: Bytes, what: string, key = KEY): Promise<void> {
  await assert.rejects(openAll(bytes, key), CorruptVaultError, what);
}

Deno.test("openSegment() gives back what sealSegment() took, around the borders of chunks", async () => {
  for (const size of SIZES) {
    const plaintext = patterned(size);
    const bytes = await sealSegment(KEY, HEADER, split(plaintext));
    assert.equal(bytes.length, SEGMENT_HEADER_SIZE + size + chunksOf(size) * OVERHEAD);
    assert.ok(sameBytes(await openAll(bytes), plaintext), `${size} bytes`);
    assert.deepEqual(await readSegmentHeader(stored(bytes)), HEADER);
  }
});

Deno.test("openSegment() refuses chunks that were swapped, dropped, doubled, cut or moved", async () => {
  const bytes = await sealSegment(KEY, HEADER, split(patterned(2 * CHUNK_SIZE + 100)));
  const other = await sealSegment(KEY, { ...HEADER, id: patterned(16, 4) }, split(patterned(2 * CHUNK_SIZE + 100)));
  const head = bytes.slice(0, SEGMENT_HEADER_SIZE);
  const [first, second, last] = [chunk(bytes, 0), chunk(bytes, 1), chunk(bytes, 2)];
  await refuses(concat(head, second, first, last), "swapped");
  await refuses(concat(head, second, last), "first dropped");
  await refuses(concat(head, first, last), "middle dropped");
  await refuses(concat(head, first, second), "last dropped");
  await refuses(concat(head, first, first, last), "doubled");
  await refuses(concat(head, first, second, last, last), "last doubled");
  await refuses(bytes.slice(0, -1), "cut by a byte");
  await refuses(concat(bytes, Uint8Array.of(0)), "longer by a byte");
  await refuses(concat(head, first, chunk(other, 1), last), "spliced from another segment");
  await refuses(concat(other.slice(0, SEGMENT_HEADER_SIZE), first, second, last), "under another header");
});

Deno.test("openSegment() refuses a segment of another vault or another key", async () => {
  const bytes = await sealSegment(KEY, HEADER, split(patterned(100)));
  await refuses(bytes, "vault", { ...KEY, vaultId: patterned(16, 1) });
  await refuses(bytes, "key", { ...KEY, key: await importAesKey(patterned(32, 1), true) });
});

Deno.test("readSegmentHeader() and openSegment() refuse every flipped byte", async () => {
  const delta: SegmentHeader = { ...HEADER, kind: "delta", first: 2, previous: patterned(16, 9) };
  for (const header of [HEADER, delta]) {
    const bytes = await sealSegment(KEY, header, [patterned(40)]);
    for (let at = 0; at < bytes.length; at++) await refuses(flipped(bytes, at, 1 << (at % 8)), `byte ${at}`);
  }
});

Deno.test("readSegmentHeader() refuses what is too short to hold a chunk", async () => {
  const bytes = await sealSegment(KEY, HEADER, [new Uint8Array(0)]);
  assert.equal(bytes.length, SEGMENT_HEADER_SIZE + OVERHEAD);
  for (let length = 1; length < bytes.length; length++) await refuses(bytes.slice(0, length), `${length} bytes`);
});

/** Compares megabytes without the time that a deep comparison takes. */
function sameBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
