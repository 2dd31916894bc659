/**
 * Rules of sealed segments (section 6), one broken at a time: in a header that its chunk is sealed to, or in the seal.
 *
 * @module
 */
import { concat } from "../../../lib/bytes.ts";
import {
  AUDIT_SEGMENT,
  DELTA_4,
  DELTA_5,
  entry,
  type Identity,
  plus,
  secret,
  type SegmentPlan,
  setU64,
  SNAPSHOT,
  type VaultPlan,
} from "../forge.ts";
import { type Recipe, recipesOf, record, RECORDS, type Row } from "./recipe.ts";

const PLANS = [AUDIT_SEGMENT, SNAPSHOT, DELTA_4, DELTA_5];

/** Changes one of the usual segments. */
const segment = (index: number, change: Partial<SegmentPlan>): Partial<VaultPlan> => ({
  segments: PLANS.with(index, { ...PLANS.at(index)!, ...change }),
});
const header = (change: (bytes: Uint8Array) => void, index = 2) => segment(index, { header: change });
const list = (...segments: readonly SegmentPlan[]): Partial<VaultPlan> => ({ segments });

const ROWS: readonly Row[] = [
  ["magic", "a segment without the magic", header((bytes) => void (bytes[0] = 0))],
  ["version", "a segment of version 2", header((bytes) => void (bytes[4] = 2))],
  ["kind-zero", "a segment of kind 0", header((bytes) => void (bytes[5] = 0))],
  ["kind-four", "a segment of kind 4", header((bytes) => void (bytes[5] = 4))],
  ["gap", "a byte where the header has zeros", header((bytes) => void (bytes[6] = 1))],
  ["gap-after-epoch", "a byte where the header has zeros behind the epoch", header((bytes) => void (bytes[12] = 1))],
  ["epoch", "a segment of another epoch", segment(2, { epoch: 2 })],
  ["epoch-zero", "a segment of epoch 0", segment(1, { epoch: 0 })],
  ["first-zero", "a segment that covers generation 0", header((bytes) => setU64(bytes, 16, 0n))],
  ["first-above", "a first generation of 2^53", header((bytes) => setU64(bytes, 16, 2n ** 53n))],
  ["first-above-last", "a first generation above the last", header((bytes) => setU64(bytes, 16, 5n))],
  ["first-leaves-gap", "a generation that no delta covers", {
    segments: [AUDIT_SEGMENT, SNAPSHOT, {
      ...DELTA_5,
      first: 5,
      last: 5,
      text: secret("d", "4") + entry(4, "secret.set"),
    }],
  }],
  ["first-overlaps", "two deltas that cover one generation", segment(3, { first: 4 })],
  ["last-not-version", "a last generation that is not the table's version", segment(2, { version: 3 })],
  ["snapshot-of-two", "a snapshot of two generations", header((bytes) => setU64(bytes, 16, 2n), 1)],
  [
    "previous",
    "a segment that does not follow the one before it",
    segment(2, { previous: new Uint8Array(16).fill(1) }),
  ],
  ["previous-of-first", "a first segment that follows another", segment(0, { previous: new Uint8Array(16).fill(1) })],
  ["previous-zero", "a second segment that follows none", segment(1, { previous: new Uint8Array(16) })],
  ["no-snapshot", "no snapshot", list(AUDIT_SEGMENT, DELTA_4, DELTA_5)],
  ["two-snapshots", "two snapshots", list(AUDIT_SEGMENT, SNAPSHOT, { ...SNAPSHOT, first: 4, last: 4 }, DELTA_5)],
  [
    "delta-first",
    "a delta before the snapshot",
    list({ ...DELTA_4, first: 1, last: 1 }, { ...SNAPSHOT, first: 2, last: 2 }),
  ],
  [
    "audit-last",
    "an audit segment at the end",
    list(AUDIT_SEGMENT, SNAPSHOT, {
      kind: "audit",
      first: 4,
      last: 5,
      text: entry(4, "secret.set", "a"),
    }),
  ],
  ["audit-only", "an audit segment and nothing else", list(AUDIT_SEGMENT)],
  ["audit-first-two", "a first audit segment that begins at generation 2", segment(0, { first: 2 })],
  [
    "audit-gap",
    "a generation between two audit segments",
    list(
      { ...AUDIT_SEGMENT, last: 1 },
      { ...AUDIT_SEGMENT, first: 3, last: 3, text: entry(4, "secret.set", "b") },
      SNAPSHOT,
    ),
  ],
  [
    "snapshot-not-of-audit",
    "a snapshot that came later than the audit segment",
    list(AUDIT_SEGMENT, {
      ...SNAPSHOT,
      first: 4,
      last: 4,
    }),
  ],
  ["too-short", "a segment too short for a chunk", segment(2, { sealed: (bytes) => bytes.slice(0, 91) })],
  ["only-header", "a segment of a header alone", segment(2, { sealed: (bytes) => bytes.slice(0, 64) })],
  ["cut", "a chunk that lacks its last byte", segment(2, { sealed: (bytes) => bytes.slice(0, -1) })],
  ["grown", "a byte behind the chunk", segment(2, { sealed: (bytes) => concat(bytes, new Uint8Array(1)) })],
  ["nonce", "a nonce that was changed", segment(2, { sealed: (bytes) => flipped(bytes, 64) })],
  ["ciphertext", "a ciphertext that was changed", segment(2, { sealed: (bytes) => flipped(bytes, 80) })],
  ["tag", "a tag that was changed", segment(2, { sealed: (bytes) => flipped(bytes, -1) })],
  ["tag-of-snapshot", "the tag of the snapshot changed", segment(1, { sealed: (bytes) => flipped(bytes, -1) })],
  [
    "tag-of-newest",
    "the tag of the newest delta changed, in the only version",
    segment(3, {
      sealed: (bytes) => flipped(bytes, -1),
    }),
  ],
  ["header-changed", "a header that was changed after the seal", segment(2, { sealed: (bytes) => flipped(bytes, 16) })],
  ["id-changed", "an id that was changed after the seal", segment(2, { sealed: (bytes) => flipped(bytes, 32) })],
  ["chunk-index", "a chunk that says it is the second", segment(2, { chunk: [1, true] })],
  ["chunk-not-last", "a chunk that says that another follows", segment(2, { chunk: [0, false] })],
  ["other-vault", "a segment sealed to another vault", segment(2, { vaultId: new Uint8Array(16) })],
  [
    "audit-merged-delta",
    "a delta that covers three generations",
    list(AUDIT_SEGMENT, SNAPSHOT, {
      ...DELTA_5,
      first: 4,
      last: 6,
      text: secret("c", "333") + secret("d", "4444") + "-secret\ta\n" + entry(4, "secret.set") + entry(5, "secret.set"),
    }),
    { records: RECORDS },
  ],
  [
    "no-log",
    "no audit segment and an empty log, as vaults had before there was one",
    list(
      { ...SNAPSHOT, first: 1, last: 1 },
      { ...DELTA_4, first: 2, last: 2, text: secret("c", "333") },
    ),
    { records: { a: record("1"), b: RECORDS.b, c: RECORDS.c } },
  ],
  ["snapshot-only", "a snapshot and nothing else, of no bytes", list({ ...SNAPSHOT, first: 1, last: 1, text: "" }), {
    records: {},
  }],
  [
    "three-audit-segments",
    "a log in three audit segments",
    list(
      { ...AUDIT_SEGMENT, last: 1, text: entry(1, "vault.create") },
      { ...AUDIT_SEGMENT, first: 2, last: 2, text: entry(2, "secret.set", "a") },
      { ...AUDIT_SEGMENT, first: 3, last: 3, text: entry(3, "secret.set", "b") },
      SNAPSHOT,
      DELTA_4,
      DELTA_5,
    ),
    { records: RECORDS },
  ],
  [
    "empty-delta",
    "a delta that changes nothing",
    list(AUDIT_SEGMENT, SNAPSHOT, DELTA_4, DELTA_5, {
      kind: "delta",
      first: 6,
      last: 6,
      text: "",
    }),
    { records: RECORDS },
  ],
  [
    "unknown-kind-of-record",
    "records of a kind that no reader knows, which are kept",
    segment(3, {
      text: DELTA_5.text + plus("later-kind", "any key", { any: ["value"] }),
    }),
    { records: RECORDS },
  ],
];

function flipped<T extends Uint8Array>(bytes: T, at: number): T {
  const copy = bytes.slice() as T;
  copy[at < 0 ? bytes.length + at : at]! ^= 1;
  return copy;
}

/** Them all. */
export function segmentRecipes(identity: Identity): readonly Recipe[] {
  return recipesOf("segment", identity, ROWS);
}
