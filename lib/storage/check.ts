/**
 * A vault file's structure, checked without any key.
 *
 * @module
 */
import { CorruptVaultError } from "../errors.ts";
import { ChainReader } from "./chain.ts";
import { chooseVersion, decodeMetaPages } from "./choose.ts";
import type { Disk } from "./disk.ts";
import { complement, countPages, type Extent } from "./extents.ts";
import { FIRST_SEGMENT_PAGE, PAGE_SIZE } from "./meta_page.ts";

/** How many bytes of a segment are read at once. */
const PIECE = 1024 * 1024;

/** Something wrong with a file. */
export interface StructureProblem {
  /** What is wrong. */
  readonly what: string;
  /** In which page, where that is known. */
  readonly page?: number;
}

/** What a file's structure is like. */
export interface StructureReport {
  /** The version that counts. */
  readonly version: number;
  /** What stands in the two meta pages. */
  readonly metaPages: readonly string[];
  /** Whether a newer commit was torn, or may have been. */
  readonly recovered: boolean;
  /** How many live segments there are. */
  readonly segments: number;
  /** Pages in the file: all, reached by the version, reached by nothing. */
  readonly pages: { readonly total: number; readonly live: number; readonly free: number };
  /** What is damaged; empty when all is well. */
  readonly problems: readonly StructureProblem[];
}

/**
 * Reads every page that the newest version reaches. The caller holds a lock.
 *
 * @throws {NotAVaultError} @throws {CorruptVaultError} and their kin when there is no version to check
 */
export async function checkStructure(disk: Disk): Promise<StructureReport> {
  const raw = new Uint8Array(2 * PAGE_SIZE);
  const got = await disk.readAt(raw, 0);
  const { page, other, recovered } = await chooseVersion(disk, raw.subarray(0, got));
  const problems: StructureProblem[] = [];
  const live: Extent[] = [];
  for (const entry of page.segments) {
    const chain = new ChainReader(disk, entry, page.pageCount);
    try {
      for (let offset = 0; offset < entry.length; offset += PIECE) {
        await chain.read(offset, Math.min(PIECE, entry.length - offset));
      }
      live.push(...await chain.extents());
    } catch (error) {
      if (!(error instanceof CorruptVaultError)) throw error;
      problems.push({ what: error.message, ...(error.page === undefined ? {} : { page: error.page }) });
    }
  }
  const total = Math.floor(await disk.size() / PAGE_SIZE);
  const covered = countPages(live);
  const free = countPages(complement(live, FIRST_SEGMENT_PAGE, Math.max(total, FIRST_SEGMENT_PAGE)));
  if (covered + free + FIRST_SEGMENT_PAGE > total) problems.push({ what: "two segments share a page" });
  return {
    version: page.version,
    metaPages: (await decodeMetaPages(raw)).map((found) => found.status),
    recovered,
    segments: page.segments.length,
    pages: { total, live: covered + (other === undefined ? 1 : FIRST_SEGMENT_PAGE), free },
    problems,
  };
}
