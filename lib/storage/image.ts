/**
 * A whole vault file as bytes: of a new vault, or of a copy that begins with a later version.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { sha256 } from "../crypto/sha256.ts";
import { fillChain } from "./chain.ts";
import { assertCommit } from "./commit_rules.ts";
import type { Commit } from "./medium.ts";
import { encodeMetaPage, FIRST_SEGMENT_PAGE, metaPageOf } from "./meta_page.ts";
import { PAGE_SIZE } from "./page.ts";
import { placeSegments } from "./place.ts";

/** A segment of an image. */
export interface ImageSegment {
  /** Version of the commit that added it. */
  readonly version: number;
  /** Its bytes. */
  readonly bytes: Uint8Array;
}

/** The bytes of a file that holds version 1, with room for the first commits. */
export async function firstImage({ meta, append }: Commit): Promise<Bytes> {
  return await fileImage(1, meta, append.map((bytes) => ({ version: 1, bytes })));
}

/**
 * The bytes of a file that begins with a version, whatever came before it.
 *
 * @param addedDigest SHA-256 of the segments of that version, where it is known
 */
export async function fileImage(
  version: number,
  meta: Uint8Array,
  segments: readonly ImageSegment[],
  addedDigest?: Bytes,
): Promise<Bytes> {
  const all = segments.map(({ bytes }) => bytes);
  assertCommit({ meta, append: all, retain: [] });
  const added = segments.filter((segment) => segment.version === version).map(({ bytes }) => bytes);
  const placed = placeSegments({ free: [], pending: [], pages: FIRST_SEGMENT_PAGE }, all, version);
  const image = new Uint8Array(placed.pages * PAGE_SIZE);
  for (const [index, segment] of all.entries()) fillChain(image, placed.runs[index]!, segment);
  const page = {
    version,
    origin: version,
    pageCount: placed.pages,
    segments: placed.entries.map((entry, index) => ({ ...entry, version: segments[index]!.version })),
    added: added.length,
    addedDigest: addedDigest ?? await sha256(...added),
    meta: new Uint8Array(meta),
  };
  image.set(await encodeMetaPage(page), metaPageOf(version) * PAGE_SIZE);
  return image;
}
