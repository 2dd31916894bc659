/**
 * What the tests of the storage share: bytes that are easy to tell apart, seeded chance, folders that go away.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Bytes } from "../../lib/bytes.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import type { Commit, Committed, StoredSegment } from "../../lib/storage/medium.ts";
import { encodeMetaPage, type MetaPage, metaPageOf } from "../../lib/storage/meta_page.ts";
import { PAGE_SIZE } from "../../lib/storage/page.ts";

/** Whether to look longer: `COFFER_DEEP=1`. */
export const DEEP = Deno.env.get("COFFER_DEEP") === "1";

/** Where chance starts: `COFFER_SEED`, else the clock. Failures name it. */
export const SEED = Number(Deno.env.get("COFFER_SEED") ?? Date.now() % 1_000_000);

/** Numbers from 0 up to 1 that a seed settles (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** So many bytes that look like those of no other seed, and no page of which is like another. */
export function filled(length: number, seed: number): Bytes {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** A commit of one meta and some segments that retains what it is told. */
export function commitOf(
  meta: number,
  append: readonly Uint8Array[] = [],
  retain: readonly StoredSegment[] = [],
): Commit {
  return { meta: filled(64, meta), append, retain };
}

/** A file of version 1, as a medium makes it. */
export async function firstImage(commit: Commit): Promise<Bytes> {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/first.coffer`;
    (await FileMedium.create(path, commit)).close();
    return Deno.readFileSync(path);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The bytes of every segment, read under a shared lock that the caller need not hold. */
export async function contentsOf(committed: Committed): Promise<readonly Uint8Array[]> {
  const contents: Uint8Array[] = [];
  for (const segment of committed.segments) contents.push(await segment.read(0, segment.length));
  return contents;
}

/** Holds byte arrays against each other without printing them. */
export function assertSameBytes(
  actual: readonly Uint8Array[],
  expected: readonly Uint8Array[],
  message: string,
): void {
  assert.deepEqual(actual.map(({ length }) => length), expected.map(({ length }) => length), `lengths: ${message}`);
  for (const [index, bytes] of actual.entries()) {
    assert.ok(Buffer.compare(bytes, expected[index]!) === 0, `segment ${index} differs: ${message}`);
  }
}

/** Runs with a folder that is gone afterwards. */
export async function withFolder(use: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await use(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** A file made by hand: meta pages and other pages at their numbers. */
export function fileOf(pages: number, contents: Readonly<Record<number, Uint8Array>>): Bytes {
  const bytes = new Uint8Array(pages * PAGE_SIZE);
  for (const [number, page] of Object.entries(contents)) bytes.set(page, Number(number) * PAGE_SIZE);
  return bytes;
}

/** SHA-256 by a road of its own. */
export function digestOf(...parts: readonly Uint8Array[]): Bytes {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** A valid meta page with nothing in it but what is given. */
export function metaPage(parts: Partial<MetaPage> & { readonly version: number }): MetaPage {
  return {
    origin: 1,
    pageCount: 2,
    segments: [],
    added: 0,
    addedDigest: digestOf(),
    meta: filled(8, parts.version),
    ...parts,
  };
}

/** Where a version's meta page goes, and its bytes. */
export async function placed(page: MetaPage): Promise<Record<number, Uint8Array>> {
  return { [metaPageOf(page.version)]: await encodeMetaPage(page) };
}

/** A disk over contents of its own. */
export function diskOf(contents: Uint8Array): MemoryDisk {
  return new MemoryDisk(new MemoryFile(contents));
}
