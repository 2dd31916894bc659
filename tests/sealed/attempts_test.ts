import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  ATTEMPTS_SIZE,
  type AttemptsRecord,
  countFailure,
  countLogged,
  countSuccess,
  DAMAGED_FAILURES,
  decodeAttempts,
  encodeAttempts,
  LONGEST_DELAY,
  noAttempts,
  retryAfter,
  settleAttempts,
} from "../../lib/sealed/attempts.ts";
import { flipped, patterned } from "../helpers.ts";

const VAULT_ID = patterned(16);
const RECORD: AttemptsRecord = { vaultId: VAULT_ID, failures: 7, last: 1_700_000_000_123, unlogged: 9 };

/** The bytes with a digest that is right for them. */
function withDigest(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(0, bytes.length - 32);
  return Uint8Array.from([...body, ...createHash("sha256").update(body).digest()]);
}

// ---- Bytes ----

Deno.test("encodeAttempts() puts every field where the layout says", async () => {
  const bytes = await encodeAttempts(RECORD);
  const view = new DataView(bytes.buffer);
  assert.equal(bytes.length, ATTEMPTS_SIZE);
  assert.equal(new TextDecoder().decode(bytes.subarray(0, 8)), "COFFERAT");
  assert.deepEqual([8, 12, 40, 44].map((at) => view.getUint32(at, true)), [1, 7, 9, 0]);
  assert.deepEqual(bytes.slice(16, 32), VAULT_ID);
  assert.equal(view.getBigUint64(32, true), 1_700_000_000_123n);
  assert.deepEqual(bytes, withDigest(bytes));
});

Deno.test("decodeAttempts() gives back what encodeAttempts() was given", async () => {
  const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const record = fc.record({
    vaultId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    failures: u32,
    last: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    unlogged: u32,
  }, { noNullPrototype: true });
  await fc.assert(fc.asyncProperty(record, async (record) => {
    assert.deepEqual(await decodeAttempts(await encodeAttempts(record)), { status: "valid", record });
  }));
});

Deno.test("decodeAttempts() calls every flipped bit, every cut and every addition damage", async () => {
  const bytes = await encodeAttempts(RECORD);
  for (let at = 0; at < bytes.length * 8; at++) {
    const found = await decodeAttempts(flipped(bytes, at >> 3, 1 << (at & 7)));
    assert.deepEqual(found, { status: "damaged" }, `bit ${at}`);
  }
  for (let size = 0; size < bytes.length; size++) {
    assert.deepEqual(await decodeAttempts(bytes.subarray(0, size)), { status: "damaged" }, `${size} bytes`);
  }
  for (const more of [1, 32, 4000]) {
    assert.deepEqual(await decodeAttempts(Uint8Array.from([...bytes, ...new Uint8Array(more)])), { status: "damaged" });
  }
});

Deno.test("decodeAttempts() calls wrong fields under a right digest damage", async () => {
  const bytes = await encodeAttempts(RECORD);
  const wrong: Record<string, Uint8Array> = {
    "another magic": flipped(bytes, 0),
    "version 0": flipped(bytes, 8),
    "padding that is not zero": flipped(bytes, 47),
    "a time above 2^53": flipped(bytes, 39, 0x80),
    "a byte more": Uint8Array.from([...bytes.subarray(0, 48), 0, ...bytes.subarray(48)]),
    "a byte less": Uint8Array.from([...bytes.subarray(0, 47), ...bytes.subarray(48)]),
  };
  for (const [what, changed] of Object.entries(wrong)) {
    assert.deepEqual(await decodeAttempts(withDigest(changed)), { status: "damaged" }, what);
  }
});

Deno.test("decodeAttempts() tells a later version, of any length, by magic and digest", async () => {
  const later = flipped(await encodeAttempts(RECORD), 8, 3);
  assert.deepEqual(await decodeAttempts(withDigest(later)), { status: "version", version: 2 });
  const longer = withDigest(Uint8Array.from([...later, ...new Uint8Array(100)]));
  assert.deepEqual(await decodeAttempts(longer), { status: "version", version: 2 });
});

// ---- Policy ----

Deno.test("retryAfter() doubles from 1 s after five failures to 15 min", () => {
  const waits = Array.from({ length: 18 }, (_, failures) => retryAfter({ failures, last: 1000 }, 1000) / 1000);
  assert.deepEqual(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
  assert.equal(retryAfter({ failures: 2 ** 32 - 1, last: 1000 }, 1000), LONGEST_DELAY);
});

Deno.test("retryAfter() counts down from the last failure to nothing", () => {
  const record = { failures: 7, last: 10_000 };
  assert.deepEqual([10_000, 11_000, 13_999, 14_000, 99_000].map((now) => retryAfter(record, now)), [
    4000,
    3000,
    1,
    0,
    0,
  ]);
});

const TIME = fc.nat({ max: 4_000_000_000_000 });
const FAILURES = fc.oneof(fc.nat({ max: 30 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));

Deno.test("retryAfter() is never shorter for more failures, never longer than the longest wait", () => {
  fc.assert(fc.property(FAILURES, FAILURES, TIME, TIME, (a, b, last, now) => {
    const [fewer, more] = [Math.min(a, b), Math.max(a, b)];
    const wait = retryAfter({ failures: more, last }, now);
    assert.ok(wait >= retryAfter({ failures: fewer, last }, now) && wait <= LONGEST_DELAY);
  }));
});

Deno.test("a clock that is set back at will never shortens the wait, and the wait passes once it stands", () => {
  fc.assert(
    fc.property(FAILURES, TIME, fc.array(fc.nat({ max: 2_000_000 }), { maxLength: 8 }), (failures, at, back) => {
      const whole = retryAfter({ failures, last: at }, at);
      let record: AttemptsRecord = { vaultId: VAULT_ID, failures, last: at, unlogged: 0 };
      let now = at;
      for (const step of back) {
        if (now - step < 0) break;
        now -= step;
        assert.equal(retryAfter(record, now), whole, "as found");
        record = settleAttempts(record, VAULT_ID, now);
        assert.equal(retryAfter(record, now), whole, "as rewritten");
      }
      assert.equal(retryAfter(record, now + whole), 0);
      if (whole > 0) assert.equal(retryAfter(record, now + whole - 1), 1);
    }),
  );
});

Deno.test("settleAttempts() keeps a record that is as it should be", () => {
  assert.equal(settleAttempts(RECORD, VAULT_ID, RECORD.last), RECORD);
  assert.equal(settleAttempts(RECORD, VAULT_ID, RECORD.last + 1), RECORD);
});

Deno.test("settleAttempts() counts damage, and the record of another vault, as ten failures now", () => {
  const expected = { vaultId: VAULT_ID, failures: DAMAGED_FAILURES, last: 5000, unlogged: DAMAGED_FAILURES };
  assert.deepEqual(settleAttempts(undefined, VAULT_ID, 5000), expected);
  assert.deepEqual(settleAttempts(noAttempts(patterned(16, 1)), VAULT_ID, 5000), expected);
  assert.equal(retryAfter(expected, 5000), 32_000);
});

Deno.test("countFailure() adds to both counts and stops at the largest number", () => {
  const now = RECORD.last + 5;
  assert.deepEqual(countFailure(RECORD, now), { vaultId: VAULT_ID, failures: 8, last: now, unlogged: 10 });
  const full = { ...RECORD, failures: 2 ** 32 - 1, unlogged: 2 ** 32 - 1 };
  assert.deepEqual(countFailure(full, now), { ...full, last: now });
});

Deno.test("countSuccess() ends the wait and keeps what the log has still to be told", () => {
  assert.deepEqual(countSuccess(RECORD), { vaultId: VAULT_ID, failures: 0, last: 0, unlogged: 9 });
});

Deno.test("countLogged() takes away what was logged, and no more", () => {
  assert.equal(countLogged(RECORD, 4).unlogged, 5);
  assert.equal(countLogged(RECORD, 90).unlogged, 0);
  assert.equal(countLogged(RECORD, 9).failures, 7);
});
