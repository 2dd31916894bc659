import assert from "node:assert/strict";
import { decodeMetaPage, encodeMetaPage, type MetaPage, metaPageOf } from "../../lib/storage/meta_page.ts";
import { PAGE_SIZE } from "../../lib/storage/page.ts";
import { digestOf, filled, metaPage } from "./helpers.ts";

const PAGE: MetaPage = metaPage({
  version: 0x0102030405,
  pageCount: 0x00a1b2,
  segments: [
    { version: 3, first: 2, last: 4, length: 3 * 4080 },
    { version: 3, first: 9, last: 5, length: 4081 },
    { version: 0x0102030405, first: 6, last: 6, length: 1 },
  ],
  added: 1,
  addedDigest: digestOf(filled(1, 1)),
  meta: filled(100, 9),
});

/** Writes the digest anew, so that only a rule of the fields can refuse the page. */
function redigested(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.fill(0, 16, 48);
  copy.set(digestOf(copy), 16);
  return copy;
}

async function changed(change: (view: DataView, bytes: Uint8Array) => void, page = PAGE): Promise<Uint8Array> {
  const bytes = new Uint8Array(await encodeMetaPage(page));
  change(new DataView(bytes.buffer), bytes);
  return redigested(bytes);
}

Deno.test("encodeMetaPage() puts every field where the format says", async () => {
  const bytes = await encodeMetaPage(PAGE);
  const view = new DataView(bytes.buffer);
  assert.equal(bytes.length, PAGE_SIZE);
  assert.deepEqual([...bytes.subarray(0, 6)], [0x43, 0x4f, 0x46, 0x46, 0x45, 0x52]);
  assert.equal(view.getUint16(6, true), 1);
  assert.equal(view.getUint32(8, true), 4096);
  assert.equal(view.getUint32(12, true), 100);
  assert.equal(view.getBigUint64(48, true), 0x0102030405n);
  assert.equal(view.getUint32(56, true), 0x00a1b2);
  assert.equal(view.getUint16(60, true), 3);
  assert.equal(view.getUint16(62, true), 1);
  assert.deepEqual(bytes.slice(64, 96), PAGE.addedDigest);
  assert.ok(bytes.subarray(96, 128).every((byte) => byte === 0));
  assert.equal(view.getBigUint64(128 + 24, true), 3n);
  assert.equal(view.getUint32(128 + 24 + 8, true), 9);
  assert.equal(view.getUint32(128 + 24 + 12, true), 5);
  assert.equal(view.getBigUint64(128 + 24 + 16, true), 4081n);
  assert.ok(bytes.subarray(128 + 3 * 24, 1408).every((byte) => byte === 0));
  assert.deepEqual(bytes.slice(1408, 1508), PAGE.meta);
  assert.ok(bytes.subarray(1508).every((byte) => byte === 0));
  assert.deepEqual(redigested(bytes), new Uint8Array(bytes));
});

Deno.test("metaPageOf() sends odd versions to page 0 and even ones to page 1", () => {
  assert.deepEqual([1, 2, 3, 4, Number.MAX_SAFE_INTEGER].map(metaPageOf), [0, 1, 0, 1, 0]);
});

Deno.test("decodeMetaPage() gives back what was encoded, the smallest and the fullest page too", async () => {
  const segments = Array.from({ length: 48 }, (_, i) => ({ version: i + 1, first: 2 + i, last: 2 + i, length: 7 }));
  const full = metaPage({ version: 48, pageCount: 50, segments, added: 1, meta: filled(2688, 1) });
  const largest = metaPage({ version: Number.MAX_SAFE_INTEGER, pageCount: 0xffffffff });
  const restored = metaPage({ version: 9, origin: 9 });
  for (const page of [PAGE, full, largest, restored, metaPage({ version: 1, meta: filled(1, 1) })]) {
    const decoded = await decodeMetaPage(await encodeMetaPage(page), metaPageOf(page.version));
    assert.deepEqual(decoded, { status: "valid", page });
  }
});

Deno.test("decodeMetaPage() tells an empty page, a foreign one and one of the future", async () => {
  const bytes = await encodeMetaPage(PAGE);
  assert.deepEqual(await decodeMetaPage(new Uint8Array(PAGE_SIZE), 0), { status: "empty" });
  assert.deepEqual(await decodeMetaPage(filled(PAGE_SIZE, 1), 0), { status: "foreign" });
  for (const version of [0, 2, 256, 65_535]) {
    const future = bytes.slice();
    new DataView(future.buffer).setUint16(6, version, true);
    assert.deepEqual(await decodeMetaPage(future, 0), { status: "future", formatVersion: version });
  }
});

Deno.test("decodeMetaPage() takes a page with any one byte changed for anything but valid", async () => {
  const bytes = await encodeMetaPage(PAGE);
  for (let at = 0; at < PAGE_SIZE; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1 << at % 8;
    const { status } = await decodeMetaPage(damaged, 0);
    assert.equal(status, at < 6 ? "foreign" : at < 8 ? "future" : "torn", `byte ${at}`);
  }
});

const SEGMENT = 128;
const LAST = 128 + 2 * 24;
const RULES: Readonly<Record<string, (view: DataView, bytes: Uint8Array) => void>> = {
  "a page size of 8192": (view) => view.setUint32(8, 8192, true),
  "no sealed meta": (view) => view.setUint32(12, 0, true),
  "a sealed meta of 2689 bytes": (view) => view.setUint32(12, 2689, true),
  "a sealed meta that is shorter than what stands there": (view) => view.setUint32(12, 99, true),
  "version 0": (view) => view.setBigUint64(48, 0n, true),
  "a version above 2^53 - 1": (view) => view.setBigUint64(48, 2n ** 53n + 1n, true),
  "a version above that of the added segment": (view) => view.setBigUint64(48, 0x0102030407n, true),
  "one page": (view) => view.setUint32(56, 1, true),
  "fewer pages than a segment names": (view) => view.setUint32(56, 9, true),
  "49 segments": (view) => view.setUint16(60, 49, true),
  "one segment more than the table": (view) => view.setUint16(60, 4, true),
  "one segment less than the table": (view) => view.setUint16(60, 2, true),
  "more added than there are": (view) => view.setUint16(62, 4, true),
  "added ones of an older version": (view) => view.setUint16(62, 2, true),
  "none added, though one has the version": (view) => view.setUint16(62, 0, true),
  "an origin of 1": (view) => view.setBigUint64(96, 1n, true),
  "an origin above the version": (view) => view.setBigUint64(96, 0x0102030406n, true),
  "an origin above 2^53 - 1": (view) => view.setBigUint64(96, 2n ** 60n, true),
  "a byte in the first gap": (_, bytes) => bytes[127] = 1,
  "a byte after the table": (_, bytes) => bytes[1407] = 1,
  "a byte after the meta": (_, bytes) => bytes[4095] = 1,
  "a segment of version 0": (view) => view.setBigUint64(SEGMENT, 0n, true),
  "versions that fall": (view) => view.setBigUint64(SEGMENT, 4n, true),
  "a segment of a later version": (view) => view.setBigUint64(LAST, 0x0102030407n, true),
  "a segment on a meta page": (view) => view.setUint32(SEGMENT + 8, 1, true),
  "a segment that ends on a meta page": (view) => view.setUint32(SEGMENT + 12, 0, true),
  "a segment past the end": (view) => view.setUint32(SEGMENT + 8, 0x00a1b2, true),
  "a segment that ends past the end": (view) => view.setUint32(SEGMENT + 12, 0x00a1b2, true),
  "a segment of no bytes": (view) => view.setBigUint64(SEGMENT + 16, 0n, true),
  "a segment larger than the file": (view) => view.setBigUint64(SEGMENT + 16, BigInt(0x00a1b0 * 4080 + 1), true),
  "a length above 2^53 - 1": (view) => view.setBigUint64(SEGMENT + 16, 2n ** 60n, true),
};

for (const [name, change] of Object.entries(RULES)) {
  Deno.test(`decodeMetaPage() refuses ${name}, whatever the digest says, and tells it from a torn page`, async () => {
    const decoded = await decodeMetaPage(await changed(change), 0);
    assert.ok(decoded.status === "torn" && decoded.broken !== undefined);
  });
}

/** Segments of version 3, by first page, last page and pages. */
function tableOf(...entries: readonly (readonly [first: number, last: number, pages: number])[]): MetaPage {
  const segments = entries.map(([first, last, pages]) => ({ version: 3, first, last, length: pages * 4080 }));
  return metaPage({ version: 3, pageCount: 20, segments, added: segments.length });
}

/** A run of pages is written as its first and last; a chain has more pages than lie between them, or fewer. */
const SHARED: Readonly<Record<string, MetaPage>> = {
  "two segments on one page": tableOf([2, 2, 1], [2, 2, 1]),
  "a run that begins in another": tableOf([2, 5, 4], [5, 7, 3]),
  "a run inside another, listed before it": tableOf([4, 4, 1], [2, 8, 7]),
  "a chain that begins in a run": tableOf([2, 5, 4], [4, 12, 2]),
  "a chain that ends in a run": tableOf([2, 5, 4], [12, 4, 2]),
  "two chains that begin on one page": tableOf([2, 9, 2], [2, 12, 3]),
  "two chains that end on one page": tableOf([2, 9, 2], [4, 9, 3]),
  "a chain that begins where another ends": tableOf([2, 9, 2], [9, 5, 2]),
  "more pages in all than the file holds": tableOf([2, 12, 9], [19, 3, 10]),
};

for (const [name, page] of Object.entries(SHARED)) {
  Deno.test(`decodeMetaPage() refuses ${name}`, async () => {
    const decoded = await decodeMetaPage(await encodeMetaPage(page), 0);
    assert.deepEqual(decoded, { status: "torn", broken: "two segments share a page" });
  });
}

Deno.test("decodeMetaPage() takes segments that lie side by side, and as many pages as the file holds", async () => {
  for (const page of [tableOf([2, 5, 4], [6, 6, 1], [7, 9, 3]), tableOf([2, 12, 9], [19, 3, 9]), tableOf([9, 5, 2])]) {
    assert.deepEqual(await decodeMetaPage(await encodeMetaPage(page), 0), { status: "valid", page });
  }
});

for (const [first, last, pages] of [[5, 5, 2], [5, 6, 1], [6, 5, 1]] as const) {
  Deno.test(`decodeMetaPage() refuses ${pages} pages from page ${first} to page ${last}`, async () => {
    const decoded = await decodeMetaPage(await encodeMetaPage(tableOf([first, last, pages])), 0);
    assert.deepEqual(decoded, { status: "torn", broken: "a segment is out of bounds" });
  });
}

Deno.test("decodeMetaPage() takes a commit that added nothing, of segments and of none", async () => {
  for (const segments of [PAGE.segments.slice(0, 2), []]) {
    const page = metaPage({ version: 5, pageCount: 20, segments, added: 0 });
    assert.deepEqual(await decodeMetaPage(await encodeMetaPage(page), 0), { status: "valid", page });
  }
});

Deno.test("decodeMetaPage() calls a whole page in the place of the other broken", async () => {
  const { status, ...rest } = await decodeMetaPage(await encodeMetaPage(PAGE), 1);
  assert.deepEqual([status, rest], ["torn", { broken: "a meta page stands in the place of the other" }]);
});

Deno.test("decodeMetaPage() takes anything but a whole page for torn, and reads nothing past its end", async () => {
  const bytes = await encodeMetaPage(PAGE);
  for (const length of [6, 7, 8, 100, PAGE_SIZE - 1]) {
    assert.deepEqual(await decodeMetaPage(bytes.subarray(0, length), 0), { status: "torn" });
  }
});

const UNFIT: Readonly<Record<string, Partial<MetaPage>>> = {
  "49 segments": {
    segments: Array.from({ length: 49 }, (_, i) => ({ version: 1, first: 2 + i, last: 2 + i, length: 1 })),
  },
  "a meta of 2689 bytes": { meta: filled(2689, 1) },
  "a digest of 33 bytes": { addedDigest: filled(33, 1) },
  "2^32 pages": { pageCount: 2 ** 32 },
};

for (const [name, parts] of Object.entries(UNFIT)) {
  Deno.test(`encodeMetaPage() refuses ${name}`, async () => {
    await assert.rejects(encodeMetaPage({ ...PAGE, ...parts }), RangeError);
  });
}

Deno.test("decodeMetaPage takes coffer's other files for what they are, and not for a vault of a later version", async () => {
  for (const begin of ["COFFERAN", "COFFERAT", "COFFER-KEYFILE-1"]) {
    const page = new Uint8Array(PAGE_SIZE);
    page.set(new TextEncoder().encode(begin));
    assert.equal((await decodeMetaPage(page, 0)).status, "foreign");
  }
});
