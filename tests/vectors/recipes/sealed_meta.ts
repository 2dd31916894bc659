/**
 * Rules of the sealed meta and its key slots (section 5), one broken at a time under a right HMAC and digest.
 *
 * @module
 */
import { concat, encodeUtf8, viewOf } from "../../../lib/bytes.ts";
import { type Identity, setU64, type VaultPlan } from "../forge.ts";
import { type Recipe, recipesOf, type Row } from "./recipe.ts";

const SLOT = 160;
const NEXT_SLOT = SLOT + 152;

const u32 = (at: number, value: number): Partial<VaultPlan> => ({
  meta: (bytes) => viewOf(bytes).setUint32(at, value, true),
});
const u64 = (at: number, value: bigint): Partial<VaultPlan> => ({ meta: (bytes) => setU64(bytes, at, value) });
const flip = (at: number): Partial<VaultPlan> => ({ meta: (bytes) => void (bytes[at]! ^= 1) });
const label = (bytes: readonly number[], length = bytes.length): Partial<VaultPlan> => ({
  meta: (meta) => {
    meta[SLOT + 1] = length;
    meta.set(bytes, SLOT + 28);
  },
});
const text = (label: string) => [...encodeUtf8(label)];
/** The slot once more, in the place after it. */
const twice = (change: (slot: Uint8Array) => void): Partial<VaultPlan> => ({
  nextSlotId: 9,
  meta: (bytes) => {
    bytes.copyWithin(NEXT_SLOT, SLOT, NEXT_SLOT);
    change(bytes.subarray(NEXT_SLOT, NEXT_SLOT + 152));
  },
});

const ROWS: readonly Row[] = [
  ["too-short", "a sealed meta of 2623 bytes", { sealedMeta: (bytes) => bytes.slice(0, -1) }],
  ["too-long", "a sealed meta of 2625 bytes", { sealedMeta: (bytes) => concat(bytes, new Uint8Array(1)) }],
  ["hmac", "an HMAC that does not fit", { sealedMeta: (bytes) => bytes.with(2592, bytes[2592]! ^ 1) as typeof bytes }],
  ["hmac-of-zeros", "an HMAC of zeros", {
    sealedMeta: (bytes) => concat(bytes.slice(0, 2592), new Uint8Array(32)),
  }],
  ["vault-id", "another vault id: no slot opens", flip(0), "wrong-credential"],
  ["generation-zero", "generation 0", u64(16, 0n)],
  ["generation-other", "another generation than the page's version", u64(16, 4n)],
  ["generation-above", "a generation of 2^53", u64(16, 2n ** 53n)],
  ["epoch-zero", "epoch 0", u32(24, 0)],
  ["epoch-other", "another epoch: no slot opens", u32(24, 2), "wrong-credential"],
  ["next-slot-id", "a slot whose id was not given yet", u32(28, 1)],
  ["seals-above", "more than 2^32 seals", u64(32, 2n ** 32n + 1n)],
  ["created-above", "a time of 2^53", u64(40, 2n ** 53n)],
  ["updated-above", "a time of the commit of 2^53", u64(48, 2n ** 53n)],
  ["head", "a head that is no segment's id", flip(56)],
  ["audit-length-above", "an audit length of 2^53", u64(72, 2n ** 53n)],
  ["flag-unknown", "a flag that is not known", u32(112, 4)],
  ["flag-high", "the highest flag", u32(112, 2 ** 31)],
  ["reserved", "a byte in what is reserved", flip(116)],
  ["reserved-last", "the last byte of what is reserved", flip(159)],
  ["no-slot", "no key slot", { meta: (bytes) => void bytes.fill(0, SLOT, NEXT_SLOT) }],
  ["slot-gap", "a slot behind an unused one", {
    meta: (bytes) => {
      bytes.copyWithin(NEXT_SLOT, SLOT, NEXT_SLOT);
      bytes.fill(0, SLOT, NEXT_SLOT);
    },
  }],
  ["slot-unused-not-zero", "a byte in an unused slot", { meta: (bytes) => void (bytes[SLOT + 15 * 152 + 100] = 1) }],
  ["slot-id-twice", "two slots of one id", twice(() => {})],
  ["slot-id-zero", "a slot of id 0", u32(SLOT + 4, 0)],
  ["slot-kind", "a slot of kind 5", { meta: (bytes) => void (bytes[SLOT] = 5) }],
  ["slot-kind-zero", "a slot of kind 0 that is not zero", { meta: (bytes) => void (bytes[SLOT] = 0) }],
  ["slot-gap-bytes", "a byte where a slot has zeros", flip(SLOT + 2)],
  ["slot-created-above", "a slot made at a time of 2^53", u64(SLOT + 8, 2n ** 53n)],
  ["slot-label-length", "a label of 33 bytes", label([], 33)],
  ["slot-label-tail", "a byte behind the label", label(text("abc"), 2)],
  ["slot-label-control", "a line feed in a label", label(text("a\nb"))],
  ["slot-label-c1", "a control character of two bytes in a label", label(text("a\u0085b"))],
  ["slot-label-utf-8", "a label that is not UTF-8", label([0xff, 0xfe])],
  ["slot-label-surrogate", "a label with half a surrogate pair", label([0xed, 0xa0, 0x80])],
  ["slot-label-changed", "a label that was changed after the wrap", label(text("changed")), "wrong-credential"],
  [
    "slot-kdf-of-certificate",
    "a certificate slot with a cost",
    twice((slot) => {
      slot[0] = 2;
      slot[4] = 2;
    }),
  ],
  ["slot-salt", "a salt that was changed", flip(SLOT + 60), "wrong-credential"],
  ["slot-nonce", "a nonce that was changed", flip(SLOT + 92), "wrong-credential"],
  ["slot-ciphertext", "a wrapped key that was changed", flip(SLOT + 110), "wrong-credential"],
  ["slot-tag", "a tag that was changed", flip(SLOT + 151), "wrong-credential"],
  ["kdf-memory-above", "more memory than any slot may ask for", u32(SLOT + 16, 2_097_153), "kdf-limit"],
  ["kdf-memory-below", "less memory than 8 KiB a lane", u32(SLOT + 16, 7), "kdf-limit"],
  ["kdf-memory-zero", "no memory", u32(SLOT + 16, 0), "kdf-limit"],
  ["kdf-passes-above", "more than 64 passes", u32(SLOT + 20, 65), "kdf-limit"],
  ["kdf-passes-zero", "no pass", u32(SLOT + 20, 0), "kdf-limit"],
  ["kdf-lanes-above", "more than 16 lanes", {
    meta: (bytes) => {
      viewOf(bytes).setUint32(SLOT + 16, 8 * 17, true);
      viewOf(bytes).setUint32(SLOT + 24, 17, true);
    },
  }, "kdf-limit"],
  ["kdf-lanes-zero", "no lane", u32(SLOT + 24, 0), "kdf-limit"],
  [
    "kdf-of-second-slot",
    "a second slot that asks for too much: nothing is derived",
    twice((slot) => {
      slot[4] = 2;
      viewOf(slot).setUint32(20, 1_000_000, true);
    }),
    "kdf-limit",
  ],
];

/** Them all. */
export function sealedMetaRecipes(identity: Identity): readonly Recipe[] {
  return recipesOf("sealed-meta", identity, ROWS);
}
