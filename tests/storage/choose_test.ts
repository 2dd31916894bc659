import assert from "node:assert/strict";
import { chooseVersion } from "../../lib/storage/choose.ts";
import { writeChain } from "../../lib/storage/chain.ts";
import type { MemoryDisk } from "../../lib/storage/disk_memory.ts";
import { encodeMetaPage, type MetaPage } from "../../lib/storage/meta_page.ts";
import { PAGE_SIZE, PAYLOAD_SIZE } from "../../lib/storage/page.ts";
import { digestOf, diskOf, fileOf, filled, metaPage, placed } from "./helpers.ts";

/** The version that counts in a file, and whether the reader fell back. */
async function choose(file: Uint8Array): Promise<{ version: number; other: number | undefined; recovered: boolean }> {
  const { page, other, recovered } = await chooseVersion(diskOf(file), file.subarray(0, 2 * PAGE_SIZE));
  return { version: page.version, other: other?.version, recovered };
}

const SEGMENT = filled(PAYLOAD_SIZE + 5, 1);

/** A version that adds a segment of two pages at the given one. */
function adding(version: number, first: number): MetaPage {
  const segments = [{ version, first, last: first + 1, length: SEGMENT.length }];
  return metaPage({ version, pageCount: first + 2, segments, added: 1, addedDigest: digestOf(SEGMENT) });
}

/** A file of the given size whose versions' segments are all written. */
async function fileWith(pages: number, ...metas: readonly MetaPage[]): Promise<Uint8Array> {
  const contents = Object.assign({}, ...await Promise.all(metas.map(placed)));
  const file = fileOf(pages, contents);
  const disk = diskOf(file);
  for (const { segments } of metas) {
    for (const { first } of segments) await writeChain(disk, [{ first, count: 2 }], SEGMENT);
  }
  const written = new Uint8Array(await disk.size());
  await disk.readAt(written, 0);
  return written;
}

function damaged(file: Uint8Array, ...at: readonly number[]): Uint8Array {
  const copy = file.slice();
  for (const byte of at) copy[byte]! ^= 1;
  return copy;
}

const BOTH = await fileWith(6, adding(5, 2), adding(6, 4));

Deno.test("chooseVersion() takes the higher version when both are whole", async () => {
  assert.deepEqual(await choose(BOTH), { version: 6, other: 5, recovered: false });
  const turned = await fileWith(6, adding(6, 2), adding(7, 4));
  assert.deepEqual(await choose(turned), { version: 7, other: 6, recovered: false });
});

Deno.test("chooseVersion() takes the only version of a new file", async () => {
  assert.deepEqual(await choose(await fileWith(4, adding(1, 2))), { version: 1, other: undefined, recovered: false });
});

Deno.test("chooseVersion() takes the only version when the other was taken back", async () => {
  const file = BOTH.slice();
  file.fill(0, PAGE_SIZE, 2 * PAGE_SIZE);
  assert.deepEqual(await choose(file), { version: 5, other: undefined, recovered: true });
});

Deno.test("chooseVersion() falls back, and says so, when the newer meta page is torn", async () => {
  for (const at of [PAGE_SIZE + 8, PAGE_SIZE + 20, PAGE_SIZE + 130, 2 * PAGE_SIZE - 1]) {
    assert.deepEqual(await choose(damaged(BOTH, at)), { version: 5, other: undefined, recovered: true });
  }
});

Deno.test("chooseVersion() falls back, and says so, when the newer meta page is foreign", async () => {
  assert.deepEqual(await choose(damaged(BOTH, PAGE_SIZE)), { version: 5, other: undefined, recovered: true });
});

Deno.test("chooseVersion() keeps the newer version when the older page is torn, and says that it may be a fall back", async () => {
  assert.deepEqual(await choose(damaged(BOTH, 2_000)), { version: 6, other: undefined, recovered: true });
});

Deno.test("chooseVersion() falls back, and says so, when a segment of the newer commit is damaged", async () => {
  for (const page of [4, 5]) {
    const file = damaged(BOTH, page * PAGE_SIZE + 100);
    assert.deepEqual(await choose(file), { version: 5, other: undefined, recovered: true });
  }
});

Deno.test("chooseVersion() falls back when a whole segment is not the one that was committed", async () => {
  const file = BOTH.slice();
  const disk = diskOf(file);
  await writeChain(disk, [{ first: 4, count: 2 }], filled(SEGMENT.length, 2));
  await disk.readAt(file, 0);
  assert.deepEqual(await choose(file), { version: 5, other: undefined, recovered: true });
});

Deno.test("chooseVersion() falls back, and says so, when the file lacks pages of the newer commit", async () => {
  for (const size of [4 * PAGE_SIZE, 5 * PAGE_SIZE, 6 * PAGE_SIZE - 1]) {
    assert.deepEqual(await choose(BOTH.slice(0, size)), { version: 5, other: undefined, recovered: true });
  }
});

Deno.test("chooseVersion() does not fall back for a damaged segment of an earlier commit", async () => {
  const [old] = adding(5, 2).segments;
  const next = metaPage({ version: 6, pageCount: 4, segments: [old!] });
  const file = damaged(await fileWith(4, adding(5, 2), next), 2 * PAGE_SIZE + 50);
  assert.deepEqual(await choose(file), { version: 6, other: 5, recovered: false });
});

const NEVER: Readonly<Record<string, readonly [code: string, file: () => Uint8Array | Promise<Uint8Array>]>> = {
  "an empty file": ["empty-file", () => new Uint8Array(0)],
  "a file of zeros": ["not-a-vault", () => new Uint8Array(6 * PAGE_SIZE)],
  "a text": ["not-a-vault", () => new TextEncoder().encode("COFFE, this is a text\n")],
  "a large file of something else": ["not-a-vault", () => filled(100_000, 3)],
  "a first page cut short": ["truncated-vault", () => BOTH.slice(0, 100)],
  "a file cut after its first page": ["truncated-vault", () => BOTH.slice(0, PAGE_SIZE)],
  "a file cut in its second page": ["truncated-vault", () => BOTH.slice(0, PAGE_SIZE + 100)],
  "a file cut after its meta pages": ["truncated-vault", () => BOTH.slice(0, 2 * PAGE_SIZE)],
  "both meta pages torn": ["corrupt-vault", () => damaged(BOTH, 2_000, 6_000)],
  "one meta page torn, the other foreign": ["corrupt-vault", () => damaged(BOTH, 2_000, PAGE_SIZE)],
  "one meta page torn, the other empty": ["corrupt-vault", async () => damaged(await fileWith(4, adding(1, 2)), 2_000)],
  "one meta page foreign, the other empty": ["not-a-vault", async () => damaged(await fileWith(4, adding(1, 2)), 0)],
  "segments of both commits damaged": ["corrupt-vault", () => damaged(BOTH, 2 * PAGE_SIZE + 50, 4 * PAGE_SIZE + 50)],
  "a format of the future beside a sound page": ["unsupported-version", () => damaged(BOTH, PAGE_SIZE + 6)],
  "a format of the future before a sound page": ["unsupported-version", () => damaged(BOTH, 6)],
  "a first page cut in its format version": ["truncated-vault", () => BOTH.slice(0, 7)],
  "a file cut after its magic": ["truncated-vault", () => BOTH.slice(0, 6)],
  "a file cut after the magic of its second page": ["truncated-vault", () => BOTH.slice(0, PAGE_SIZE + 6)],
  "versions in each other's place": ["corrupt-vault", async () => {
    const [even, odd] = [await encodeMetaPage(adding(6, 2)), await encodeMetaPage(adding(5, 4))];
    return fileOf(6, { 0: even, 1: odd });
  }],
};

for (const [name, [code, file]] of Object.entries(NEVER)) {
  Deno.test(`chooseVersion() answers ${name} with ${code}`, async () => {
    await assert.rejects(choose(await file()), { code });
  });
}

Deno.test("chooseVersion() says how large the file should be when both versions lack pages", async () => {
  const file = BOTH.slice(0, 3 * PAGE_SIZE);
  await assert.rejects(choose(file), { code: "truncated-vault", size: 3 * PAGE_SIZE, expected: 4 * PAGE_SIZE });
});

Deno.test("chooseVersion() calls a file cut short when it lacks pages that a valid meta page names", async () => {
  const file = damaged(BOTH, 2 * PAGE_SIZE + 50).slice(0, 5 * PAGE_SIZE);
  await assert.rejects(choose(file), { code: "truncated-vault" });
});

Deno.test("chooseVersion() reads nothing of a file but its meta pages when the commit added nothing", async () => {
  const [old] = adding(5, 2).segments;
  const file = await fileWith(4, metaPage({ version: 6, pageCount: 4, segments: [old!] }));
  const disk: MemoryDisk = diskOf(file);
  disk.readAt = () => Promise.reject(new Error("read"));
  assert.equal((await chooseVersion(disk, file.subarray(0, 2 * PAGE_SIZE))).page.version, 6);
});

Deno.test("chooseVersion() says which rule of the format is broken when a digest fits and nothing else counts", async () => {
  const twice = adding(5, 2).segments[0]!;
  const page = metaPage({ version: 5, pageCount: 6, segments: [twice, twice], added: 2 });
  await assert.rejects(choose(fileOf(6, await placed(page))), {
    code: "corrupt-vault",
    page: 0,
    message: "The vault is damaged: two segments share a page (page 0)",
  });
});

Deno.test("chooseVersion() falls back, and says so, when a commit that added nothing has a digest of something", async () => {
  const [old] = adding(5, 2).segments;
  const next = metaPage({ version: 6, pageCount: 4, segments: [old!], addedDigest: digestOf(SEGMENT) });
  assert.deepEqual(await choose(await fileWith(4, adding(5, 2), next)), {
    version: 5,
    other: undefined,
    recovered: true,
  });
});
