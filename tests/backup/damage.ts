/**
 * Damage for tests: to bytes as a disk does it, and to sealed parts as only somebody who mends the checksums can.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bytes } from "../../lib/bytes.ts";
import { sha256 } from "../../lib/crypto/sha256.ts";
import { decodeMetaPage, encodeMetaPage, type MetaPage } from "../../lib/storage/meta_page.ts";
import { ChainReader } from "../../lib/storage/chain.ts";
import { decodePage, encodePage, PAGE_SIZE, PAYLOAD_SIZE } from "../../lib/storage/page.ts";
import { diskOf } from "../storage/helpers.ts";

/** A meta page and its place. */
export interface PlacedMeta {
  readonly number: 0 | 1;
  readonly page: MetaPage;
}

/** The meta page at a place, which must be valid. */
async function metaPageAt(bytes: Uint8Array, number: 0 | 1): Promise<MetaPage> {
  const found = await decodeMetaPage(bytes.slice(number * PAGE_SIZE, (number + 1) * PAGE_SIZE), number);
  assert.ok(found.status === "valid");
  return found.page;
}

/** Both meta pages, newest first, each with its place. */
export async function metaPages(bytes: Uint8Array): Promise<readonly [PlacedMeta, PlacedMeta]> {
  const both = await Promise.all(([0, 1] as const).map(async (number) => ({
    number,
    page: await metaPageAt(bytes, number),
  })));
  const [first, second] = both as [PlacedMeta, PlacedMeta];
  return first.page.version > second.page.version ? [first, second] : [second, first];
}

/** Flips a bit of the newest sealed meta, and mends the page's digest. */
export async function forgeMeta(bytes: Bytes, at: number): Promise<Bytes> {
  const copy = bytes.slice();
  const [{ number, page }] = await metaPages(bytes);
  const meta = page.meta.slice();
  meta[at]! ^= 1;
  copy.set(await encodeMetaPage({ ...page, meta }), number * PAGE_SIZE);
  return copy;
}

/** Flips a bit of a segment's page, and mends its checksum. */
export function forgePage(bytes: Bytes, number: number, index: number, used: number, at: number): Bytes {
  const copy = bytes.slice();
  const page = copy.subarray(number * PAGE_SIZE, (number + 1) * PAGE_SIZE);
  const { next, payload } = decodePage(page, number, index, used);
  const forged = payload.slice();
  forged[at]! ^= 1;
  page.fill(0);
  encodePage(page, next, index, forged);
  return copy;
}

/** Flips a bit of what the newest commit added, and mends checksum, digest of what was added, and meta page. */
export async function forgeNewest(bytes: Bytes, at = 200): Promise<Bytes> {
  const [{ number, page }] = await metaPages(bytes);
  const entry = page.segments.at(-1)!;
  const used = Math.min(PAYLOAD_SIZE, entry.length);
  const copy = forgePage(bytes, entry.first, 0, used, Math.min(at, used - 1));
  const added = await new ChainReader(diskOf(copy), entry, page.pageCount).read(0, entry.length);
  copy.set(await encodeMetaPage({ ...page, addedDigest: await sha256(added) }), number * PAGE_SIZE);
  return copy;
}

/** Overwrites a page with zeros. */
export function wiped(bytes: Bytes, number: number): Bytes {
  const copy = bytes.slice();
  copy.fill(0, number * PAGE_SIZE, (number + 1) * PAGE_SIZE);
  return copy;
}
