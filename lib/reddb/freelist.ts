/**
 * The list of free pages: a chain of trunk pages, each with the ids of free pages.
 *
 * | offset in the content of a trunk | bytes     | field              |
 * | -------------------------------- | --------- | ------------------ |
 * | 0                                | 4         | next trunk; 0 none |
 * | 4                                | 4         | count of ids       |
 * | 8                                | 4 × count | ids                |
 *
 * Ids are taken from the end of a trunk, so that only its count changes; a trunk without ids is a free page itself. Pages
 * are given back in new trunks, made of pages that are given back: a trunk that is reached never changes but by losing
 * ids, so a torn write cannot bring one back that was taken.
 *
 * @module
 */
import { type Bytes, viewOf } from "../bytes.ts";
import { RedDbPageFileError } from "./errors.ts";
import { FIRST_FREE_PAGE, PAGE_HEADER_SIZE, PAGE_TYPE, pageType, sealPage, writePageHeader } from "./page.ts";
import type { PageFile } from "./page_file.ts";
import { runsOf } from "./runs.ts";

const NEXT_OFFSET = PAGE_HEADER_SIZE;
const COUNT_OFFSET = PAGE_HEADER_SIZE + 4;
const IDS_OFFSET = PAGE_HEADER_SIZE + 8;

/** A page with the ids of free pages. */
interface Trunk {
  readonly id: number;
  readonly next: number;
  readonly ids: number[];
  readonly page: Bytes;
}

/** The free pages of a file. */
export interface Freelist {
  /** In the order of the chain. */
  readonly trunks: readonly Trunk[];
  /** Every free page, trunks included. */
  readonly pages: ReadonlySet<number>;
}

/** Pages that were handed out, and how the file was before. */
export interface Allocation {
  /** In rising order. */
  readonly ids: readonly number[];
  /** Pages that were in use though they were in the list; they are no longer in it. */
  readonly dropped: readonly number[];
  /** The trunk that gave some of its pages and stays, as it is now. */
  readonly changed: { readonly id: number; readonly page: Bytes } | undefined;
  /** How many pages were counted before. */
  readonly pageCount: number;
  /** Where the file ended before: ids from here on are new. */
  readonly end: number;
}

/** How many ids a trunk holds. */
export function trunkCapacity(pageSize: number): number {
  return (pageSize - IDS_OFFSET) / 4;
}

/**
 * Reads the whole list.
 *
 * @throws {RedDbPageFileError} when a trunk is none, the chain loops, or a page is out of the file or in it twice
 */
export async function readFreelist(file: PageFile): Promise<Freelist> {
  const trunks: Trunk[] = [];
  const pages = new Set<number>();
  const add = (id: number, page: number) => {
    if (id < FIRST_FREE_PAGE || id >= file.end) {
      throw new RedDbPageFileError(file.disk.path, "the list of free pages leaves the file", { page });
    }
    if (pages.has(id)) throw new RedDbPageFileError(file.disk.path, "a page is free twice", { page });
    pages.add(id);
  };
  let from = 0;
  for (let id = file.freelistHead; id !== 0; from = id, id = trunks.at(-1)!.next) {
    // A loop ends here: its second time round, the trunk is free twice.
    add(id, from);
    const page = await file.readPage(id);
    const view = viewOf(page);
    const count = view.getUint32(COUNT_OFFSET, true);
    if (!file.has(id) || pageType(page) !== PAGE_TYPE.trunk || count > trunkCapacity(file.pageSize)) {
      throw new RedDbPageFileError(file.disk.path, "a trunk of free pages is damaged", { page: id });
    }
    const ids = Array.from({ length: count }, (_, index) => view.getUint32(IDS_OFFSET + index * 4, true));
    for (const free of ids) add(free, id);
    trunks.push({ id, next: view.getUint32(NEXT_OFFSET, true), ids, page });
  }
  return { trunks, pages };
}

/**
 * Hands out pages: free ones first, then new ones at the end. Durable with the next sync, and they must not be written
 * before it: a trunk among them would be overwritten while it is still reached.
 *
 * @param inUse pages that are never handed out, whatever the list says; met there, they are taken off it
 * @throws {RedDbPageFileError} when the file can have no more pages
 */
export async function allocate(
  file: PageFile,
  { trunks }: Freelist,
  count: number,
  inUse: ReadonlySet<number>,
): Promise<Allocation> {
  const { pageCount, end } = file;
  const ids: number[] = [];
  const dropped: number[] = [];
  let head = file.freelistHead;
  let changed: Trunk | undefined;
  for (const trunk of trunks) {
    const before = trunk.ids.length;
    while (ids.length < count && trunk.ids.length > 0) {
      const id = trunk.ids.pop()!;
      (inUse.has(id) ? dropped : ids).push(id);
    }
    if (trunk.ids.length < before) changed = trunk;
    if (ids.length === count) break;
    ids.push(trunk.id);
    head = trunk.next;
    changed = undefined;
  }
  const missing = count - ids.length;
  if (missing > 0) file.assertCanGrow(missing);
  for (let i = 0; i < missing; i++) ids.push(end + i);
  if (changed !== undefined) {
    viewOf(changed.page).setUint32(COUNT_OFFSET, changed.ids.length, true);
    sealPage(changed.page);
    await file.writeSector(changed.id, changed.page);
  }
  // An earlier save may have left page 0 as a system has it that could not sync it, and tells nobody any more.
  await file.setCounts(missing > 0 ? end + missing : pageCount, head, true);
  return { ids: ids.sort((a, b) => a - b), dropped, changed, pageCount, end };
}

/**
 * Gives pages back, and empties them. They are free for good when it returns; whether they are empty as well is not
 * waited for. A crash on the way loses the pages that became trunks at most, if the others can still be found: so trunks
 * are made of the last ones, which are the end of a chain.
 *
 * @param ids pages that nothing reaches any more, each once
 */
export async function release(file: PageFile, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  const room = trunkCapacity(file.pageSize);
  const split = ids.length - Math.ceil(ids.length / (room + 1));
  const free = ids.slice(0, split).sort((a, b) => a - b);
  const trunks = ids.slice(split);
  for (const [index, id] of trunks.entries()) {
    const page = new Uint8Array(file.pageSize);
    encodeTrunk(page, id, trunks[index + 1] ?? file.freelistHead, free.slice(index * room, (index + 1) * room));
    await file.writePages(id, page);
  }
  // The head names the new trunks only when they are there.
  await file.disk.sync();
  await file.setCounts(file.pageCount, trunks[0]!);
  await file.disk.sync();
  for (const { first, count } of runsOf(free)) {
    const pages = new Uint8Array(count * file.pageSize);
    for (let i = 0; i < count; i++) {
      writePageHeader(pages.subarray(i * file.pageSize, (i + 1) * file.pageSize), PAGE_TYPE.free, first + i);
    }
    await file.writePages(first, pages);
  }
}

function encodeTrunk(page: Uint8Array, id: number, next: number, ids: readonly number[]): void {
  writePageHeader(page, PAGE_TYPE.trunk, id);
  const view = viewOf(page);
  view.setUint32(NEXT_OFFSET, next, true);
  view.setUint32(COUNT_OFFSET, ids.length, true);
  for (const [index, free] of ids.entries()) view.setUint32(IDS_OFFSET + index * 4, free, true);
  sealPage(page);
}
