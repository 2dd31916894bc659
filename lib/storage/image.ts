/**
 * A whole vault file as bytes: of a new vault, or of a copy that begins with a later version.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { sha256 } from "../crypto/sha256.ts";
import { fillChain } from "./chain.ts";
import { assertCommit } from "./commit_rules.ts";
import type { Commit, Committed } from "./medium.ts";
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

/** The bytes of a file that begins with a version, whatever came before it. */
export async function fileImage(version: number, meta: Uint8Array, segments: readonly ImageSegment[]): Promise<Bytes> {
  const added = segments.filter((segment) => segment.version === version).map(({ bytes }) => bytes);
  const sources = segments.map(({ version, bytes }) => {
    const read = (offset: number, length: number) =>
      Promise.resolve(new Uint8Array(bytes.subarray(offset, offset + length)));
    return { version, length: bytes.length, read };
  });
  return await copyImage({ version, meta, segments: sources, addedDigest: await sha256(...added) });
}

/** The bytes of a file that begins with a copy of a committed version. */
export async function copyImage(
  committed: Omit<Committed, "recovered" | "meta"> & Pick<Commit, "meta">,
): Promise<Bytes> {
  const { version, meta, segments } = committed;
  const lengths = segments.map(({ length }) => ({ length }));
  assertCommit({ meta, append: lengths, retain: [] });
  const placed = placeSegments({ free: [], pending: [], pages: FIRST_SEGMENT_PAGE }, lengths, version);
  const image = new Uint8Array(placed.pages * PAGE_SIZE);
  for (const [index, segment] of segments.entries()) await fillChain(image, placed.runs[index]!, segment);
  const added = segments.filter((segment) => segment.version === version);
  const page = {
    version,
    origin: version,
    pageCount: placed.pages,
    segments: placed.entries.map((entry, index) => ({ ...entry, version: segments[index]!.version })),
    added: added.length,
    addedDigest: committed.addedDigest ??
      await sha256(...await Promise.all(added.map((one) => one.read(0, one.length)))),
    meta: new Uint8Array(meta),
  };
  image.set(await encodeMetaPage(page), metaPageOf(version) * PAGE_SIZE);
  return image;
}
