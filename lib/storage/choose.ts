/**
 * Which of two meta pages counts (`docs/format.md`, section 2).
 *
 * @module
 */
import { equalBytes } from "../bytes.ts";
import { Sha256, sha256 } from "../crypto/sha256.ts";
import {
  CorruptVaultError,
  EmptyFileError,
  NotAVaultError,
  TruncatedVaultError,
  UnsupportedVersionError,
} from "../errors.ts";
import { ChainReader, PIECE_SIZE } from "./chain.ts";
import type { Disk } from "./disk.ts";
import { type DecodedMetaPage, decodeMetaPage, FORMAT_VERSION_END, type MetaPage } from "./meta_page.ts";
import { PAGE_SIZE } from "./page.ts";

/** The version that counts. */
export interface Chosen {
  /** Its meta page. */
  readonly page: MetaPage;
  /** The older meta page, when it is valid. A newer one that is not complete reaches nothing. */
  readonly other: MetaPage | undefined;
  /** Whether a newer commit was torn, or may have been. */
  readonly recovered: boolean;
}

/**
 * Decides which version counts.
 *
 * @param raw the first two pages of the file, or what there is of them
 * @throws {EmptyFileError} @throws {NotAVaultError} @throws {UnsupportedVersionError}
 * @throws {TruncatedVaultError} @throws {CorruptVaultError}
 */
export async function chooseVersion(disk: Disk, raw: Uint8Array): Promise<Chosen> {
  const size = await disk.size();
  if (size === 0) throw new EmptyFileError(disk.path);
  const pages = await decodeMetaPages(raw);
  for (const [number, page] of pages.entries()) {
    // A page that ends before its format version names none.
    if (page.status === "future" && size >= number * PAGE_SIZE + FORMAT_VERSION_END) {
      throw new UnsupportedVersionError(disk.path, page.formatVersion);
    }
  }
  const foreign = pages.every(({ status }) => status === "foreign" || status === "empty");
  if (foreign) throw new NotAVaultError(disk.path);
  const valid = pages.flatMap((page) => page.status === "valid" ? [page.page] : []).sort((a, b) =>
    b.version - a.version
  );
  const torn = pages.some(({ status }) => status === "torn" || status === "foreign");
  let problem = size < 2 * PAGE_SIZE ? new TruncatedVaultError(disk.path, size, 2 * PAGE_SIZE) : noneIsValid(pages);
  for (const [index, page] of valid.entries()) {
    const found = await incompleteness(disk, page, size);
    if (found === null) {
      // From the second version of a file on both pages have been written: a page of zeros was taken back, or wiped.
      const missing = page.version > page.origin && pages.some(({ status }) => status === "empty");
      return { page, other: valid[index + 1], recovered: index > 0 || torn || missing };
    }
    // A file that is too short for either version is cut short, whatever else is wrong with it.
    if (found instanceof TruncatedVaultError || !(problem instanceof TruncatedVaultError)) problem = found;
  }
  throw problem;
}

function noneIsValid(pages: readonly DecodedMetaPage[]): CorruptVaultError {
  for (const [page, found] of pages.entries()) {
    if (found.status === "torn" && found.broken !== undefined) return new CorruptVaultError(found.broken, { page });
  }
  return new CorruptVaultError("neither meta page is whole", { page: 0 });
}

/** Decodes both meta pages; what is missing at the end of a short file counts as never written. */
export async function decodeMetaPages(raw: Uint8Array): Promise<readonly [DecodedMetaPage, DecodedMetaPage]> {
  const whole = new Uint8Array(2 * PAGE_SIZE);
  whole.set(raw);
  return await Promise.all([
    decodeMetaPage(whole.subarray(0, PAGE_SIZE), 0),
    decodeMetaPage(whole.subarray(PAGE_SIZE), 1),
  ]);
}

/** Why the commit of a valid meta page is not all there, or null when it is. */
export async function incompleteness(
  disk: Disk,
  page: MetaPage,
  size: number,
): Promise<TruncatedVaultError | CorruptVaultError | null> {
  if (page.pageCount * PAGE_SIZE > size) return new TruncatedVaultError(disk.path, size, page.pageCount * PAGE_SIZE);
  try {
    const digest = await addedDigest(disk, page);
    if (equalBytes(digest, page.addedDigest)) return null;
  } catch (error) {
    if (error instanceof CorruptVaultError) return error;
    throw error;
  }
  return new CorruptVaultError("the newest segment is not the one that was committed");
}

/** Digests what the commit added; large segments piece by piece. */
async function addedDigest(disk: Disk, page: MetaPage): Promise<Uint8Array> {
  const added = page.segments.slice(page.segments.length - page.added);
  if (added.every(({ length }) => length <= PIECE_SIZE)) {
    return await sha256(
      ...await Promise.all(added.map((entry) => new ChainReader(disk, entry, page.pageCount).read(0, entry.length))),
    );
  }
  const hash = new Sha256();
  for (const entry of added) {
    for await (const piece of new ChainReader(disk, entry, page.pageCount).pieces()) hash.update(piece);
  }
  return await hash.digest();
}
