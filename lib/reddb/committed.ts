/**
 * Which header page counts: the one in the file, or, when a crash tore that, the one in the note beside the file.
 *
 * @module
 */
import { type Bytes, equalBytes } from "../bytes.ts";
import { decodeHeader, type VaultHeader } from "./header.ts";
import { VAULT_PAGE } from "./page.ts";
import type { PageFile } from "./page_file.ts";
import { decodeNote, type Sidecar } from "./sidecar.ts";

/** The header page that counts, and what an interrupted save left. */
export interface CommittedHeader {
  /** Page 2 as it should be; zeros where there is none. */
  readonly page: Bytes;
  /** What it says; null when it is no header. */
  readonly header: VaultHeader | null;
  /** Whether page 2 of the file is part old, part new, and `page` is what it was to become. */
  readonly torn: boolean;
  /** The header of the other side of an interrupted save: its chain may be in nobody's use. */
  readonly abandoned: VaultHeader | null;
}

/**
 * Reads page 2, and the note if there is one. A note that fits neither state of the page is of a save that somebody went
 * on from, and counts for nothing.
 */
export async function readCommitted(file: PageFile, sidecar: Sidecar): Promise<CommittedHeader> {
  const page = await file.readPage(VAULT_PAGE);
  const note = await decodeNote(await sidecar.read(), file.pageSize);
  const alone = { page, header: decodeHeader(page), torn: false, abandoned: null };
  if (note === null) return alone;
  const { before, after } = note;
  if (equalBytes(page, before)) return { ...alone, abandoned: decodeHeader(after) };
  if (equalBytes(page, after)) return { ...alone, abandoned: decodeHeader(before) };
  if (!isMixOf(page, before, after)) return alone;
  // The chain of the new page was durable before the note was, and the note before the page was touched.
  return { page: after, header: decodeHeader(after), torn: true, abandoned: decodeHeader(before) };
}

/** Writes the header page that counts over a torn one. The caller holds the exclusive lock. */
export async function putBack(file: PageFile, { page, torn }: CommittedHeader): Promise<void> {
  if (!torn) return;
  await file.writePages(VAULT_PAGE, page);
  await file.disk.sync();
}

/** Whether every byte of a page is that of one or the other. By chance that does not happen to pages of ciphertext. */
function isMixOf(page: Uint8Array, one: Uint8Array, other: Uint8Array): boolean {
  return page.every((byte, index) => byte === one[index] || byte === other[index]);
}
