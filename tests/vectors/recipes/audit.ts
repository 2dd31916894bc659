/**
 * Rules of the audit log (section 9), one broken at a time under right seals. The log is no part of the state: a vault
 * with a damaged one opens, and a check of it says so.
 *
 * @module
 */
import { EMPTY_LOG, extendLog } from "../../../lib/audit/chain.ts";
import { encodeHex } from "../../../lib/bytes.ts";
import {
  AUDIT_SEGMENT,
  DELTA_4,
  DELTA_5,
  entry,
  type Identity,
  plus,
  secret,
  type SegmentPlan,
  SNAPSHOT,
  TIME,
  type VaultPlan,
} from "../forge.ts";
import { type Recipe, recipesOf, RECORDS, type Row } from "./recipe.ts";

const DAMAGED = { records: RECORDS, problems: true };

/** The usual segments with other lines in the audit segment. */
const log = (text: string): Partial<VaultPlan> => ({
  segments: [{ ...AUDIT_SEGMENT, text }, SNAPSHOT, DELTA_4, DELTA_5],
});
/** The same under the meta of the log as it should be. */
const changed = (text: string): Partial<VaultPlan> => ({ ...log(text), log: () => WHOLE });
const inDelta = (text: string): Partial<VaultPlan> => ({
  segments: [AUDIT_SEGMENT, SNAPSHOT, { ...DELTA_4, text: secret("c", "333") + text }, DELTA_5],
});

const TEXTS = [AUDIT_SEGMENT, DELTA_4, DELTA_5].flatMap(({ text }: SegmentPlan) =>
  (text as string).split("\n").filter((line) => line.startsWith("+audit")).map((line) => line.split("\t")[2]!)
);
const WHOLE = await extendLog(EMPTY_LOG, TEXTS);
const AFTER_TWO = await extendLog(EMPTY_LOG, TEXTS.slice(0, 2));
const CHECKPOINT = plus("audit", "0", { length: 2, head: encodeHex(AFTER_TWO.head) });
const [ONE, TWO, THREE] = [entry(1, "vault.create"), entry(2, "secret.set", "a"), entry(3, "secret.set", "b")];

const ROWS: readonly Row[] = [
  ["pruned", "a log whose first two entries were pruned", log(CHECKPOINT + THREE), { records: RECORDS }],
  ["later-operation", "an entry of an operation that no reader knows", inDelta(entry(4, "later.operation", "c")), {
    records: RECORDS,
  }],
  ["entry-missing", "an entry left out", changed(ONE + THREE), DAMAGED],
  ["entry-first-missing", "the first entry left out", changed(TWO + THREE), DAMAGED],
  [
    "entry-twice",
    "an entry of a delta that stands in the audit segment too",
    log(ONE + TWO + THREE + entry(4, "secret.set", "c")),
    DAMAGED,
  ],
  ["entry-changed", "an entry that was changed", changed(ONE + entry(2, "secret.set", "z") + THREE), DAMAGED],
  [
    "entries-exchanged",
    "two entries exchanged",
    changed(ONE + entry(2, "secret.set", "b") + entry(3, "secret.set", "a")),
    DAMAGED,
  ],
  ["entries-out-of-order", "entries in another order", log(TWO + ONE + THREE), DAMAGED],
  [
    "entry-number-zero-first",
    "a number that begins with a zero",
    changed(ONE + plus("audit", "02", TEXTS[1]!) + THREE),
    DAMAGED,
  ],
  ["entry-number-text", "a number that is none", changed(ONE + plus("audit", "two", TEXTS[1]!) + THREE), DAMAGED],
  [
    "entry-number-above",
    "a number above 2^53",
    changed(ONE + plus("audit", "9007199254740993", TEXTS[1]!) + THREE),
    DAMAGED,
  ],
  ["entry-removed", "a line that removes an entry", inDelta(`${entry(4, "secret.set", "c")}-audit\t3\n`), DAMAGED],
  ["length-above", "a length above the entries", { log: (log) => ({ ...log, length: log.length + 1 }) }, DAMAGED],
  ["length-below", "a length below the entries", { log: (log) => ({ ...log, length: log.length - 1 }) }, DAMAGED],
  ["head", "a head that no entry leads to", { log: (log) => ({ ...log, head: new Uint8Array(32).fill(7) }) }, DAMAGED],
  ["head-of-empty", "the head of an empty log", { log: () => EMPTY_LOG }, DAMAGED],
  [
    "other-record",
    "a record that is no entry in an audit segment",
    log(ONE + TWO + THREE + secret("hidden", "1")),
    DAMAGED,
  ],
  ["not-utf-8", "an audit segment that is no text", {
    segments: [{ ...AUDIT_SEGMENT, text: new Uint8Array([0xff, 0x0a]) }, SNAPSHOT, DELTA_4, DELTA_5],
  }, DAMAGED],
  ["no-line-feed", "an audit segment whose last line does not end", changed((ONE + TWO + THREE).slice(0, -1)), DAMAGED],
  ["checkpoint-head", "a checkpoint with another head", {
    ...log(plus("audit", "0", { length: 2, head: "0".repeat(64) }) + THREE),
    log: () => WHOLE,
  }, DAMAGED],
  ["checkpoint-length", "a checkpoint with another length", {
    ...log(plus("audit", "0", { length: 1, head: encodeHex(AFTER_TWO.head) }) + THREE),
    log: () => WHOLE,
  }, DAMAGED],
  ["checkpoint-zero", "a checkpoint of no entries", {
    ...log(plus("audit", "0", { length: 0, head: "0".repeat(64) }) + ONE + TWO + THREE),
    log: () => WHOLE,
  }, DAMAGED],
  ["checkpoint-short-head", "a checkpoint with a head of 31 bytes", {
    ...log(plus("audit", "0", { length: 2, head: "0".repeat(62) }) + THREE),
    log: () => WHOLE,
  }, DAMAGED],
  ["checkpoint-not-json", "a checkpoint that is not JSON", {
    ...log(plus("audit", "0", "{") + THREE),
    log: () => WHOLE,
  }, DAMAGED],
  [
    "checkpoint-later",
    "a checkpoint behind an entry",
    { ...log(ONE + CHECKPOINT + TWO + THREE), log: () => WHOLE },
    DAMAGED,
  ],
  ["checkpoint-in-delta", "a checkpoint in a delta", {
    segments: [
      { ...SNAPSHOT, first: 1, last: 1 },
      { ...DELTA_4, first: 2, last: 2, text: CHECKPOINT + secret("c", "333") },
      { ...DELTA_5, first: 3, last: 3, text: secret("d", "4444") + "-secret\ta\n" + entry(3, "secret.set", "d") },
    ],
  }, DAMAGED],
  ["time-not-number", "an entry whose time is text", inDelta(plus("audit", "4", { time: "1", op: "secret.set" })), {
    records: RECORDS,
    logError: "corrupt-vault",
  }],
  ["op-missing", "an entry without an operation", inDelta(plus("audit", "4", { time: TIME })), {
    records: RECORDS,
    logError: "corrupt-vault",
  }],
];

/** Them all. */
export function auditRecipes(identity: Identity): readonly Recipe[] {
  return recipesOf("audit", identity, ROWS);
}
