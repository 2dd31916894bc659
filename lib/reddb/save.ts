/**
 * Putting a sealed payload in the place of the last one, so that a crash leaves one of the two.
 *
 * Until the header page is rewritten nothing that is reached is touched: the new chain goes to pages that were free, and
 * the old one is given back only when the new header is durable. A header page that a crash tears while it is written is
 * told from the note that was made durable before.
 *
 * @module
 */
import { isZero } from "../bytes.ts";
import { CofferError } from "../errors.ts";
import { RedDbCorruptError, RedDbEncryptionError, RedDbPageFileError, RedDbUnsupportedError } from "./errors.ts";
import { followSoundly, writeChain } from "./chain.ts";
import { type CommittedHeader, putBack } from "./committed.ts";
import { allocate, type Allocation, readFreelist, release } from "./freelist.ts";
import { assertVersion, chainPagesFor, encodeHeader } from "./header.ts";
import { contentOf, PAGE_TYPE, pageType, VAULT_PAGE } from "./page.ts";
import type { PageFile } from "./page_file.ts";
import { encodeNote, type Sidecar } from "./sidecar.ts";

/** Most bytes of a payload: its length has 32 bits. */
const MAX_PAYLOAD = 2 ** 32 - 1;

/**
 * Fails when page 2 holds what must not be overwritten.
 *
 * @param replaceUnreadable lets a vault of version 1, or a page that is no header, be overwritten
 * @throws {RedDbUnsupportedError} @throws {RedDbLegacyError} @throws {RedDbCorruptError} @throws {RedDbPageFileError}
 */
export function assertReplaceable(
  file: PageFile,
  { page, header }: CommittedHeader,
  replaceUnreadable: boolean,
): void {
  if (header !== null) {
    try {
      assertVersion(header);
    } catch (error) {
      // A later version may be read by a later program; only the first is read by none.
      if (!replaceUnreadable || error instanceof RedDbUnsupportedError) throw error;
    }
    return;
  }
  const type = pageType(page);
  if (type !== PAGE_TYPE.vault && type !== PAGE_TYPE.free) {
    throw new RedDbPageFileError(file.disk.path, "the page of the vault holds something else", { page: VAULT_PAGE });
  }
  if (!replaceUnreadable && !isZero(contentOf(page))) {
    throw new RedDbCorruptError("the header page is no header, and would be overwritten", { page: VAULT_PAGE });
  }
}

/**
 * Saves a sealed payload: nonce, ciphertext, tag. The caller holds the exclusive lock.
 *
 * @throws {RedDbPageFileError} when the list of free pages is not sound; nothing is changed then
 * @throws {RedDbEncryptionError} when the payload is too long for the format
 */
export async function saveSealed(
  file: PageFile,
  sidecar: Sidecar,
  committed: CommittedHeader,
  salt: Uint8Array,
  sealed: Uint8Array,
): Promise<void> {
  if (sealed.length > MAX_PAYLOAD) throw new RedDbEncryptionError("the payload is longer than its length can say");
  await putBack(file, committed);
  // A damaged chain stops nothing: what cannot be followed without a doubt is not given back.
  const old = new Set([
    ...await followSoundly(file, committed.header),
    ...await followSoundly(file, committed.abandoned),
  ]);
  const freelist = await readFreelist(file);
  file.assertCanGrow(0);
  await file.reserve();
  const allocation = await allocate(file, freelist, chainPagesFor(sealed.length, file.pageSize), old);
  const { ids } = allocation;
  const page = encodeHeader(file.pageSize, salt, sealed, ids[0] ?? 0);
  try {
    await file.disk.sync();
    await writeChain(file, ids, sealed);
    await file.disk.sync();
    await sidecar.remove();
    await sidecar.write(await encodeNote({ before: committed.page, after: page }));
  } catch (error) {
    await giveUp(file, sidecar, allocation);
    throw error;
  }
  await file.writePages(VAULT_PAGE, page);
  await file.disk.sync();
  const dropped = new Set(allocation.dropped);
  await tidy(async () => {
    await release(file, [...old].filter((id) => !freelist.pages.has(id) || dropped.has(id)));
    await sidecar.remove();
  });
}

/**
 * Runs what only saves room. That it fails changes nothing for the caller: of a failed save the first error counts, and
 * a save whose header is durable has happened. Pages and a note that stay behind are found by the next save.
 */
async function tidy(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
  }
}

/**
 * Gives the pages of a failed save back, as far as that works. When it was a sync that failed, the system may have given up
 * what was to be synced: the trunk that gave pages is written again, or they would be free twice after a loss of power.
 */
async function giveUp(file: PageFile, sidecar: Sidecar, allocation: Allocation): Promise<void> {
  const { ids, changed, pageCount, end } = allocation;
  await tidy(async () => {
    await sidecar.remove();
    if (changed !== undefined) await file.writeSector(changed.id, changed.page);
    await file.setCounts(pageCount, file.freelistHead, true);
    await file.disk.truncate(Math.max(file.fileSize, file.pageSize * (VAULT_PAGE + 1)));
    await release(file, ids.filter((id) => id < end));
  });
}
