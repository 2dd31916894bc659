import assert from "node:assert/strict";
import { concat } from "../../lib/bytes.ts";
import { type HmacKey, importHmacKey } from "../../lib/crypto/hmac.ts";
import { sha256 } from "../../lib/crypto/sha256.ts";
import {
  Anchor,
  ANCHOR_SIZE,
  type AnchorHistory,
  type AnchorState,
  type Head,
  inspectAnchor,
} from "../../lib/sealed/anchor.ts";
import type { AnchorStore } from "../../lib/storage/anchor_store.ts";
import { flipped, patterned, rejectsWith } from "../helpers.ts";

const KEY = await importHmacKey(patterned(32));
const OLD_KEY = await importHmacKey(patterned(32, 100));
const SECOND = 512;
const RECORD_SIZE = 104;
const CODES = ["anchor-damaged", "anchor-foreign", "rollback-detected", "fork-detected", "unsupported-version"];

/** An anchor in memory. */
class Store implements AnchorStore {
  readonly name = "memory";
  constructor(public bytes: Uint8Array<ArrayBuffer> | null = null) {}
  read() {
    return this.bytes === null ? null : this.bytes.slice();
  }
  assertWritable() {}
  write(bytes: Uint8Array, offset: number) {
    this.bytes!.set(bytes, offset);
  }
  replace(bytes: Uint8Array) {
    this.bytes = new Uint8Array(bytes);
  }
  remove() {
    this.bytes = null;
  }
  release() {}
}

/** A generation as far as an anchor looks at it; histories differ in the last bytes of the sealed meta. */
function head(generation: number, { epoch = 1, vault = 1, history = 3 } = {}): Head {
  return {
    meta: { vaultId: patterned(16, vault), epoch, generation },
    committed: { meta: concat(patterned(50), patterned(32, history + generation)) },
  } as unknown as Head;
}

/** An anchor that was made at one generation and moved up to another. */
async function grown(to: number, from = 1): Promise<Store> {
  const store = new Store();
  const anchor = new Anchor(store);
  await anchor.replace(head(from), KEY);
  for (let generation = from + 1; generation <= to; generation++) await anchor.move(head(generation), KEY);
  return store;
}

async function verify(
  bytes: Uint8Array | null,
  at: Head,
  key?: HmacKey,
  previous?: HmacKey,
): Promise<AnchorState> {
  const store = new Store(bytes === null ? null : new Uint8Array(bytes));
  return await new Anchor(store).verify(at, key ?? KEY, history(previous));
}

function history(previous?: HmacKey, superseded?: Uint8Array<ArrayBuffer>): AnchorHistory {
  return { previousKey: () => Promise.resolve(previous), superseded: () => superseded };
}

Deno.test("Anchor.verify() finds the vault level, behind, older or forked", async () => {
  const { bytes } = await grown(4);
  assert.equal(bytes!.length, ANCHOR_SIZE);
  assert.equal(await verify(bytes, head(4)), "level");
  assert.equal(await verify(bytes, head(5)), "behind");
  assert.equal(await verify(bytes, head(900)), "behind");
  for (const generation of [1, 3]) await rejectsWith(() => verify(bytes, head(generation)), "rollback-detected");
  await rejectsWith(() => verify(bytes, head(4, { history: 9 })), "fork-detected");
  await rejectsWith(() => verify(null, head(4)), "anchor-missing");
  await rejectsWith(() => verify(bytes, head(4, { vault: 2 })), "anchor-foreign");
  await rejectsWith(() => verify(bytes, head(4), OLD_KEY), "anchor-damaged");
});

Deno.test("Anchor.move() puts the records where the format says, in turns, and leaves the other alone", async () => {
  const store = await grown(3);
  const before = store.bytes!.slice();
  const anchor = new Anchor(store);
  await anchor.move(head(4), KEY);
  assert.deepEqual(
    store.bytes!.subarray(SECOND),
    before.subarray(SECOND),
    "an even generation goes to the first place",
  );
  const record = store.bytes!.subarray(0, RECORD_SIZE);
  const view = new DataView(record.buffer, record.byteOffset);
  assert.equal(new TextDecoder().decode(record.subarray(0, 8)), "COFFERAN");
  assert.deepEqual([view.getUint16(8, true), view.getUint16(10, true), view.getUint32(12, true)], [1, 0, 1]);
  assert.deepEqual(new Uint8Array(record.subarray(16, 32)), patterned(16, 1));
  assert.equal(view.getBigUint64(32, true), 4n);
  assert.deepEqual(new Uint8Array(record.subarray(40, 72)), patterned(32, 7));
  assert.ok(store.bytes!.subarray(RECORD_SIZE, SECOND).every((byte) => byte === 0));
  assert.deepEqual(inspectAnchor(store.bytes!, "memory").map(({ generation }) => generation), [4, 3]);
});

Deno.test("Anchor.verify() falls back to the record before when the newest was torn at any byte", async () => {
  const { bytes: before } = await grown(4);
  const { bytes: after } = await grown(5);
  for (let cut = 0; cut <= RECORD_SIZE; cut++) {
    const torn = concat(
      before!.subarray(0, SECOND),
      after!.subarray(SECOND, SECOND + cut),
      before!.subarray(SECOND + cut),
    );
    // The vault is durable before its anchor is written: it is ahead, or level.
    assert.ok(["level", "behind"].includes(await verify(torn, head(5))), `cut at ${cut}`);
  }
});

Deno.test("Anchor.verify() of an anchor with any byte flipped never takes an older or forked vault for level", async () => {
  const { bytes } = await grown(5);
  for (let at = 0; at < ANCHOR_SIZE; at++) {
    const damaged = flipped(bytes!, at, 1 << (at % 8));
    for (const vault of [head(3), head(5, { history: 9 })]) {
      const state = await verify(damaged, vault).catch((error) => error.code);
      // When the newest record is lost the one before speaks, one generation behind: all that its loss can hide.
      const hidden = vault.meta.generation === 5 && state === "behind";
      assert.ok(hidden || CODES.includes(state), `byte ${at}: ${state}`);
    }
    const state = await verify(damaged, head(5)).catch((error) => error.code);
    assert.ok(["level", "behind", ...CODES].includes(state), `byte ${at}: ${state}`);
  }
});

Deno.test("Anchor.verify() refuses an anchor of every other length", async () => {
  const { bytes } = await grown(5);
  for (let length = 0; length < ANCHOR_SIZE; length++) {
    await rejectsWith(() => verify(bytes!.subarray(0, length), head(5)), "anchor-damaged");
  }
  await rejectsWith(() => verify(concat(bytes!, new Uint8Array(1)), head(5)), "anchor-damaged");
  await rejectsWith(() => verify(new Uint8Array(ANCHOR_SIZE), head(5)), "anchor-damaged");
});

Deno.test("Anchor.verify() refuses the anchor of a later version", async () => {
  const { bytes } = await grown(5);
  const later = flipped(bytes!, 8, 3);
  await rejectsWith(() => verify(later, head(5)), "unsupported-version");
});

Deno.test("Anchor.verify() takes the anchor of the epoch before under its key, and no other", async () => {
  const { bytes } = await grown(5);
  const rotated = head(6, { epoch: 2 });
  assert.equal(await verify(bytes, rotated, OLD_KEY, KEY), "behind");
  await rejectsWith(() => verify(bytes, rotated, OLD_KEY, OLD_KEY), "anchor-damaged");
  await rejectsWith(() => verify(bytes, rotated, OLD_KEY), "anchor-damaged");
  // Epochs may be left out. The key tells: it speaks for its own epoch only.
  assert.equal(await verify(bytes, head(7, { epoch: 3 }), OLD_KEY, KEY), "behind");
  // The other way round the vault is the older one, though its key cannot tell.
  const store = new Store();
  await new Anchor(store).replace(rotated, OLD_KEY);
  await rejectsWith(() => verify(store.bytes, head(5)), "rollback-detected");
});

Deno.test("Anchor.verify() looks anew at what changed since, also when it knew it before", async () => {
  const store = await grown(5);
  const anchor = new Anchor(store);
  const previous = history();
  assert.equal(await anchor.verify(head(5), KEY, previous), "level");
  assert.equal(await anchor.verify(head(5), KEY, previous), "level");
  await anchor.move(head(6), KEY);
  assert.equal(await anchor.verify(head(6), KEY, previous), "level");
  await rejectsWith(() => anchor.verify(head(5), KEY, previous), "rollback-detected");
  store.bytes = (await grown(9)).bytes;
  await rejectsWith(() => anchor.verify(head(6), KEY, previous), "rollback-detected");
  store.bytes = null;
  await rejectsWith(() => anchor.verify(head(6), KEY, previous), "anchor-missing");
});

Deno.test("Anchor.verify() takes the very anchor that a restore replaced for behind, and move() leaves nothing of it", async () => {
  const store = new Store();
  await new Anchor(store).replace(head(5, { epoch: 3 }), OLD_KEY);
  await new Anchor(store).move(head(6, { epoch: 3 }), OLD_KEY);
  const replaced = store.bytes!.slice();
  const digest = await sha256(replaced);
  const restored = head(7);
  await rejectsWith(() => new Anchor(store).verify(restored, KEY, history()), "rollback-detected");
  const anchor = new Anchor(store);
  assert.equal(await anchor.verify(restored, KEY, history(undefined, digest)), "behind");
  await anchor.move(head(8), KEY);
  assert.deepEqual(inspectAnchor(store.bytes!, "memory").map(({ generation }) => generation), [8]);
  assert.equal(await anchor.verify(head(8), KEY, history(undefined, digest)), "level");
  await rejectsWith(() => anchor.verify(restored, KEY, history(undefined, digest)), "rollback-detected");
  for (let at = 0; at < RECORD_SIZE; at++) {
    const other = new Store(flipped(replaced, at));
    const state = await new Anchor(other).verify(restored, KEY, history(undefined, digest)).catch((error) =>
      error.code
    );
    assert.ok(CODES.includes(state), `byte ${at}: ${state}`);
  }
});

Deno.test("Anchor.verify() takes an anchor that waits for the generation it was made for, and for no other", async () => {
  const waiting = new Store();
  const store: AnchorStore = Object.assign(new Store(), {
    waiting: () => ({
      read: () => waiting.read(),
      replace: (bytes: Uint8Array) => waiting.replace(bytes),
      remove: () => waiting.remove(),
      release: () => {},
      settle: () => {
        store.replace(waiting.bytes!);
        waiting.remove();
      },
    }),
  });
  const anchor = new Anchor(store);
  await anchor.prepare(head(5), KEY);
  const prepared = waiting.bytes!.slice();
  for (const other of [head(4), head(6), head(5, { history: 9 }), head(5, { epoch: 2 }), head(5, { vault: 2 })]) {
    await rejectsWith(() => anchor.verify(other, KEY, history()), "anchor-missing");
  }
  await rejectsWith(() => anchor.verify(head(5), OLD_KEY, history()), "anchor-missing");
  assert.equal(await anchor.verify(head(5), KEY, history()), "level");
  assert.equal(store.read(), null, "reading gives it no name");
  anchor.assertWritable();
  assert.deepEqual([store.read(), waiting.read()], [prepared, null]);
  await anchor.move(head(6), KEY);
  assert.equal(await anchor.verify(head(6), KEY, history()), "level");
  // One that was left over is no stand-in for an anchor that is gone.
  waiting.replace(prepared);
  store.remove();
  await rejectsWith(() => anchor.verify(head(6), KEY, history()), "anchor-missing");
  await anchor.replace(head(6), KEY);
  assert.equal(waiting.read(), null);
});

Deno.test("Anchor.replace() writes over another vault's anchor only when that is insisted on", async () => {
  const store = await grown(5);
  const before = store.bytes!.slice();
  await rejectsWith(() => new Anchor(store).replace(head(1, { vault: 2 }), OLD_KEY), "anchor-foreign");
  assert.deepEqual(store.bytes, before);
  await new Anchor(store).replace(head(1, { vault: 2 }), OLD_KEY, true);
  assert.equal(await verify(store.bytes, head(1, { vault: 2 }), OLD_KEY), "level");
});
