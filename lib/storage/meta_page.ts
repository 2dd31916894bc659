/**
 * The meta page as bytes (`docs/format.md`, section 2).
 *
 * | offset | size    | field                                                         |
 * |--------|---------|---------------------------------------------------------------|
 * | 0      | 6       | magic `COFFER`                                                |
 * | 6      | 2       | format version, 1                                             |
 * | 8      | 4       | page size, 4096                                               |
 * | 12     | 4       | length of the sealed meta                                     |
 * | 16     | 32      | SHA-256 of the page with these bytes zero                     |
 * | 48     | 8       | version of the commit                                         |
 * | 56     | 4       | page count                                                    |
 * | 60     | 2       | number of segments                                            |
 * | 62     | 2       | how many of them the commit added                             |
 * | 64     | 32      | SHA-256 of the added segments                                 |
 * | 96     | 32      | zero                                                          |
 * | 128    | 48 × 24 | segments: version 8, first page 4, last page 4, length 8      |
 * | 1280   | 128     | zero                                                          |
 * | 1408   | 2688    | sealed meta, then zeros                                       |
 *
 * The digest needs no key: it tells a torn write from a whole one. Authenticity is the sealed meta's own business.
 *
 * @module
 */
import { type Bytes, encodeUtf8, equalBytes, isZero, readU64, viewOf, writeU64 } from "../bytes.ts";
import { DIGEST_SIZE, sha256 } from "../crypto/sha256.ts";
import { MAX_META_SIZE, MAX_SEGMENTS } from "./medium.ts";

/** Size of a page, in bytes: the unit of file I/O. */
export const PAGE_SIZE = 4096;
/** Pages 0 and 1 are meta pages; segments come after them. */
export const FIRST_SEGMENT_PAGE = 2;
/** Payload of one segment page, in bytes. */
export const PAYLOAD_SIZE = 4080;
const MAGIC = encodeUtf8("COFFER");
const FORMAT_VERSION = 1;
const DIGEST_OFFSET = 16;
const TABLE_OFFSET = 128;
const ENTRY_SIZE = 24;
const META_OFFSET = PAGE_SIZE - MAX_META_SIZE;

/** Where a segment is. */
export interface SegmentEntry {
  /** Version of the commit that added it. */
  readonly version: number;
  /** Its first page. */
  readonly first: number;
  /** Its last page; the pages between are contiguous when the numbers say so, else chained. */
  readonly last: number;
  /** Its length in bytes. */
  readonly length: number;
}

/** What a meta page says. */
export interface MetaPage {
  /** Version of the commit. */
  readonly version: number;
  /** The file holds at least so many pages. */
  readonly pageCount: number;
  /** Live segments, oldest first. */
  readonly segments: readonly SegmentEntry[];
  /** How many segments, from the end, the commit added. */
  readonly added: number;
  /** Digest of the added segments' bytes. */
  readonly addedDigest: Bytes;
  /** The sealed meta. */
  readonly meta: Bytes;
}

/** What may stand in the place of a meta page. */
export type DecodedMetaPage =
  | { readonly status: "valid"; readonly page: MetaPage }
  /** Never written, or taken back. */
  | { readonly status: "empty" }
  /** Without the magic. */
  | { readonly status: "foreign" }
  /** Of another format version. */
  | { readonly status: "future"; readonly formatVersion: number }
  /** With the magic, but not whole. */
  | { readonly status: "torn" };

/** The meta page, 0 or 1, that a version is written to. */
export function metaPageOf(version: number): 0 | 1 {
  return (version + 1) % 2 === 0 ? 0 : 1;
}

/** How many pages a segment of so many bytes takes. */
export function pagesFor(length: number): number {
  return Math.ceil(length / PAYLOAD_SIZE);
}

/** Encodes a meta page. */
export async function encodeMetaPage(page: MetaPage): Promise<Bytes> {
  const bytes = new Uint8Array(PAGE_SIZE);
  const view = viewOf(bytes);
  bytes.set(MAGIC, 0);
  view.setUint16(6, FORMAT_VERSION, true);
  view.setUint32(8, PAGE_SIZE, true);
  view.setUint32(12, page.meta.length, true);
  writeU64(view, 48, page.version);
  view.setUint32(56, page.pageCount, true);
  view.setUint16(60, page.segments.length, true);
  view.setUint16(62, page.added, true);
  bytes.set(page.addedDigest, 64);
  page.segments.forEach((segment, index) => {
    const offset = TABLE_OFFSET + index * ENTRY_SIZE;
    writeU64(view, offset, segment.version);
    view.setUint32(offset + 8, segment.first, true);
    view.setUint32(offset + 12, segment.last, true);
    writeU64(view, offset + 16, segment.length);
  });
  bytes.set(page.meta, META_OFFSET);
  bytes.set(await sha256(bytes), DIGEST_OFFSET);
  return bytes;
}

/** Decodes what stands in meta page `number`. Strict: what is valid encodes to the same bytes again. */
export async function decodeMetaPage(bytes: Uint8Array, number: 0 | 1): Promise<DecodedMetaPage> {
  if (isZero(bytes)) return { status: "empty" };
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return { status: "foreign" };
  const view = viewOf(bytes);
  const formatVersion = view.getUint16(6, true);
  if (formatVersion !== FORMAT_VERSION) return { status: "future", formatVersion };
  const page = await isWhole(bytes) ? decodeFields(bytes, view) : undefined;
  return page === undefined || metaPageOf(page.version) !== number ? { status: "torn" } : { status: "valid", page };
}

async function isWhole(bytes: Uint8Array): Promise<boolean> {
  const zeros = new Uint8Array(DIGEST_SIZE);
  const digest = await sha256(bytes.subarray(0, DIGEST_OFFSET), zeros, bytes.subarray(DIGEST_OFFSET + DIGEST_SIZE));
  return equalBytes(digest, bytes.subarray(DIGEST_OFFSET, DIGEST_OFFSET + DIGEST_SIZE));
}

function decodeFields(bytes: Uint8Array, view: DataView): MetaPage | undefined {
  const metaLength = view.getUint32(12, true);
  const version = readU64(view, 48);
  const pageCount = view.getUint32(56, true);
  const count = view.getUint16(60, true);
  const added = view.getUint16(62, true);
  if (view.getUint32(8, true) !== PAGE_SIZE || metaLength < 1 || metaLength > MAX_META_SIZE) return undefined;
  if (!version || pageCount < FIRST_SEGMENT_PAGE || count > MAX_SEGMENTS || added > count) return undefined;
  const tableEnd = TABLE_OFFSET + count * ENTRY_SIZE;
  const gaps = [bytes.subarray(96, TABLE_OFFSET), bytes.subarray(tableEnd, META_OFFSET)];
  if (!gaps.every(isZero) || !isZero(bytes.subarray(META_OFFSET + metaLength))) return undefined;
  const segments: SegmentEntry[] = [];
  for (let index = 0; index < count; index++) {
    const entry = decodeEntry(view, TABLE_OFFSET + index * ENTRY_SIZE, pageCount);
    if (entry === undefined || entry.version < (segments.at(-1)?.version ?? 1)) return undefined;
    if ((entry.version === version) !== (index >= count - added) || entry.version > version) return undefined;
    segments.push(entry);
  }
  const addedDigest = bytes.slice(64, 64 + DIGEST_SIZE);
  return { version, pageCount, segments, added, addedDigest, meta: bytes.slice(META_OFFSET, META_OFFSET + metaLength) };
}

function decodeEntry(view: DataView, offset: number, pageCount: number): SegmentEntry | undefined {
  const version = readU64(view, offset);
  const first = view.getUint32(offset + 8, true);
  const last = view.getUint32(offset + 12, true);
  const length = readU64(view, offset + 16);
  if (!version || !length || first < FIRST_SEGMENT_PAGE || last < FIRST_SEGMENT_PAGE) return undefined;
  // A length that the file can not hold is refused here, before anybody allocates for it.
  if (first >= pageCount || last >= pageCount || pagesFor(length) > pageCount - FIRST_SEGMENT_PAGE) return undefined;
  return { version, first, last, length };
}
