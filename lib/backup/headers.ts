/**
 * The header of a segment whose first page is damaged, worked out from its neighbours.
 *
 * Every chunk is sealed to the header, so without it not even sound chunks open. But all that a header says stands
 * elsewhere too: its own id in the next segment or in the meta, the id before it in the segment before, its generations
 * in the table. A wrong guess opens nothing.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { CorruptVaultError } from "../errors.ts";
import { ID_SIZE, type Meta } from "../sealed/meta.ts";
import { decodeHeader, SEGMENT_HEADER_SIZE, type SegmentHeader } from "../sealed/segment.ts";
import type { Disk } from "../storage/disk.ts";
import type { MetaPage } from "../storage/meta_page.ts";
import { namedSegments } from "./scan.ts";

/** Headers that the segment of this place in the table may have. */
export async function guessHeaders(
  disk: Disk,
  page: MetaPage,
  meta: Meta,
  index: number,
): Promise<readonly SegmentHeader[]> {
  const segments = namedSegments(disk, page);
  const header = async (at: number) => await tryHeader(segments[at]);
  const last = segments[index]?.version;
  const id = index === segments.length - 1 ? meta.head : (await header(index + 1))?.previous;
  if (last === undefined || id === undefined) return [];
  const { epoch } = meta;
  const before = await header(index - 1);
  const previous = before?.kind === "audit" ? before.id : new Uint8Array(ID_SIZE);
  const guesses: SegmentHeader[] = [{ kind: "snapshot", epoch, first: last, last, id, previous }];
  if (before !== undefined && before.kind !== "audit" && before.last < last) {
    guesses.push({ kind: "delta", epoch, first: before.last + 1, last, id, previous: before.id });
  }
  return guesses;
}

async function tryHeader(
  segment: { read(offset: number, length: number): Promise<Bytes> } | undefined,
): Promise<SegmentHeader | undefined> {
  try {
    return segment === undefined ? undefined : decodeHeader(await segment.read(0, SEGMENT_HEADER_SIZE));
  } catch (error) {
    // A segment shorter than a header is as bad as one that is damaged.
    if (error instanceof CorruptVaultError || error instanceof RangeError) return undefined;
    throw error;
  }
}
