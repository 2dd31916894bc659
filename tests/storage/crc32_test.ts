import assert from "node:assert/strict";
import { crc32 as zlibCrc32 } from "node:zlib";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { crc32, crc32Portable } from "../../lib/storage/crc32.ts";
import { randomFrom } from "../helpers.ts";

Deno.test("crc32() gives the check value of CRC-32/ISO-HDLC, in the portable form and by the runtime's own", () => {
  // More calls than it takes until the runtime's own is loaded.
  for (let call = 0; call < 200; call++) assert.equal(crc32(encodeUtf8("123456789")), 0xcbf43926);
  assert.equal(crc32Portable(encodeUtf8("123456789")), 0xcbf43926);
  assert.equal(crc32Portable(new Uint8Array()), 0);
});

Deno.test("crc32Portable() agrees with zlib, whatever the length", () => {
  const random = randomFrom(1);
  for (let length = 0; length < 1024; length++) {
    const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256));
    assert.equal(crc32Portable(bytes), zlibCrc32(bytes));
  }
});
