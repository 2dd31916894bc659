/**
 * Somebody who may write the file, has every older copy of it and can compute every digest that needs no key, puts
 * parts of other files into a vault. It must open to a state that was committed, whole, or fail with a code; and what
 * opens must take a commit and open again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CofferError } from "../../lib/errors.ts";
import {
  decodeMetaPage,
  encodeMetaPage,
  type MetaPage,
  metaPageOf,
  type SegmentEntry,
} from "../../lib/storage/meta_page.ts";
import { PAGE_SIZE, pagesFor } from "../../lib/storage/page.ts";
import { ChainReader, writeChain } from "../../lib/storage/chain.ts";
import { Vault } from "../../lib/vault.ts";
import { CHEAP_KDF, PASSPHRASE, withFolder } from "../helpers.ts";
import { digestOf, diskOf } from "./helpers.ts";

const CREDENTIAL = { passphrase: PASSPHRASE };
/** Codes that say that the file is at fault, and nothing else. */
const REFUSALS = ["corrupt-vault", "truncated-vault", "not-a-vault", "unsupported-version"];

/** A vault as it was after one commit. */
interface Moment {
  readonly generation: number;
  readonly file: Uint8Array;
  /** What it holds, as one text. */
  readonly state: string;
}

/** The anchor would answer first: what must hold here, holds without one. */
const ANCHOR = null;

/** Two histories of one vault: they part after a common beginning. */
interface Histories {
  readonly main: readonly Moment[];
  readonly fork: readonly Moment[];
}

async function stateOf(vault: Vault): Promise<string> {
  const lines: string[] = [];
  for (const { name } of await vault.secrets.list()) lines.push(`${name}=${await vault.secrets.getText(name)}`);
  return lines.sort().join("\n");
}

/** Commits values of several sizes, so that segments take one page, many, and the pages of older ones. */
async function history(path: string, mark: string, commits: number): Promise<readonly Moment[]> {
  const moments: Moment[] = [];
  for (let i = 0; i < commits; i++) {
    await using vault = await Vault.open(path, CREDENTIAL);
    await vault.secrets.set(`name/${i % 3}`, `${mark}${i} `.repeat([1, 700, 3_000, 20][i % 4]!));
    const { generation } = await vault.status();
    moments.push({ generation, file: await Deno.readFile(path), state: await stateOf(vault) });
  }
  return moments;
}

async function histories(folder: string): Promise<Histories> {
  const path = `${folder}/made.coffer`;
  await (await Vault.create(path, { ...CREDENTIAL, ...CHEAP_KDF, anchor: ANCHOR })).close();
  const first = { generation: 1, file: await Deno.readFile(path), state: "" };
  const common = [first, ...await history(path, "common", 2)];
  const copy = `${folder}/copy.coffer`;
  await Deno.writeFile(copy, await Deno.readFile(path), { mode: 0o600 });
  const main = [...common, ...await history(path, "main", 6)];
  return { main, fork: [...common, ...await history(copy, "fork", 6)] };
}

function pageOf(file: Uint8Array, number: number): Uint8Array {
  return file.subarray(number * PAGE_SIZE, (number + 1) * PAGE_SIZE);
}

/** A file with some of its pages replaced; it grows to hold them. */
function withPages(file: Uint8Array, pages: Readonly<Record<number, Uint8Array>>): Uint8Array {
  const size = Object.keys(pages).reduce(
    (most, number) => Math.max(most, (Number(number) + 1) * PAGE_SIZE),
    file.length,
  );
  const copy = new Uint8Array(size);
  copy.set(file);
  for (const [number, page] of Object.entries(pages)) copy.set(page, Number(number) * PAGE_SIZE);
  return copy;
}

async function metaOf(file: Uint8Array, number: 0 | 1): Promise<MetaPage> {
  const decoded = await decodeMetaPage(pageOf(file, number), number);
  assert.ok(decoded.status === "valid");
  return decoded.page;
}

/** The newest meta page, with a change, digests that fit it, and what it names in the pages of the file. */
async function withTable(
  file: Uint8Array,
  version: number,
  change: (page: MetaPage) => Partial<MetaPage>,
): Promise<Uint8Array> {
  const number = metaPageOf(version);
  const page = await metaOf(file, number);
  const changed = { ...page, ...change(page) };
  const added = changed.segments.slice(changed.segments.length - changed.added);
  const contents: Uint8Array[] = [];
  for (const entry of added) {
    try {
      contents.push(await new ChainReader(diskOf(file), entry, changed.pageCount).read(0, entry.length));
    } catch { /* Then no digest fits, which is for the reader to see. */ }
  }
  const bytes = await encodeMetaPage({ ...changed, addedDigest: digestOf(...contents) });
  return withPages(file, { [metaPageOf(changed.version)]: bytes });
}

/** Opens a file, holds it against the histories, commits to it and opens it again. */
async function judge(
  folder: string,
  file: Uint8Array,
  { main, fork }: Histories,
  what: string,
  logChanged = false,
): Promise<"opened" | "refused"> {
  const path = `${folder}/spliced.coffer`;
  await Deno.writeFile(path, file, { mode: 0o600 });
  let state: string;
  try {
    await using vault = await Vault.open(path, CREDENTIAL);
    state = await stateOf(vault);
    const { generation } = await vault.status();
    const known = [...main, ...fork].filter((moment) => moment.generation === generation);
    assert.ok(known.some((moment) => moment.state === state), `${what}: a state that never was, of ${generation}`);
  } catch (error) {
    assert.ok(error instanceof CofferError && REFUSALS.includes(error.code), `${what}: ${error}`);
    return "refused";
  }
  try {
    await using vault = await Vault.open(path, CREDENTIAL);
    await vault.secrets.set("after", "x".repeat(9_000));
  } catch (error) {
    assert.ok(error instanceof CofferError && REFUSALS.includes(error.code), `${what}, commit: ${error}`);
    return "opened";
  }
  await using vault = await Vault.open(path, CREDENTIAL);
  const { recovered } = await vault.status();
  assert.equal(recovered, false, `${what}: the commit after it counts`);
  assert.equal(
    await stateOf(vault),
    [...state.split("\n").filter(Boolean), `after=${"x".repeat(9_000)}`].sort().join("\n"),
    what,
  );
  // Old entries of the log are not opened with the vault, so what became of them shows when they are looked at.
  const { problems } = await vault.check();
  if (!logChanged) assert.deepEqual(problems, [], what);
  return "opened";
}

Deno.test("Vault.open() of a file with any page of an older or forked copy opens to what was committed, or refuses", () =>
  withFolder(async (folder) => {
    const known = await histories(folder);
    const { file } = known.main.at(-1)!;
    let refused = 0;
    for (const [from, moments] of Object.entries(known)) {
      for (const moment of moments) {
        for (let page = 0; page < moment.file.length / PAGE_SIZE; page++) {
          const other = pageOf(moment.file, page);
          if (page * PAGE_SIZE < file.length && digestEqual(other, pageOf(file, page))) continue;
          const what = `page ${page} of ${from} ${moment.generation}`;
          if (await judge(folder, withPages(file, { [page]: other }), known, what) === "refused") refused++;
        }
      }
    }
    assert.ok(refused > 0);
  }));

function digestEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

Deno.test("Vault.open() of a file with the meta pages of other copies opens to what was committed, or refuses", () =>
  withFolder(async (folder) => {
    const known = await histories(folder);
    const { file } = known.main.at(-1)!;
    const copies = [...known.main, ...known.fork];
    for (const one of copies) {
      for (const other of copies) {
        const pages = { 0: pageOf(one.file, 0), 1: pageOf(other.file, 1) };
        await judge(folder, withPages(file, pages), known, `metas of ${one.generation} and ${other.generation}`);
      }
      const swapped = { 0: pageOf(one.file, 1), 1: pageOf(one.file, 0) };
      assert.equal(await judge(folder, withPages(one.file, swapped), known, "swapped"), "refused");
      for (const number of [0, 1]) {
        const twice = { 0: pageOf(one.file, number), 1: pageOf(one.file, number) };
        await judge(folder, withPages(one.file, twice), known, `page ${number} of ${one.generation} twice`);
        await judge(folder, withPages(one.file, { [number]: new Uint8Array(PAGE_SIZE) }), known, `without ${number}`);
      }
    }
  }));

/** A file that also holds, whole and on pages of their own, the segments of every copy, listed copy by copy. */
async function grafted(
  file: Uint8Array,
  copies: readonly Moment[],
): Promise<{ file: Uint8Array; tables: readonly (readonly SegmentEntry[])[] }> {
  const disk = diskOf(file);
  let end = file.length / PAGE_SIZE;
  const tables: (readonly SegmentEntry[])[] = [];
  for (const copy of copies) {
    const { segments, pageCount } = await metaOf(copy.file, metaPageOf(copy.generation));
    const table: SegmentEntry[] = [];
    for (const entry of segments) {
      const bytes = await new ChainReader(diskOf(copy.file), entry, pageCount).read(0, entry.length);
      const count = pagesFor(entry.length);
      await writeChain(disk, [{ first: end, count }], bytes);
      table.push({ ...entry, first: end, last: end + count - 1 });
      end += count;
    }
    tables.push(table);
  }
  const whole = new Uint8Array(await disk.size());
  await disk.readAt(whole, 0);
  return { file: whole, tables };
}

/** What may be done to the list of segments; `tables` are those of the other copies, `old` all that is in them. */
const TABLES: Readonly<
  Record<
    string,
    (
      page: MetaPage,
      old: readonly SegmentEntry[],
      tables: readonly (readonly SegmentEntry[])[],
    ) => readonly Partial<MetaPage>[]
  >
> = {
  "a segment left out": ({ segments, added }) =>
    segments.map((_, at) => ({ segments: segments.toSpliced(at, 1), added: Math.min(added, segments.length - 1) })),
  "two segments exchanged, with the versions of their places": ({ segments }) =>
    segments.slice(1).map((entry, at) => ({
      segments: segments.with(at, { ...entry, version: segments[at]!.version })
        .with(at + 1, { ...segments[at]!, version: entry.version }),
    })),
  "an older segment in the place of another": ({ segments }, old) =>
    segments.flatMap(({ version }, at) => old.map((entry) => ({ segments: segments.with(at, { ...entry, version }) }))),
  "an older segment in the place of another, with its version": ({ segments }, old) =>
    segments.flatMap((_, at) => old.map((entry) => ({ segments: segments.with(at, entry) }))),
  "an older segment before all": ({ segments }, old) => old.map((entry) => ({ segments: [entry, ...segments] })),
  "an older segment at the end": ({ version, segments, added }, old) =>
    old.map((entry) => ({ segments: [...segments, { ...entry, version }], added: added + 1 })),
  "all segments of another copy": ({ version }, _, tables) =>
    tables.map((table) => counted(version, table.with(-1, { ...table.at(-1)!, version }))),
  "the beginning of one copy and the end of another": ({ version, segments }, _, tables) =>
    [segments, ...tables].flatMap((one) =>
      [segments, ...tables].flatMap((other) =>
        one.slice(1).map((entry, at) =>
          counted(version, [...one.slice(0, at + 1), ...other.filter((later) => later.version >= entry.version)])
        )
      )
    ),
  "another first page": ({ segments, pageCount }) => moved(segments, pageCount, (first) => ({ first })),
  "another last page": ({ segments, pageCount }) => moved(segments, pageCount, (last) => ({ last })),
  "a segment elsewhere": ({ segments, pageCount }) =>
    moved(segments, pageCount, (first, entry) => ({ first, last: first + entry.last - entry.first })),
  "another length": ({ segments }) =>
    segments.flatMap((entry, at) =>
      [entry.length - 1, entry.length + 1, 1, entry.length + 4080, entry.length - 4080]
        .filter((length) => length > 0).map((length) => ({ segments: segments.with(at, { ...entry, length }) }))
    ),
  "another version": ({ version, segments }) =>
    [1, 2, -1, -2].map((by) => ({
      version: version + by,
      segments: segments.with(-1, { ...segments.at(-1)!, version: version + by }),
    })),
  "another page count": ({ pageCount }) => [pageCount - 1, pageCount + 1, 2, 3].map((count) => ({ pageCount: count })),
};

function counted(version: number, segments: readonly SegmentEntry[]): Partial<MetaPage> {
  return { segments, added: segments.filter((entry) => entry.version === version).length };
}

function moved(
  segments: readonly SegmentEntry[],
  pageCount: number,
  change: (page: number, entry: SegmentEntry) => Partial<SegmentEntry>,
): readonly Partial<MetaPage>[] {
  const pages = Array.from({ length: Math.min(pageCount, 24) - 2 }, (_, index) => index + 2);
  return segments.flatMap((entry, at) =>
    pages.map((page) => ({ segments: segments.with(at, { ...entry, ...change(page, entry) }) }))
  );
}

for (const [name, changes] of Object.entries(TABLES)) {
  Deno.test(`Vault.open() of a segment table with ${name} opens to what was committed, or refuses`, () =>
    withFolder(async (folder) => {
      const known = await histories(folder);
      const { file: newestFile, generation } = known.main.at(-1)!;
      const copies = [...known.main.slice(0, -1), ...known.fork.slice(3)];
      const { file, tables } = await grafted(newestFile, copies);
      const newest = { ...await metaOf(file, metaPageOf(generation)), pageCount: file.length / PAGE_SIZE };
      // The sealed meta is one of the main history: a state of the fork under it would be a mixture.
      const mainOnly = { ...known, fork: [] };
      for (const [index, change] of changes(newest, tables.flat(), tables).entries()) {
        await judge(
          folder,
          await withTable(file, generation, () => ({ pageCount: newest.pageCount, ...change })),
          mainOnly,
          `change ${index}`,
          name === "another length",
        );
      }
    }));
}

Deno.test("Vault that is open refuses what was spliced meanwhile, or goes on with what was committed", () =>
  withFolder(async (folder) => {
    const known = await histories(folder);
    const path = `${folder}/open.coffer`;
    for (const before of [3, 5, 7]) {
      const now = known.main[before]!;
      for (const [from, moments] of Object.entries(known)) {
        for (const moment of moments) {
          const both = withPages(now.file, { 0: pageOf(moment.file, 0), 1: pageOf(moment.file, 1) });
          for (const [what, file] of [["whole", moment.file], ["metas only", both]] as const) {
            await Deno.writeFile(path, now.file, { mode: 0o600 });
            await using vault = await Vault.open(path, CREDENTIAL);
            assert.equal(await stateOf(vault), now.state);
            await Deno.writeFile(path, file);
            const message = `${what} of ${from} ${moment.generation} in the place of ${now.generation}`;
            try {
              const state = await stateOf(vault);
              // Where the newer pages are missing, the known version stands behind the torn one. A later generation of
              // the fork is taken when a merged delta hides where the histories part; whole, and never mixed.
              const later = from === "main" ? moment.generation >= now.generation : moment.generation > now.generation;
              const whole = later && state === moment.state;
              assert.ok(state === now.state || whole, `${message}: neither the known state nor a later one`);
            } catch (error) {
              const codes = [...REFUSALS, "rollback-detected", "fork-detected"];
              assert.ok(error instanceof CofferError && codes.includes(error.code), `${message}: ${error}`);
            }
          }
        }
      }
    }
  }));
