import assert from "node:assert/strict";
import { CorruptVaultError } from "../../lib/errors.ts";
import { decodePage, encodePage, PAGE_SIZE, pagesFor, PAYLOAD_SIZE } from "../../lib/storage/page.ts";
import { filled } from "./helpers.ts";

function page(next: number, index: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PAGE_SIZE);
  encodePage(bytes, next, index, payload);
  return bytes;
}

Deno.test("encodePage() puts every field where the format says", () => {
  const payload = filled(PAYLOAD_SIZE, 1);
  const bytes = page(0x04030201, 0x08070605, payload);
  assert.deepEqual([...bytes.subarray(0, 12)], [0x43, 0x46, 0x50, 0x47, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(bytes.subarray(12, 4092), payload);
});

Deno.test("encodePage() ends with the CRC-32 that gzip uses", () => {
  const bytes = page(7, 3, filled(1_000, 2));
  // One bit at a time, as IEEE 802.3 defines it.
  let crc = 0xffffffff;
  for (const byte of bytes.subarray(0, 4092)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0xedb88320);
  }
  assert.equal(new DataView(bytes.buffer).getUint32(4092, true), (crc ^ 0xffffffff) >>> 0);
});

for (const length of [1, PAYLOAD_SIZE - 1, PAYLOAD_SIZE]) {
  Deno.test(`decodePage() gives back ${length} bytes and the next page`, () => {
    const payload = filled(length, length);
    const decoded = decodePage(page(9, 4, payload), 5, 4, length);
    assert.equal(decoded.next, 9);
    assert.deepEqual(new Uint8Array(decoded.payload), payload);
  });
}

Deno.test("decodePage() refuses a page with any one byte changed, and names it", () => {
  const bytes = page(9, 4, filled(100, 1));
  for (let at = 0; at < PAGE_SIZE; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1 << at % 8;
    assert.throws(
      () => decodePage(damaged, 77, 4, 100),
      (error) => error instanceof CorruptVaultError && error.page === 77,
      `byte ${at}`,
    );
  }
});

Deno.test("decodePage() refuses a page of another position, with more than its share, or cut short", () => {
  const bytes = page(9, 4, filled(100, 1));
  const refused = { code: "corrupt-vault", page: 77 };
  assert.throws(() => decodePage(bytes, 77, 5, 100), refused);
  assert.throws(() => decodePage(bytes, 77, 4, 99), refused);
  assert.throws(() => decodePage(bytes.subarray(0, PAGE_SIZE - 1), 77, 4, 100), refused);
  assert.throws(() => decodePage(new Uint8Array(PAGE_SIZE), 77, 0, 100), refused);
});

Deno.test("pagesFor() counts pages of 4080 bytes", () => {
  assert.deepEqual([1, 4079, 4080, 4081, 8160, 8161].map(pagesFor), [1, 1, 1, 2, 2, 3]);
});

Deno.test("encodePage() refuses bytes that are not a page, and a payload that does not fit one", () => {
  for (const size of [PAGE_SIZE - 1, PAGE_SIZE + 1]) {
    assert.throws(() => encodePage(new Uint8Array(size), 0, 0, filled(1, 1)), RangeError);
  }
  assert.throws(() => encodePage(new Uint8Array(PAGE_SIZE), 0, 0, filled(PAYLOAD_SIZE + 1, 1)), RangeError);
});
