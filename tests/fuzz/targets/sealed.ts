/**
 * What is sealed, or guards what is: metas, slots, segments, anchors, records of tries, credentials.
 *
 * Keys are fixed, so that inputs can be mended as only somebody with the key could.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, encodeBase64, encodeHex, equalBytes } from "../../../lib/bytes.ts";
import { importAesKey } from "../../../lib/crypto/aes_gcm.ts";
import { hmac, importHmacKey } from "../../../lib/crypto/hmac.ts";
import { sha256 } from "../../../lib/crypto/sha256.ts";
import {
  AnchorDamagedError,
  AnchorForeignError,
  CorruptVaultError,
  ForkDetectedError,
  MalformedCredentialError,
  RollbackDetectedError,
  UnsupportedVersionError,
} from "../../../lib/errors.ts";
import { Anchor, inspectAnchor } from "../../../lib/sealed/anchor.ts";
import { decodeAttempts, encodeAttempts, retryAfter, settleAttempts } from "../../../lib/sealed/attempts.ts";
import { resolveCredential } from "../../../lib/sealed/credential.ts";
import { newKeyFile, parseKeyFile } from "../../../lib/sealed/keyfile.ts";
import { type Meta, META_SIZE, openMeta, sealMeta } from "../../../lib/sealed/meta.ts";
import { decodeRecoveryCode, encodeRecoveryCode } from "../../../lib/sealed/recovery.ts";
import {
  encodePreviousAnchorKey,
  PREVIOUS_ANCHOR,
  previousAnchorKey,
  readSuperseded,
} from "../../../lib/sealed/rotation.ts";
import {
  CHUNK_SIZE,
  decodeHeader,
  encodeHeader,
  openSegment,
  readSegmentHeader,
  sealSegment,
  type SegmentHeader,
} from "../../../lib/sealed/segment.ts";
import { decodeSlot, encodeSlot, type Slot, SLOT_KINDS, SLOT_SIZE } from "../../../lib/sealed/slot.ts";
import { State } from "../../../lib/state/records.ts";
import type { StoredSegment } from "../../../lib/storage/medium.ts";
import { gather, patterned } from "../../helpers.ts";
import { MemoryAnchor } from "../../memory_anchor.ts";
import { type Target, target, textTarget } from "../target.ts";

const HMAC_KEY = await importHmacKey(patterned(32, 4));
const SEGMENT_KEY = { key: await importAesKey(patterned(32, 5)), vaultId: patterned(16, 9) };

function slotOf(id: number, kind: Slot["kind"] = "keyfile"): Slot {
  const kdf = kind === "passphrase" ? { kdf: { memory: 262_144, passes: 3, lanes: 1 } } : {};
  return { id, kind, label: `slot ${id} é`, created: 5, ...kdf, salt: patterned(32, id), wrapped: patterned(60, id) };
}

const META: Meta = {
  vaultId: patterned(16, 1),
  generation: 9,
  epoch: 2,
  nextSlotId: 17,
  seals: 12,
  created: 1000,
  updated: 2000,
  head: patterned(16, 50),
  audit: { length: 7, head: patterned(32, 80) },
  anchored: true,
  backup: false,
  slots: SLOT_KINDS.map((kind, index) => slotOf(index + 1, kind)),
};

const METAS = fc.record({
  generation: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  epoch: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  seals: fc.integer({ min: 0, max: 2 ** 32 }),
  created: fc.integer({ min: 0, max: 8.64e15 }),
  anchored: fc.boolean(),
  backup: fc.boolean(),
  slots: fc.integer({ min: 1, max: 16 }).map((count) => Array.from({ length: count }, (_, index) => slotOf(index + 1))),
}).map((changes): Meta => ({ ...META, ...changes }));

const HEADER: SegmentHeader = {
  kind: "delta",
  epoch: 1,
  first: 5,
  last: 9,
  id: patterned(16, 7),
  previous: patterned(16, 90),
};

function storedSegment(bytes: Bytes): StoredSegment {
  return {
    version: 9,
    length: bytes.length,
    read: (offset, length) => {
      assert.ok(offset >= 0 && length >= 0 && offset + length <= bytes.length, "a read past the end of a segment");
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
  };
}

async function openWhole(bytes: Bytes): Promise<{ header: SegmentHeader; plaintext: Bytes }> {
  const stored = storedSegment(bytes);
  const header = await readSegmentHeader(stored);
  return { header, plaintext: concat(...await gather(openSegment(SEGMENT_KEY, stored, header))) };
}

const PLAINTEXTS = [patterned(0), patterned(500), patterned(CHUNK_SIZE + 100)] as const;

function chunked(plaintext: Bytes): Bytes[] {
  const chunks: Bytes[] = [];
  for (let at = 0; at === 0 || at < plaintext.length; at += CHUNK_SIZE) {
    chunks.push(plaintext.slice(at, at + CHUNK_SIZE));
  }
  return chunks;
}

async function sealedSegments(most: number): Promise<Bytes[]> {
  const small = PLAINTEXTS.filter(({ length }) => length < most);
  return await Promise.all(small.map((plaintext) => sealSegment(SEGMENT_KEY, HEADER, chunked(plaintext))));
}

/** A generation as an anchor looks at it. */
const HEAD = {
  meta: META,
  committed: { version: 9, meta: await sealMeta(META, HMAC_KEY), segments: [], recovered: false },
};

async function anchorBytes(...generations: readonly number[]): Promise<Bytes> {
  const store = new MemoryAnchor();
  const anchor = new Anchor(store);
  for (const [index, generation] of generations.entries()) {
    const head = { ...HEAD, meta: { ...META, generation } };
    if (index === 0) await anchor.replace(head, HMAC_KEY);
    else await anchor.move(head, HMAC_KEY);
  }
  return store.bytes!;
}

/** Makes the HMACs of both records fit. */
async function mendAnchor(bytes: Bytes): Promise<Bytes> {
  for (const at of [0, 512]) {
    if (bytes.length >= at + 104) bytes.set(await hmac(HMAC_KEY, bytes.subarray(at, at + 72)), at + 72);
  }
  return bytes;
}

const ATTEMPTS = { vaultId: patterned(16), failures: 6, last: 1_700_000_000_000, unlogged: 7 };

/** Targets of `lib/sealed`. */
export const SEALED_TARGETS: readonly Target[] = [
  target({
    name: "meta",
    seeds: async () => [await sealMeta(META, HMAC_KEY), await sealMeta({ ...META, slots: [slotOf(1)] }, HMAC_KEY)],
    decode: async (input) => {
      const meta = await openMeta(input, HMAC_KEY);
      // What a vault says of itself is shown, to anyone who asks for it.
      for (const time of [meta.created, meta.updated, ...meta.slots.map(({ created }) => created)]) {
        new Date(time).toISOString();
      }
      return meta;
    },
    encode: (meta) => sealMeta(meta, HMAC_KEY),
    values: METAS.map((meta) => sealMeta(meta, HMAC_KEY)),
    mend: async (input) => {
      if (input.length === META_SIZE) input.set(await hmac(HMAC_KEY, input.subarray(0, -32)), META_SIZE - 32);
      return input;
    },
    allowed: [CorruptVaultError],
    most: 4096,
  }),
  target({
    name: "slot",
    seeds: [...SLOT_KINDS.map((kind, index) => encodeSlot(slotOf(index + 1, kind))), new Uint8Array(SLOT_SIZE)],
    decode: (input) => {
      const slot = decodeSlot(input);
      new Date(slot?.created ?? 0).toISOString();
      return slot;
    },
    encode: (slot) => slot === null ? new Uint8Array(SLOT_SIZE) : encodeSlot(slot),
    allowed: [CorruptVaultError],
    most: 300,
  }),
  target({
    name: "segment-header",
    seeds: [encodeHeader(HEADER), encodeHeader({ ...HEADER, kind: "snapshot", first: 9 })],
    decode: decodeHeader,
    encode: encodeHeader,
    allowed: [CorruptVaultError],
    most: 100,
  }),
  target({
    name: "segment",
    seeds: () => sealedSegments(10_000),
    decode: openWhole,
    // Nothing but what was sealed comes out.
    encode: ({ header, plaintext }) => {
      assert.deepEqual(header, HEADER);
      assert.ok(PLAINTEXTS.some((one) => equalBytes(one, plaintext)), "a plaintext that nobody sealed");
      return undefined;
    },
    allowed: [CorruptVaultError],
    most: 2000,
  }),
  target({
    name: "segment-of-chunks",
    seeds: () => sealedSegments(Infinity),
    decode: openWhole,
    encode: ({ plaintext }) => {
      assert.ok(PLAINTEXTS.some((one) => equalBytes(one, plaintext)), "a plaintext that nobody sealed");
      return undefined;
    },
    allowed: [CorruptVaultError],
    unit: CHUNK_SIZE + 28,
    most: 3 * CHUNK_SIZE,
    cost: 20,
  }),
  target({
    name: "anchor",
    seeds: async () => [await anchorBytes(9), await anchorBytes(7, 8), await anchorBytes(8, 9)],
    decode: (input) => inspectAnchor(input, "anchor"),
    allowed: [AnchorDamagedError, UnsupportedVersionError],
    most: 2048,
  }),
  target({
    name: "anchor-verdict",
    seeds: async () => [await anchorBytes(9), await anchorBytes(7, 8), await anchorBytes(8, 9)],
    decode: async (input) => {
      const store = new MemoryAnchor(input);
      const history = { previousKey: () => Promise.resolve(undefined), superseded: () => undefined };
      const state = await new Anchor(store).verify(HEAD, HMAC_KEY, history);
      assert.ok(equalBytes(store.bytes!, input), "looking changes nothing");
      return state;
    },
    mend: mendAnchor,
    allowed: [
      AnchorDamagedError,
      AnchorForeignError,
      UnsupportedVersionError,
      RollbackDetectedError,
      ForkDetectedError,
    ],
    most: 2048,
  }),
  target({
    name: "attempts",
    seeds: async () => [await encodeAttempts(ATTEMPTS), await encodeAttempts({ ...ATTEMPTS, failures: 0, last: 0 })],
    decode: async (input) => {
      const decoded = await decodeAttempts(input);
      const record = decoded.status === "valid" ? decoded.record : undefined;
      const now = 1_700_000_001_000;
      const wait = retryAfter(settleAttempts(record, ATTEMPTS.vaultId, now), now);
      assert.ok(wait >= 0 && wait <= 900_000, `a wait of ${wait}`);
      if (decoded.status !== "valid") throw new CorruptVaultError(decoded.status);
      return decoded.record;
    },
    encode: encodeAttempts,
    values: fc.record({
      vaultId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      failures: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      last: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      unlogged: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    }).map(encodeAttempts),
    mend: async (input) => {
      if (input.length >= 32) input.set(await sha256(input.subarray(0, -32)), input.length - 32);
      return input;
    },
    allowed: [CorruptVaultError],
    most: 300,
  }),
  target({
    name: "key-file",
    seeds: [newKeyFile(), patterned(32), patterned(64 * 1024)],
    decode: parseKeyFile,
    allowed: [MalformedCredentialError],
    most: 66_000,
  }),
  textTarget({
    name: "recovery-code",
    seeds: [await encodeRecoveryCode(patterned(32)), await encodeRecoveryCode(new Uint8Array(32))],
    decode: decodeRecoveryCode,
    words: ["abandon", "zoo", "art", " abandon"],
    allowed: [MalformedCredentialError],
    most: 2000,
    cost: 2,
  }),
  textTarget({
    name: "certificate",
    seeds: [encodeHex(patterned(32)), ` ${encodeHex(patterned(32)).toUpperCase()}\n`],
    decode: async (text) => encodeHex((await resolveCredential({ certificate: text })).secret),
    encode: (hex) => {
      assert.equal(hex.length, 64);
      return undefined;
    },
    words: [],
    allowed: [MalformedCredentialError],
    most: 200,
  }),
  textTarget({
    name: "passphrase",
    seeds: ["correct horse", "e\u0301", "\u{1f511}"],
    decode: async (text) => (await resolveCredential({ passphrase: text })).secret.length,
    words: [],
    allowed: [MalformedCredentialError],
    most: 66_000,
  }),
  textTarget({
    name: "previous-anchor",
    seeds: [encodePreviousAnchorKey(patterned(32))],
    decode: async (json) => {
      const state = new State();
      state.put(PREVIOUS_ANCHOR.kind, PREVIOUS_ANCHOR.key, json);
      return await hmac((await previousAnchorKey(state))!, patterned(8));
    },
    words: ["AAAA", '"AA=="', '""'],
    allowed: [CorruptVaultError],
    most: 300,
  }),
  textTarget({
    name: "superseded",
    seeds: ['{"epoch":3}', JSON.stringify({ epoch: 2, anchor: encodeBase64(patterned(32)) })],
    decode: (json) => {
      const state = new State();
      state.put(PREVIOUS_ANCHOR.kind, "superseded", json);
      return readSuperseded(state)!;
    },
    again: ({ epoch, anchor }) =>
      JSON.stringify({ epoch, ...(anchor === undefined ? {} : { anchor: encodeBase64(anchor) }) }),
    words: ["epoch", "anchor", '"AA=="', '""'],
    allowed: [CorruptVaultError],
    most: 300,
  }),
];
