import assert from "node:assert/strict";
import fc from "fast-check";
import { allocate, complement, countPages, type Extent, normalize } from "../../lib/storage/extents.ts";

/** Pages of the naive model. */
const PAGES = 64;

const EXTENTS: fc.Arbitrary<Extent[]> = fc.array(
  fc.record({ first: fc.nat(PAGES - 1), count: fc.nat(12) }),
  { maxLength: 12 },
).map((extents) => extents.map(({ first, count }) => ({ first, count: Math.min(count, PAGES - first) })));

/** The naive model: one flag for each page. */
function bitmap(extents: readonly Extent[]): boolean[] {
  const pages = Array.from({ length: PAGES }, () => false);
  for (const { first, count } of extents) pages.fill(true, first, first + count);
  return pages;
}

function listed(extents: readonly Extent[]): number[] {
  return extents.flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index));
}

/** Sorted, of at least one page each, with a gap between any two. */
function assertNormal(extents: readonly Extent[]): void {
  let end = -1;
  for (const { first, count } of extents) {
    assert.ok(first > end && count > 0, JSON.stringify(extents));
    end = first + count;
  }
}

Deno.test("normalize() covers the same pages with the fewest runs", () => {
  fc.assert(fc.property(EXTENTS, (extents) => {
    const normal = normalize(extents);
    assertNormal(normal);
    assert.deepEqual(bitmap(normal), bitmap(extents));
  }));
});

Deno.test("complement() covers the pages between two numbers that no run covers", () => {
  fc.assert(fc.property(EXTENTS, fc.nat(PAGES), fc.nat(PAGES), (extents, start, end) => {
    const rest = complement(extents, start, end);
    assertNormal(rest);
    const pages = bitmap(extents);
    assert.deepEqual(listed(rest), [...pages.keys()].filter((page) => page >= start && page < end && !pages[page]));
  }));
});

Deno.test("countPages() counts what is listed", () => {
  fc.assert(fc.property(EXTENTS, (extents) => {
    assert.equal(countPages(normalize(extents)), bitmap(extents).filter(Boolean).length);
  }));
});

Deno.test("allocate() takes so many free pages, and leaves the others free", () => {
  fc.assert(fc.property(EXTENTS.map(normalize), fc.integer({ min: 1, max: PAGES }), (free, count) => {
    const allocated = allocate(free, count);
    if (countPages(free) < count) return assert.equal(allocated, null);
    assert.ok(allocated);
    const taken = listed(allocated.taken);
    assert.equal(taken.length, count);
    assert.deepEqual([...taken, ...listed(allocated.free)].toSorted((a, b) => a - b), listed(free));
    assertNormal(allocated.free);
  }));
});

Deno.test("allocate() takes the lowest run that holds them all, else the lowest pages", () => {
  fc.assert(fc.property(EXTENTS.map(normalize), fc.integer({ min: 1, max: PAGES }), (free, count) => {
    const allocated = allocate(free, count);
    if (allocated === null) return;
    const whole = free.find((extent) => extent.count >= count);
    const expected = whole === undefined ? listed(free).slice(0, count) : listed([{ first: whole.first, count }]);
    assert.deepEqual(listed(allocated.taken), expected);
  }));
});
