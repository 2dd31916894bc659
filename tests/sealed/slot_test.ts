import assert from "node:assert/strict";
import { concat, encodeUtf8 } from "../../lib/bytes.ts";
import { CorruptVaultError } from "../../lib/errors.ts";
import { checkLabel, decodeSlot, encodeSlot, type Slot, SLOT_KINDS, SLOT_SIZE } from "../../lib/sealed/slot.ts";
import { flipped, patterned, rejectsWith } from "../helpers.ts";

function slotOf(kind: Slot["kind"], label: string): Slot {
  const kdf = kind === "passphrase" ? { kdf: { memory: 65536, passes: 3, lanes: 1 } } : {};
  return { id: 7, kind, label, created: 1_800_000_000_000, ...kdf, salt: patterned(32), wrapped: patterned(60, 9) };
}

const SLOTS = SLOT_KINDS.flatMap((kind) => ["", "laptop", "é".repeat(16)].map((label) => slotOf(kind, label)));
const BAD_LABELS = ["a".repeat(33), "é".repeat(16) + "a", "a\nb", "\x1b[2J", "\ud800"];

Deno.test("decodeSlot() gives back what encodeSlot() was given", () => {
  for (const slot of SLOTS) {
    const bytes = encodeSlot(slot);
    assert.equal(bytes.length, SLOT_SIZE);
    assert.deepEqual(decodeSlot(bytes), slot);
  }
  assert.equal(decodeSlot(new Uint8Array(SLOT_SIZE)), null);
});

Deno.test("decodeSlot() refuses a flipped bit, or decodes to what encodes to the same bytes", () => {
  for (const slot of SLOTS) {
    const bytes = encodeSlot(slot);
    for (let at = 0; at < SLOT_SIZE; at++) {
      for (let mask = 1; mask < 256; mask <<= 1) {
        const changed = flipped(bytes, at, mask);
        let decoded;
        try {
          decoded = decodeSlot(changed);
        } catch (error) {
          assert.ok(error instanceof CorruptVaultError, `byte ${at}: ${error}`);
          continue;
        }
        assert.ok(decoded !== null);
        assert.deepEqual(encodeSlot(decoded), changed, `byte ${at}, bit ${mask}`);
      }
    }
  }
});

Deno.test("decodeSlot() refuses bytes of another size", () => {
  const bytes = encodeSlot(SLOTS[0]!);
  for (const wrong of [bytes.subarray(0, SLOT_SIZE - 1), concat(bytes, Uint8Array.of(0))]) {
    assert.throws(() => decodeSlot(wrong), CorruptVaultError);
  }
});

Deno.test("decodeSlot() refuses a label that a terminal would obey, or that is no text", () => {
  for (const label of [encodeUtf8("\x1b[2J"), encodeUtf8("a\nb"), Uint8Array.of(0xff)]) {
    const bytes = encodeSlot(slotOf("recovery", ""));
    bytes[1] = label.length;
    bytes.set(label, 28);
    assert.throws(() => decodeSlot(bytes), CorruptVaultError);
  }
});

Deno.test("checkLabel() takes up to 32 bytes of printable text", async () => {
  for (const label of ["", "a", "é".repeat(16), "🔑".repeat(8)]) assert.equal(checkLabel(label), label);
  for (const label of BAD_LABELS) await rejectsWith(() => checkLabel(label), "invalid-metadata");
});
