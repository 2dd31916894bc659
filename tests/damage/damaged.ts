/**
 * Damaged files, and what opening them gives: a state that was committed, or an error with a code.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bytes } from "../../lib/bytes.ts";
import { CofferError } from "../../lib/errors.ts";
import type { ErrorCode } from "../../lib/error_table.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { decodeMetaPage, FIRST_SEGMENT_PAGE, type MetaPage } from "../../lib/storage/meta_page.ts";
import { PAGE_SIZE } from "../../lib/storage/page.ts";
import { Vault } from "../../lib/vault.ts";
import { withBoundedArrays } from "../fuzz/allocations.ts";
import { patterned, randomFrom } from "../helpers.ts";
import { MemoryAnchor } from "../memory_anchor.ts";
import { diskOf } from "../storage/helpers.ts";
import { ChainReader } from "../../lib/storage/chain.ts";

/** Whether everything is damaged: `COFFER_DEEP=1`. */
export const DEEP = Deno.env.get("COFFER_DEEP") === "1";
/** What opens every vault here. */
export const CREDENTIAL = { keyFile: patterned(32, 7) };

/** How many bits are drawn of the whole file. */
const DRAWN = 150;

/** A vault as it was after a commit. */
export interface Moment {
  readonly generation: number;
  readonly file: Bytes;
  readonly anchor: Bytes;
  /** Everything that can be seen of it, as one text. */
  readonly state: string;
}

/** What came of opening a file. */
export type Outcome =
  | { readonly code: ErrorCode; readonly page?: number }
  | {
    readonly code: "opens";
    readonly generation: number;
    readonly recovered: boolean;
    readonly state: string;
    /** Pages that a check names, -1 where it names none. */
    readonly problems: readonly number[];
  };

/** Everything that can be seen of a vault but its log and its clock. */
export async function stateOf(vault: Vault): Promise<string> {
  const secrets = await vault.secrets.list();
  const values = await Promise.all(secrets.map(async ({ name }) => {
    const versions = await vault.secrets.history(name);
    return await Promise.all(versions.map(({ version }) => vault.secrets.getText(name, { version })));
  }));
  const slots = await vault.slots.list();
  return JSON.stringify([secrets, values, await vault.users.list(), await vault.apiKeys.list(), slots]);
}

/**
 * A small vault with a bit of everything, after each of its commits: values within records and on pages of their own,
 * a removed and a renamed secret, a user, a key, several slots, two segments of old entries of the log.
 */
export async function history(mark: string, anchored: boolean): Promise<readonly Moment[]> {
  const file = new MemoryFile();
  const anchor = new MemoryAnchor();
  const moments: Moment[] = [];
  const folder = await Deno.makeTempDir({ prefix: "coffer-damage-" });
  try {
    // A file is made at a path alone; from there on it is in memory.
    const made = await Vault.create(`${folder}/a`, { ...CREDENTIAL, anchor: anchored ? anchor : null });
    await made.close();
    file.bytes = await Deno.readFile(`${folder}/a`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const open = () =>
    Vault.open(new FileMedium(new MemoryDisk(file, "memory")), { ...CREDENTIAL, ...(anchored ? { anchor } : {}) });
  const steps: readonly ((vault: Vault) => Promise<unknown>)[] = [
    // As it was made: a version that stands behind a torn first change.
    () => Promise.resolve(),
    (vault) => vault.secrets.set("db/url", `${mark} url`, { note: "a note", tags: ["prod"] }),
    (vault) => vault.secrets.set("pem", `${mark} pem `.repeat(400)),
    (vault) => vault.secrets.set("gone", mark),
    (vault) => vault.transaction((tx) => void tx.users.create({ name: "alice", role: "admin" })),
    (vault) => vault.apiKeys.create({ owner: "alice", name: mark }),
    (vault) => vault.secrets.delete("gone"),
    (vault) => vault.secrets.set("large", `${mark} large `.repeat(700)),
    (vault) => vault.slots.add({ kind: "certificate", label: mark }),
    (vault) => vault.secrets.rename("db/url", "db/main"),
    (vault) => vault.secrets.set("db/main", `${mark} second`),
    (vault) => vault.secrets.set("small", mark),
    (vault) => vault.secrets.set("pem", `${mark} again `.repeat(350)),
  ];
  for (const step of steps) {
    await using vault = await open();
    await step(vault);
    const { generation } = await vault.status();
    moments.push({
      generation,
      file: file.bytes.slice(),
      anchor: anchor.bytes?.slice() ?? new Uint8Array(0),
      state: await stateOf(vault),
    });
  }
  return moments;
}

/** How long the slowest file took, and how many there were; told at the end of a test file. */
export const tally = { files: 0, opened: 0, slowest: 0 };

/** Prints the tally when the tests of a file are done. */
export function reportTally(what: string): void {
  globalThis.addEventListener("unload", () => {
    // deno-lint-ignore no-console
    console.info(
      `damage: ${tally.files} damaged ${what}, ${tally.opened} opened to what was committed, ` +
        `slowest ${Math.round(tally.slowest)} ms`,
    );
  });
}

/** Opens a file. What is not coffer's own error, or asks for memory out of proportion, fails the test. */
export async function outcomeOf(bytes: Uint8Array, anchor: Uint8Array | null, what: string): Promise<Outcome> {
  const start = performance.now();
  const store = new MemoryAnchor(anchor);
  try {
    return await withBoundedArrays(bytes.length, async () => {
      const medium = new FileMedium(new MemoryDisk(new MemoryFile(bytes), "memory"));
      await using vault = await Vault.open(medium, { ...CREDENTIAL, ...(anchor === null ? {} : { anchor: store }) });
      const { generation, recovered } = await vault.status();
      const { problems } = await vault.check();
      const state = await stateOf(vault);
      tally.opened++;
      return { code: "opens", generation, recovered, state, problems: problems.map(({ page }) => page ?? -1) };
    });
  } catch (error) {
    assert.ok(error instanceof CofferError && error.code !== "unexpected", `${what}: ${(error as Error).stack}`);
    assert.ok(error.hint.length > 0, what);
    return { code: error.code, ...pageOf(error) };
  } finally {
    if (anchor !== null) assert.deepEqual(store.bytes, new Uint8Array(anchor), `${what}: looking moves no anchor`);
    tally.files++;
    tally.slowest = Math.max(tally.slowest, performance.now() - start);
  }
}

function pageOf(error: CofferError): { page?: number } {
  const { page } = error as { page?: number };
  return page === undefined ? {} : { page };
}

/** What a page of a file is for. */
export type Use = "newest meta" | "older meta" | "newest commit" | "state" | "log" | "older" | "free";

/** The use of every page of a sound file. */
export async function usesOf(file: Bytes): Promise<readonly Use[]> {
  const metas = await Promise.all(([0, 1] as const).map((number) => metaOf(file, number)));
  const [newest, older] = metas.map((page, number) => ({ page, number }))
    .toSorted((a, b) => (b.page?.version ?? 0) - (a.page?.version ?? 0));
  const uses: Use[] = Array(file.length / PAGE_SIZE).fill("free");
  const mark = async (page: MetaPage, useOf: (index: number) => Use) => {
    for (const [index, entry] of page.segments.entries()) {
      const extents = await new ChainReader(diskOf(file), entry, page.pageCount).extents();
      for (const { first, count } of extents) uses.fill(useOf(index), first, first + count);
    }
  };
  if (older?.page !== undefined) {
    try {
      await mark(older.page, () => "older");
    } catch { /* A segment that only the older version had may be written over. */ }
  }
  const { segments, added } = newest!.page!;
  const kinds = await Promise.all(segments.map(async (entry) => {
    const head = await new ChainReader(diskOf(file), entry, newest!.page!.pageCount).read(0, 8);
    return head[5] === 3 ? "log" : "state";
  }));
  await mark(newest!.page!, (index) => index >= segments.length - added ? "newest commit" : kinds[index]!);
  uses[newest!.number] = "newest meta";
  uses[older!.number] = "older meta";
  return uses;
}

/** A meta page, when it is valid. */
export async function metaOf(file: Uint8Array, number: 0 | 1): Promise<MetaPage | undefined> {
  const decoded = await decodeMetaPage(file.slice(number * PAGE_SIZE, (number + 1) * PAGE_SIZE), number);
  return decoded.status === "valid" ? decoded.page : undefined;
}

/** A file with one page in the place of another's. */
export function withPage(file: Uint8Array, number: number, page: Uint8Array): Bytes {
  const copy = new Uint8Array(file);
  copy.set(page, number * PAGE_SIZE);
  return copy;
}

/** A page of a file. */
export function pageAt(file: Uint8Array, number: number): Uint8Array {
  return file.subarray(number * PAGE_SIZE, (number + 1) * PAGE_SIZE);
}

/**
 * Which bits to turn over. `COFFER_DEEP=1`: where the file is wanted whole, all bits of the headers and one of each other
 * byte, else one of some bytes of all pages. Without it: one of every byte of the headers, where that is wanted, and some
 * that are drawn.
 */
export function* bitsOf(
  file: Uint8Array,
  uses: readonly Use[],
  seed: number,
  whole: boolean,
): Generator<[number, number]> {
  const random = randomFrom(seed);
  const bit = () => 1 << Math.floor(random() * 8);
  for (const [number, use] of uses.entries()) {
    const unused = use === "free" || use === "older";
    const start = number * PAGE_SIZE;
    for (let at = 0; at < PAGE_SIZE && start + at < file.length; at++) {
      const header = !unused && isHeader(number, at);
      if (DEEP && whole && header) { for (let mask = 1; mask < 256; mask <<= 1) yield [start + at, mask]; }
      else if (DEEP ? whole || random() < 0.1 : whole && header) yield [start + at, bit()];
    }
  }
  for (let drawn = 0; !DEEP && drawn < DRAWN; drawn++) yield [Math.floor(random() * file.length), bit()];
}

/** Fields of a meta page with its first segment, and of its sealed meta up to the slots; of a page what stands before its payload, and the start of that. */
function isHeader(page: number, at: number): boolean {
  if (page < FIRST_SEGMENT_PAGE) return at < 152 || (at >= 1408 && at < 1568);
  return at < 12 + 8 || at >= PAGE_SIZE - 4;
}
