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
import { FIRST_SEGMENT_PAGE } from "./meta_page.ts";
import { PAGE_SIZE } from "./page.ts";

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
  const metaPages = await decodeMetaPages(raw.subarray(0, got));
  const problems: StructureProblem[] = [];
  for (const [number, found] of metaPages.entries()) {
    // A torn write breaks the digest. Where that is right, somebody wrote what no commit writes.
    if (found.status === "torn" && found.broken !== undefined) problems.push({ what: found.broken, page: number });
  }
  const live: Extent[] = [];
  // Segments that share a page are found here too: the table says so, or one of their chains goes wrong at that page.
  for (const entry of page.segments) {
    const chain = new ChainReader(disk, entry, page.pageCount);
    try {
      for await (const _ of chain.pieces()) { /* Reading a page checks it. */ }
      live.push(...await chain.extents());
    } catch (error) {
      if (!(error instanceof CorruptVaultError)) throw error;
      problems.push({ what: error.message, ...(error.page === undefined ? {} : { page: error.page }) });
    }
  }
  const total = Math.floor(await disk.size() / PAGE_SIZE);
  const covered = countPages(live);
  const free = countPages(complement(live, FIRST_SEGMENT_PAGE, Math.max(total, FIRST_SEGMENT_PAGE)));
  return {
    version: page.version,
    metaPages: metaPages.map(({ status }) => status),
    recovered,
    segments: page.segments.length,
    pages: { total, live: covered + (other === undefined ? 1 : FIRST_SEGMENT_PAGE), free },
    problems,
  };
}
