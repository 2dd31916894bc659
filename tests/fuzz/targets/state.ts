/**
 * What is authenticated already: lines, records, entries of the log; and what users type: names, patterns, metadata.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { EMPTY_LOG, extendLog } from "../../../lib/audit/chain.ts";
import { AUDIT, decodeEntry, encodeEntry } from "../../../lib/audit/entry.ts";
import { encodeCheckpoint, verifyLog } from "../../../lib/audit/log.ts";
import { type Bytes, concat, encodeUtf8 } from "../../../lib/bytes.ts";
import { CorruptVaultError, InvalidMetadataError, InvalidNameError, PolicyError } from "../../../lib/errors.ts";
import { deriveKeys } from "../../../lib/sealed/keys.ts";
import type { Meta } from "../../../lib/sealed/meta.ts";
import { sealSegment, type SegmentHeader } from "../../../lib/sealed/segment.ts";
import type { Generation } from "../../../lib/sealed/store.ts";
import { changeLines, readChanges, readSnapshot } from "../../../lib/state/changes.ts";
import { checkDeep } from "../../../lib/state/deep.ts";
import { encodeLines, type Line } from "../../../lib/state/lines.ts";
import { checkMetadata, type SecretMetadata } from "../../../lib/state/metadata.ts";
import { checkName, globMatcher } from "../../../lib/state/names.ts";
import { assertReason, overdueSecrets, POLICY, POLICY_NAMES, readPolicy } from "../../../lib/state/policies.ts";
import { type Changes, State } from "../../../lib/state/records.ts";
import { getSecret, readValue, SECRET, VALUE } from "../../../lib/state/secret.ts";
import { patterned, piecesOf } from "../../helpers.ts";
import { type Target, target, textTarget } from "../target.ts";

/** The bytes in pieces that end anywhere, also in the middle of a character. */
function pieces(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const cut = bytes.length % 7 + 1;
  return piecesOf(bytes.subarray(0, cut), bytes.subarray(cut, 2 * cut), bytes.subarray(2 * cut));
}

function joined(lines: Iterable<Line>): Bytes {
  return concat(...encodeLines(lines, 1024));
}

const SECRET_JSON =
  '{"created":1,"updated":2,"note":"n","tags":["a","b"],"expires":5,"type":"pem","versions":[{"version":3,"created":1,' +
  '"size":3,"value":"AAEC"},{"version":4,"created":2,"size":2,"ref":"00112233445566778899aabbccddeeff"}]}';
const REF = "00112233445566778899aabbccddeeff";

const LINES: readonly Line[] = [
  ["secret", "db/url", SECRET_JSON],
  ["value", REF, '"AAE="'],
  ["audit", "1", '{"time":1,"op":"secret.set","name":"db/url"}'],
  ["policy", "audit-reads", "true"],
];
const CHANGES: readonly Line[] = [...LINES, ["secret", "gone", null], ["user", "/é", null]];

/** Records as they may be written: no tab, no line end; each once. */
const RECORDS = fc.uniqueArray(
  fc.tuple(
    fc.constantFrom("secret", "value", "user", "x"),
    fc.string({ minLength: 1 }).map((text) => text.replaceAll(/[\t\n]/g, "_").toWellFormed()),
    fc.json(),
  ),
  { selector: ([kind, key]) => `${kind}\t${key}`, maxLength: 12 },
);

function readSecret(json: string): unknown {
  const state = new State();
  state.put(SECRET, "name", json);
  state.put(VALUE, REF, '"AAE="');
  const deep = checkDeep(state);
  try {
    const secret = getSecret(state, "name");
    const values = secret.versions.map(({ version }) => readValue(state, "name", version));
    assert.deepEqual(deep.problems, [], "what reads well is sound");
    // Times are shown: each must be one that a date can have.
    for (const time of [secret.created, secret.updated, secret.expires ?? 0]) new Date(time).toISOString();
    for (const { created } of secret.versions) new Date(created).toISOString();
    overdueSecrets(state, 1);
    return { secret, values };
  } catch (error) {
    assert.ok(deep.problems.length > 0, "what does not read is found");
    throw error;
  }
}

const KEYS = await deriveKeys(patterned(32, 6), patterned(16));

/** The log whose audit segment holds a text, and whose meta was committed with it. */
async function logOf(text: Bytes, length: number, entries: readonly string[], from = EMPTY_LOG): Promise<Generation> {
  const header: SegmentHeader = {
    kind: "audit",
    epoch: 1,
    first: 1,
    last: 3,
    id: patterned(16, 1),
    previous: new Uint8Array(16),
  };
  const sealed = await sealSegment({ key: KEYS.data, vaultId: patterned(16) }, header, [text]);
  const stored = {
    version: 3,
    length: sealed.length,
    read: (offset: number, size: number) => Promise.resolve(sealed.slice(offset, offset + size)),
  };
  const audit = await extendLog(from, entries);
  const meta = { vaultId: patterned(16), epoch: 1, audit: { ...audit, length } } as Meta;
  const committed = { version: 3, meta: new Uint8Array(0), segments: [stored], recovered: false };
  return { committed, meta, segments: [{ stored, header }], known: 0, recovered: false };
}

/** Where the log ends that was pruned. */
const PRUNED = { length: 2, head: patterned(32) };
const ENTRIES = [1, 2, 3].map((time) =>
  encodeEntry({ operation: "secret.set", name: "db/url" }, { slot: 1, actor: "alice", reason: "because" }, time)
);
const LOG = joined(ENTRIES.map((json, index): Line => [AUDIT, String(index + 1), json]));

/** Targets of `lib/state` and `lib/audit`. */
export const STATE_TARGETS: readonly Target[] = [
  target<Changes>({
    name: "delta",
    seeds: [joined(CHANGES), joined([])],
    decode: (input) => readChanges(pieces(input)),
    again: (changes) => joined(changeLines(changes)),
    values: RECORDS.map(joined),
    words: ["\t", "\n", "+secret\t", "-secret\t", "+a\tb\tc\n", "-a\tb\n"],
    allowed: [CorruptVaultError],
    most: 20_000,
  }),
  target<Line[]>({
    name: "snapshot",
    seeds: [joined(LINES), joined([])],
    decode: async (input) => [...(await readSnapshot(pieces(input))).records()].map((line) => [...line]),
    again: joined,
    values: RECORDS.map(joined),
    words: ["\t", "\n", "+secret\t", "-secret\t", "+a\tb\tc\n"],
    allowed: [CorruptVaultError],
    most: 20_000,
  }),
  textTarget({
    name: "secret-record",
    seeds: [SECRET_JSON, '{"created":0,"updated":0,"versions":[{"version":1,"created":0,"size":0,"value":""}]}'],
    decode: readSecret,
    words: ["value", "ref", "size", "version", "versions", "16777216", "16777217", '"AAE="'],
    allowed: [CorruptVaultError],
    most: 5000,
  }),
  textTarget({
    name: "audit-entry",
    seeds: ENTRIES,
    decode: (json) => {
      const entry = decodeEntry(7, json);
      new Date(entry.time).toISOString();
      return entry;
    },
    again: ({ operation, name, to, count, slot, actor, reason, time }) =>
      encodeEntry(
        { operation, ...{ name, to, count } } as Parameters<typeof encodeEntry>[0],
        { slot, actor, reason } as Parameters<typeof encodeEntry>[1],
        time,
      ),
    words: ["time", "op", "name", "to", "count", "slot", "actor", "reason", "secret.set"],
    allowed: [CorruptVaultError],
    most: 3000,
  }),
  target({
    name: "audit-log",
    seeds: [LOG],
    decode: async (input) => (await verifyLog(KEYS, await logOf(input, 3, ENTRIES))).length,
    // The chain is over the entries themselves: nothing but what was written verifies.
    encode: () => LOG,
    words: ["+audit\t", "\t", "\n", "1", "2", "3", "4", encodeCheckpoint({ length: 1, head: patterned(32) })],
    allowed: [CorruptVaultError],
    most: 5000,
  }),
  textTarget({
    name: "audit-checkpoint",
    seeds: [encodeCheckpoint(PRUNED)],
    decode: async (json) => {
      const lines = joined([[AUDIT, "0", json], [AUDIT, "3", ENTRIES[2]!]]);
      return (await verifyLog(KEYS, await logOf(lines, 3, ENTRIES.slice(2), PRUNED))).pruned;
    },
    words: ["length", "head", "\t", "\n"],
    allowed: [CorruptVaultError],
    most: 1000,
  }),
  textTarget({
    name: "policy-record",
    seeds: ["true", "false", '"allow"', '"forbid"', "null", "365"],
    decode: (json) => {
      let read = 0;
      for (const name of POLICY_NAMES) {
        const state = new State();
        state.put(POLICY, name, json);
        try {
          readPolicy(state, name);
          if (name === "require-reason") assertReason({}, state);
          read++;
        } catch (error) {
          if (!(error instanceof CorruptVaultError || error instanceof PolicyError)) throw error;
        }
      }
      if (read === 0) throw new CorruptVaultError("no policy has this value");
      return json;
    },
    words: ["36500", "36501"],
    allowed: [CorruptVaultError],
    most: 500,
  }),
  textTarget({
    name: "name",
    seeds: ["db/url", "é", "a".repeat(512), "\u{1f511}"],
    decode: checkName,
    encode: (name) => {
      assert.ok(encodeUtf8(name).length <= 512 && !/[\t\n]/.test(name));
      return name;
    },
    values: fc.string({ unit: "grapheme", maxLength: 600 }),
    words: [],
    allowed: [InvalidNameError],
    most: 3000,
  }),
  textTarget({
    name: "glob",
    seeds: ["db/*\ndb/url", "**/[a-z]?\\*\na/b*", `${"*a".repeat(20)}\n${"a".repeat(40)}`],
    decode: (text) => {
      const [pattern = "", name = ""] = text.split("\n");
      const found = globMatcher(pattern)(name);
      if (/^[^*?[\\]*$/.test(pattern)) assert.equal(found, pattern === name, "a pattern without signs is a name");
      return found;
    },
    words: ["*", "**", "?", "[a-z]", "[!a]", "[", "]", "\\", "/", "[]]", "[z-a]", "\n"],
    allowed: [InvalidNameError],
    most: 3000,
    cost: 2,
  }),
  textTarget<SecretMetadata>({
    name: "metadata",
    seeds: ['{"note":"a\\nb","tags":["x","y"],"type":"pem"}', '{"note":null,"tags":null,"type":null}'],
    decode: (json) => {
      let value: unknown;
      try {
        value = JSON.parse(json);
      } catch {
        throw new InvalidMetadataError("test", "it is no JSON");
      }
      const text = (one: unknown) => typeof one === "string" ? one : undefined;
      const { note, type, tags } = (value ?? {}) as Record<string, unknown>;
      return checkMetadata(JSON.parse(JSON.stringify({
        note: text(note),
        type: text(type),
        tags: Array.isArray(tags) ? tags.map(String) : undefined,
      })));
    },
    again: (metadata) => JSON.stringify(metadata),
    words: ["note", "tags", "type"],
    allowed: [InvalidMetadataError],
    most: 20_000,
  }),
];
