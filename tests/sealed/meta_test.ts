import assert from "node:assert/strict";
import { viewOf } from "../../lib/bytes.ts";
import { importHmacKey } from "../../lib/crypto/hmac.ts";
import { CorruptVaultError } from "../../lib/errors.ts";
import { decodeMeta, type Meta, META_SIZE, openMeta, SEAL_LIMIT, sealMeta, SLOT_COUNT } from "../../lib/sealed/meta.ts";
import { encodeSlot, type Slot, SLOT_SIZE } from "../../lib/sealed/slot.ts";
import { MAX_META_SIZE } from "../../lib/storage/medium.ts";
import { flipped, patterned } from "../helpers.ts";

const SLOTS_OFFSET = 160;

function slotOf(id: number): Slot {
  return { id, kind: "keyfile", label: `slot ${id}`, created: 5, salt: patterned(32, id), wrapped: patterned(60, id) };
}

function metaOf(slots: readonly Slot[]): Meta {
  return {
    vaultId: patterned(16, 1),
    generation: 9,
    epoch: 1,
    nextSlotId: 17,
    seals: 12,
    created: 1000,
    updated: 2000,
    head: patterned(16, 50),
    audit: { length: 7, head: patterned(32, 80) },
    anchored: true,
    backup: false,
    slots,
  };
}

const META = metaOf([slotOf(1), slotOf(3)]);
const KEY = await importHmacKey(patterned(32));

Deno.test("openMeta() gives back what sealMeta() was given, from one slot to sixteen", async () => {
  for (const count of [1, 2, SLOT_COUNT]) {
    const meta = metaOf(Array.from({ length: count }, (_, index) => slotOf(index + 1)));
    const bytes = await sealMeta(meta, KEY);
    assert.equal(bytes.length, META_SIZE);
    assert.deepEqual(await openMeta(bytes, KEY), meta);
  }
  assert.ok(META_SIZE <= MAX_META_SIZE);
});

Deno.test("sealMeta() puts the log's end and the flags where the format says", async () => {
  for (
    const [anchored, backup, flags] of [[false, false, 0], [true, false, 1], [false, true, 2], [true, true, 3]] as const
  ) {
    const meta = { ...META, anchored, backup };
    const bytes = await sealMeta(meta, KEY);
    const view = viewOf(bytes);
    assert.equal(view.getBigUint64(72, true), 7n);
    assert.deepEqual(bytes.slice(80, 112), meta.audit.head);
    assert.equal(view.getUint32(112, true), flags);
    assert.ok(bytes.subarray(116, 160).every((byte) => byte === 0));
    assert.deepEqual(await openMeta(bytes, KEY), meta);
  }
});

Deno.test("openMeta() refuses every flipped byte", async () => {
  const bytes = await sealMeta(META, KEY);
  for (let at = 0; at < bytes.length; at++) {
    await assert.rejects(openMeta(flipped(bytes, at, 1 << (at % 8)), KEY), CorruptVaultError, `byte ${at}`);
  }
});

Deno.test("openMeta() refuses another key", async () => {
  const bytes = await sealMeta(META, KEY);
  await assert.rejects(openMeta(bytes, await importHmacKey(flipped(patterned(32), 0))), CorruptVaultError);
});

Deno.test("decodeMeta() refuses a flipped byte, or decodes to what encodes to the same bytes", async () => {
  const bytes = await sealMeta(META, KEY);
  for (let at = 0; at < META_SIZE - 32; at++) {
    const changed = flipped(bytes, at, 1 << (at % 8));
    let decoded;
    try {
      decoded = decodeMeta(changed);
    } catch (error) {
      assert.ok(error instanceof CorruptVaultError, `byte ${at}: ${error}`);
      continue;
    }
    const again = await sealMeta(decoded, KEY);
    assert.deepEqual(again.subarray(0, META_SIZE - 32), changed.subarray(0, META_SIZE - 32), `byte ${at}`);
  }
});

Deno.test("decodeMeta() refuses another size, gaps, doubles, no slots, and slots not yet given", async () => {
  const bytes = await sealMeta(META, KEY);
  const change = (edit: (bytes: Uint8Array) => void) => {
    const copy = bytes.slice();
    edit(copy);
    return copy;
  };
  const wrong = [
    bytes.subarray(1),
    new Uint8Array(META_SIZE),
    new Uint8Array(0),
    change((copy) => copy.fill(0, SLOTS_OFFSET, SLOTS_OFFSET + 2 * SLOT_SIZE)),
    change((copy) => copy.fill(0, SLOTS_OFFSET, SLOTS_OFFSET + SLOT_SIZE)),
    change((copy) => copy.set(encodeSlot(slotOf(1)), SLOTS_OFFSET + SLOT_SIZE)),
    change((copy) => copy.set(encodeSlot(slotOf(17)), SLOTS_OFFSET + SLOT_SIZE)),
    change((copy) => viewOf(copy).setBigUint64(16, 0n, true)),
    change((copy) => viewOf(copy).setBigUint64(16, 2n ** 53n, true)),
    change((copy) => viewOf(copy).setUint32(24, 0, true)),
    change((copy) => viewOf(copy).setBigUint64(72, 2n ** 53n, true)),
    change((copy) => copy[112] = 4),
    change((copy) => copy[113] = 1),
    change((copy) => copy[116] = 1),
    change((copy) => copy[159] = 1),
  ];
  for (const [index, each] of wrong.entries()) {
    assert.throws(() => decodeMeta(each), CorruptVaultError, `case ${index}`);
  }
});

Deno.test("decodeMeta() refuses more seals than one key may make", async () => {
  assert.equal(decodeMeta(await sealMeta({ ...META, seals: SEAL_LIMIT }, KEY)).seals, SEAL_LIMIT);
  const bytes = await sealMeta({ ...META, seals: SEAL_LIMIT + 1 }, KEY);
  assert.throws(() => decodeMeta(bytes), CorruptVaultError);
});
