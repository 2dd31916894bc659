/**
 * A vault file of one version, written from nothing.
 *
 * @module
 */
import { sha256 } from "../crypto/sha256.ts";
import { writeChain } from "./chain.ts";
import type { Disk } from "./disk.ts";
import { encodeMetaPage, FIRST_SEGMENT_PAGE, metaPageOf, type SegmentEntry } from "./meta_page.ts";
import { PAGE_SIZE, pagesFor } from "./page.ts";

/** What the file will hold. */
export interface Image {
  /** Version of the commit. */
  readonly version: number;
  /** The sealed meta. */
  readonly meta: Uint8Array<ArrayBuffer>;
  /** The live segments, oldest first, each with the version whose commit added it. */
  readonly segments: readonly { readonly version: number; readonly bytes: Uint8Array<ArrayBuffer> }[];
}

/**
 * Writes the version to an empty disk and syncs. Its meta page is the only one, so the next commit has to follow before
 * anybody looks: until then the other page counts as wiped.
 */
export async function writeImage(disk: Disk, { version, meta, segments }: Image): Promise<void> {
  let pageCount = FIRST_SEGMENT_PAGE;
  const entries: SegmentEntry[] = [];
  for (const { version: added, bytes } of segments) {
    const count = pagesFor(bytes.length);
    entries.push({ version: added, first: pageCount, last: pageCount + count - 1, length: bytes.length });
    await writeChain(disk, [{ first: pageCount, count }], bytes);
    pageCount += count;
  }
  const fresh = segments.filter((segment) => segment.version === version).map(({ bytes }) => bytes);
  const page = {
    version,
    pageCount,
    segments: entries,
    added: fresh.length,
    addedDigest: await sha256(...fresh),
    meta,
  };
  await disk.writeAt(await encodeMetaPage(page), metaPageOf(version) * PAGE_SIZE);
  await disk.sync();
}
