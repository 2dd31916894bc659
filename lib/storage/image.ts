/**
 * A whole vault file as bytes: of a new vault, or of a copy that begins with a later version.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { sha256 } from "../crypto/sha256.ts";
import { writeChain } from "./chain.ts";
import { assertCommit } from "./commit_rules.ts";
import { MemoryDisk } from "./disk_memory.ts";
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

/** The bytes of a file that begins with a version, whatever came before it. */
export async function fileImage(version: number, meta: Uint8Array, segments: readonly ImageSegment[]): Promise<Bytes> {
  const all = segments.map(({ bytes }) => bytes);
  assertCommit({ meta, append: all, retain: [] });
  const disk = new MemoryDisk();
  const placed = placeSegments({ free: [], pending: [], pages: FIRST_SEGMENT_PAGE }, all, version);
  await disk.truncate(placed.pages * PAGE_SIZE);
  for (const [index, segment] of all.entries()) await writeChain(disk, placed.runs[index]!, segment);
  const added = segments.filter((segment) => segment.version === version).map(({ bytes }) => bytes);
  const page = {
    version,
    origin: version,
    pageCount: placed.pages,
    segments: placed.entries.map((entry, index) => ({ ...entry, version: segments[index]!.version })),
    added: added.length,
    addedDigest: await sha256(...added),
    meta: new Uint8Array(meta),
  };
  await disk.writeAt(await encodeMetaPage(page), metaPageOf(version) * PAGE_SIZE);
  const image = new Uint8Array(await disk.size());
  await disk.readAt(image, 0);
  return image;
}
