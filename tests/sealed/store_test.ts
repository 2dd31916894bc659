import assert from "node:assert/strict";
import { EMPTY_LOG } from "../../lib/audit/chain.ts";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { deriveKeys, type VaultKeys } from "../../lib/sealed/keys.ts";
import { SEAL_LIMIT } from "../../lib/sealed/meta.ts";
import { CHUNK_SIZE } from "../../lib/sealed/segment.ts";
import { commitGeneration, type Generation, readGeneration, sealFirst } from "../../lib/sealed/store.ts";
import type { Committed, Medium, StoredSegment } from "../../lib/storage/medium.ts";
import { MemoryMedium, MemoryStore } from "../../lib/storage/memory.ts";
import { patterned, rejectsWith } from "../helpers.ts";

const KEYS = await deriveKeys(patterned(32), patterned(16));

/** A medium with an audit segment, a snapshot and so many deltas, and its newest generation. */
async function grown(deltas: number, keys: VaultKeys = KEYS): Promise<{ medium: Medium; newest: Generation }> {
  const medium = new MemoryMedium(new MemoryStore());
  const slots = [
    { id: 1, kind: "keyfile", label: "", created: 0, salt: patterned(32), wrapped: patterned(60) } as const,
  ];
  const first = {
    vaultId: patterned(16),
    epoch: 1,
    nextSlotId: 2,
    created: 0,
    updated: 0,
    audit: EMPTY_LOG,
    anchored: false,
    backup: false,
    slots,
  };
  await medium.commit(0, await sealFirst(keys, first, [new Uint8Array(0)]));
  let newest = await readGeneration(medium, keys);
  for (let i = 1; i <= deltas; i++) {
    newest = await commitGeneration(medium, keys, newest!, delta(`+secret\t${i}\t1\n`, i + 1));
  }
  return { medium, newest: newest! };
}

function delta(text: string, keep: number) {
  return { append: [{ kind: "delta", chunks: [encodeUtf8(text)] }], keep, meta: {}, now: 0 } as const;
}

/** The medium, telling of its segments whatever the function makes of them. */
function retold(
  medium: Medium,
  tell: (segments: readonly StoredSegment[]) => readonly StoredSegment[],
): Medium {
  return {
    name: medium.name,
    read: async () => {
      const committed = (await medium.read())!;
      return { ...committed, segments: tell(committed.segments) } as Committed;
    },
    commit: medium.commit.bind(medium),
    lock: medium.lock.bind(medium),
    usage: medium.usage.bind(medium),
    close: medium.close.bind(medium),
  };
}

function asVersion(segment: StoredSegment, version: number): StoredSegment {
  return { version, length: segment.length, read: segment.read.bind(segment) };
}

/** What the segments of the first four generations cover. */
const RANGES = [[1, 1], [1, 1], [2, 2], [3, 3], [4, 4]];

Deno.test("readGeneration() gives back the chain that commitGeneration() wrote", async () => {
  const { medium, newest } = await grown(3);
  const read = (await readGeneration(medium, KEYS))!;
  assert.deepEqual(read.meta, newest.meta);
  assert.deepEqual(read.segments.map(({ header }) => header), newest.segments.map(({ header }) => header));
  assert.deepEqual(read.segments.map(({ header }) => [header.first, header.last]), RANGES);
});

Deno.test("readGeneration() refuses segments that are left out, doubled, in another order or of another number", async () => {
  const { medium } = await grown(3);
  const lies: ((segments: readonly StoredSegment[]) => readonly StoredSegment[])[] = [
    (segments) => segments.slice(1),
    (segments) => segments.slice(0, -1),
    (segments) => segments.toSpliced(1, 1),
    (segments) => segments.toSpliced(1, 0, segments[1]!),
    (segments) => segments.toSpliced(2, 1),
    (segments) => segments.toSpliced(2, 0, segments[2]!),
    (segments) => [segments[1]!, segments[0]!, ...segments.slice(2)],
    (segments) => [segments[0]!, segments[1]!, segments[3]!, segments[2]!, segments[4]!],
    (segments) => segments.with(2, asVersion(segments[2]!, 1)),
    (segments) => segments.with(4, asVersion(segments[4]!, 5)),
    () => [],
  ];
  for (const [index, lie] of lies.entries()) {
    const error = await rejectsWith(() => readGeneration(retold(medium, lie), KEYS), "corrupt-vault");
    assert.ok(error, `lie ${index}`);
  }
});

Deno.test("readGeneration() refuses a segment that another history of the same vault wrote", async () => {
  const [one, other] = await Promise.all([grown(3), grown(3)]);
  const foreign = other.newest.segments.map(({ stored }) => stored);
  for (let index = 0; index < RANGES.length; index++) {
    const spliced = retold(one.medium, (segments) => segments.with(index, foreign[index]!));
    await rejectsWith(() => readGeneration(spliced, KEYS), "corrupt-vault");
  }
});

Deno.test("readGeneration() refuses a meta of another key", async () => {
  const { medium } = await grown(1);
  const others = await deriveKeys(patterned(32, 1), patterned(16));
  await rejectsWith(() => readGeneration(medium, others), "corrupt-vault");
});

Deno.test("readGeneration() tells an open vault of a fork as soon as a segment shows it", async () => {
  const [one, other] = await Promise.all([grown(3), grown(3)]);
  await rejectsWith(() => readGeneration(other.medium, KEYS, one.newest), "fork-detected");
  const older = await grown(2);
  await rejectsWith(() => readGeneration(older.medium, KEYS, one.newest), "rollback-detected");
  const further = await grown(4);
  await rejectsWith(() => readGeneration(further.medium, KEYS, one.newest), "fork-detected");
});

Deno.test("readGeneration() lets an open vault read all anew when a merged delta reaches behind what it knows", async () => {
  const { medium, newest } = await grown(3);
  const next = await commitGeneration(medium, KEYS, newest, delta("+secret\t9\t1\n", 3));
  assert.deepEqual(next.segments.map(({ header }) => [header.first, header.last]), [[1, 1], [1, 1], [2, 2], [3, 5]]);
  const seen = (await readGeneration(medium, KEYS, newest))!;
  assert.equal(seen.known, 0);
  assert.equal(await readGeneration(medium, KEYS, seen), null);
});

Deno.test("commitGeneration() counts each chunk that a key ever sealed, and seals none beyond the limit", async () => {
  const { medium, newest } = await grown(3);
  assert.equal(newest.meta.seals, 5, "old entries, a snapshot and three deltas");
  const large = [{ kind: "delta", chunks: [new Uint8Array(CHUNK_SIZE), new Uint8Array(1)] }] as const;
  const merged = await commitGeneration(medium, KEYS, newest, { append: large, keep: 3, meta: {}, now: 0 });
  assert.equal(merged.meta.seals, 7, "what a key has sealed stays sealed, though nothing names it any more");
  const meta = { seals: SEAL_LIMIT - 1 };
  const last = await commitGeneration(medium, KEYS, merged, { ...delta("+secret\t8\t1\n", 4), meta });
  assert.equal(last.meta.seals, SEAL_LIMIT);
  await rejectsWith(() => commitGeneration(medium, KEYS, last, delta("+secret\t9\t1\n", 5)), "seal-limit");
  assert.deepEqual((await readGeneration(medium, KEYS))!.meta, last.meta, "nothing was written");
});
