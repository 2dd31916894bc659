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
import { countPages, type Extent, normalize } from "./extents.ts";
import { MAX_META_SIZE, MAX_SEGMENTS } from "./medium.ts";
import { PAGE_SIZE, pagesFor } from "./page.ts";

/** Pages 0 and 1 are meta pages; segments come after them. */
export const FIRST_SEGMENT_PAGE = 2;
/** A page number takes 32 bits. */
const MAX_PAGES = 2 ** 32 - 1;

const MAGIC = encodeUtf8("COFFER");
/** How the names of anchor, attempts file and key file go on behind the magic. */
const OTHER_FILES = ["AN", "AT", "-K"].map(encodeUtf8);
/** The version that is read and written. */
export const FORMAT_VERSION = 1;

/** Where it is, in 16 bits. */
export const FORMAT_VERSION_OFFSET = 6;
/** Where the format version ends: so many bytes of a page tell whether it can be read. */
export const FORMAT_VERSION_END = 8;
const PAGE_SIZE_OFFSET = FORMAT_VERSION_END;
const META_LENGTH_OFFSET = 12;
const DIGEST_OFFSET = 16;
const VERSION_OFFSET = 48;
const PAGE_COUNT_OFFSET = 56;
const SEGMENT_COUNT_OFFSET = 60;
const ADDED_COUNT_OFFSET = 62;
const ADDED_DIGEST_OFFSET = 64;
const ORIGIN_OFFSET = ADDED_DIGEST_OFFSET + DIGEST_SIZE;
const GAP_OFFSET = ORIGIN_OFFSET + 8;
const TABLE_OFFSET = 128;
const META_OFFSET = PAGE_SIZE - MAX_META_SIZE;

const ENTRY_SIZE = 24;
const ENTRY_VERSION_OFFSET = 0;
const ENTRY_FIRST_OFFSET = 8;
const ENTRY_LAST_OFFSET = 12;
const ENTRY_LENGTH_OFFSET = 16;

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
  /** Version that the file began with: 1, or that of a copy. The one before it was never in this file. */
  readonly origin: number;
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
  /** With the magic, but not whole; or whole, with a rule of the format broken, which no torn write brings about. */
  | { readonly status: "torn"; readonly broken?: string };

/** The meta page, 0 or 1, that a version is written to. */
export function metaPageOf(version: number): 0 | 1 {
  return (version + 1) % 2 === 0 ? 0 : 1;
}

/** Whether the pages of a segment follow one another in the file, so that no chain need be walked. */
export function isContiguous(entry: SegmentEntry): boolean {
  return entry.last - entry.first + 1 === pagesFor(entry.length);
}

/**
 * Encodes a meta page.
 *
 * @throws {RangeError} when something does not fit its field
 */
export async function encodeMetaPage(page: MetaPage): Promise<Bytes> {
  assertFits(page);
  const bytes = new Uint8Array(PAGE_SIZE);
  const view = viewOf(bytes);
  bytes.set(MAGIC, 0);
  view.setUint16(FORMAT_VERSION_OFFSET, FORMAT_VERSION, true);
  view.setUint32(PAGE_SIZE_OFFSET, PAGE_SIZE, true);
  view.setUint32(META_LENGTH_OFFSET, page.meta.length, true);
  writeU64(view, VERSION_OFFSET, page.version);
  view.setUint32(PAGE_COUNT_OFFSET, page.pageCount, true);
  view.setUint16(SEGMENT_COUNT_OFFSET, page.segments.length, true);
  view.setUint16(ADDED_COUNT_OFFSET, page.added, true);
  bytes.set(page.addedDigest, ADDED_DIGEST_OFFSET);
  writeU64(view, ORIGIN_OFFSET, page.origin === 1 ? 0 : page.origin);
  page.segments.forEach((segment, index) => {
    const offset = TABLE_OFFSET + index * ENTRY_SIZE;
    writeU64(view, offset + ENTRY_VERSION_OFFSET, segment.version);
    view.setUint32(offset + ENTRY_FIRST_OFFSET, segment.first, true);
    view.setUint32(offset + ENTRY_LAST_OFFSET, segment.last, true);
    writeU64(view, offset + ENTRY_LENGTH_OFFSET, segment.length);
  });
  bytes.set(page.meta, META_OFFSET);
  bytes.set(await sha256(bytes), DIGEST_OFFSET);
  return bytes;
}

/** A field that overflows would be cut off without a word, and name other pages than were meant. */
function assertFits({ pageCount, segments, addedDigest, meta }: MetaPage): void {
  if (pageCount > MAX_PAGES) throw new RangeError(`A file has at most ${MAX_PAGES} pages, got ${pageCount}`);
  if (segments.length > MAX_SEGMENTS || meta.length > MAX_META_SIZE || addedDigest.length !== DIGEST_SIZE) {
    throw new RangeError("The parts of a meta page do not fit it");
  }
}

/**
 * Decodes what stands in meta page `number`. Strict: what is valid encodes to the same bytes again, and holds to every
 * rule of the format that can be seen without reading a segment.
 */
export async function decodeMetaPage(bytes: Uint8Array, number: 0 | 1): Promise<DecodedMetaPage> {
  if (isZero(bytes)) return { status: "empty" };
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC) || isOtherFile(bytes)) return { status: "foreign" };
  if (bytes.length !== PAGE_SIZE) return { status: "torn" };
  const view = viewOf(bytes);
  const formatVersion = view.getUint16(FORMAT_VERSION_OFFSET, true);
  if (formatVersion !== FORMAT_VERSION) return { status: "future", formatVersion };
  if (!await isWhole(bytes)) return { status: "torn" };
  const page = decodeFields(bytes, view);
  if (typeof page === "string") return { status: "torn", broken: page };
  if (metaPageOf(page.version) !== number) {
    return { status: "torn", broken: "a meta page stands in the place of the other" };
  }
  return { status: "valid", page };
}

/** Other files of coffer's begin with the same letters, and are no vault of a later version. */
function isOtherFile(bytes: Uint8Array): boolean {
  return OTHER_FILES.some((begin) => equalBytes(bytes.subarray(MAGIC.length, MAGIC.length + begin.length), begin));
}

async function isWhole(bytes: Uint8Array): Promise<boolean> {
  const zeros = new Uint8Array(DIGEST_SIZE);
  const digest = await sha256(bytes.subarray(0, DIGEST_OFFSET), zeros, bytes.subarray(DIGEST_OFFSET + DIGEST_SIZE));
  return equalBytes(digest, bytes.subarray(DIGEST_OFFSET, DIGEST_OFFSET + DIGEST_SIZE));
}

/** The fields, or which rule they break. */
function decodeFields(bytes: Uint8Array, view: DataView): MetaPage | string {
  const metaLength = view.getUint32(META_LENGTH_OFFSET, true);
  const version = readU64(view, VERSION_OFFSET);
  const pageCount = view.getUint32(PAGE_COUNT_OFFSET, true);
  const count = view.getUint16(SEGMENT_COUNT_OFFSET, true);
  const added = view.getUint16(ADDED_COUNT_OFFSET, true);
  const origin = readU64(view, ORIGIN_OFFSET);
  if (view.getUint32(PAGE_SIZE_OFFSET, true) !== PAGE_SIZE) return "a meta page names another page size";
  if (metaLength < 1 || metaLength > MAX_META_SIZE) return "the sealed meta's length is out of bounds";
  // An origin of 1 is written as 0.
  if (!version || origin === undefined || origin === 1 || origin > version) {
    return "a meta page's versions are out of bounds";
  }
  if (pageCount < FIRST_SEGMENT_PAGE || count > MAX_SEGMENTS || added > count) {
    return "a number of a meta page is out of bounds";
  }
  const tableEnd = TABLE_OFFSET + count * ENTRY_SIZE;
  const gaps = [
    bytes.subarray(GAP_OFFSET, TABLE_OFFSET),
    bytes.subarray(tableEnd, META_OFFSET),
    bytes.subarray(META_OFFSET + metaLength),
  ];
  if (!gaps.every(isZero)) return "a meta page holds something where zeros belong";
  const segments: SegmentEntry[] = [];
  for (let index = 0; index < count; index++) {
    const entry = decodeEntry(view, TABLE_OFFSET + index * ENTRY_SIZE, pageCount);
    if (entry === undefined) return "a segment is out of bounds";
    const falls = entry.version < (segments.at(-1)?.version ?? 1) || entry.version > version;
    if (falls || (entry.version === version) !== (index >= count - added)) return "the segments' versions do not fit";
    segments.push(entry);
  }
  if (sharesPages(segments, pageCount)) return "two segments share a page";
  return {
    version,
    origin: origin || 1,
    pageCount,
    segments,
    added,
    addedDigest: bytes.slice(ADDED_DIGEST_OFFSET, ADDED_DIGEST_OFFSET + DIGEST_SIZE),
    meta: bytes.slice(META_OFFSET, META_OFFSET + metaLength),
  };
}

function decodeEntry(view: DataView, offset: number, pageCount: number): SegmentEntry | undefined {
  const version = readU64(view, offset + ENTRY_VERSION_OFFSET);
  const first = view.getUint32(offset + ENTRY_FIRST_OFFSET, true);
  const last = view.getUint32(offset + ENTRY_LAST_OFFSET, true);
  const length = readU64(view, offset + ENTRY_LENGTH_OFFSET);
  if (!version || !length || first < FIRST_SEGMENT_PAGE || last < FIRST_SEGMENT_PAGE) return undefined;
  // A length that the file can not hold is refused here, before anybody allocates for it.
  if (first >= pageCount || last >= pageCount || pagesFor(length) > pageCount - FIRST_SEGMENT_PAGE) return undefined;
  // One page is its own end, and more than one page have two.
  if ((first === last) !== (pagesFor(length) === 1)) return undefined;
  return { version, first, last, length };
}

/**
 * Whether two segments share a page, as far as the table tells, which is far enough: two chains that meet go on together,
 * because a page holds the number of the next, so sound ones that share any page share the last one too.
 */
function sharesPages(segments: readonly SegmentEntry[], pageCount: number): boolean {
  const named: readonly Extent[] = segments.flatMap((entry) => {
    const { first, last, length } = entry;
    return isContiguous(entry) ? { first, count: pagesFor(length) } : [{ first, count: 1 }, { first: last, count: 1 }];
  });
  const pages = segments.reduce((sum, { length }) => sum + pagesFor(length), FIRST_SEGMENT_PAGE);
  return pages > pageCount || countPages(normalize(named)) < countPages(named);
}
