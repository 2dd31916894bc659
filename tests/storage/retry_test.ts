/**
 * What a caller may do after a failure: try again with what it has. And the same at random: transient faults, two
 * handles that take turns, machines that stop, and losses of power one after another.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { checkStructure } from "../../lib/storage/check.ts";
import { InputOutputError } from "../../lib/errors.ts";
import { MemoryDisk } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { MAX_META_SIZE, MAX_SEGMENTS } from "../../lib/storage/medium.ts";
import type { Commit, Committed } from "../../lib/storage/medium.ts";
import { MemoryMedium } from "../../lib/storage/memory.ts";
import { durableCalls, type Fault, FaultyDisk, FaultyMachine, imageAfter } from "./faulty_disk.ts";
import { assertSameBytes, commitOf, contentsOf, DEEP, diskOf, filled, SEED, seeded } from "./helpers.ts";

/** What a segment holds: `filled(length, seed)`. */
interface Content {
  readonly seed: number;
  readonly length: number;
}

/** What each version may hold; more than one answer only for a commit whose outcome nobody was told. */
type Known = Map<number, readonly (readonly Content[])[]>;

const FIRST: readonly Content[] = [{ seed: 1, length: 100 }];

const BAD_COMMITS: Readonly<Record<string, Commit>> = {
  "an empty meta": { meta: new Uint8Array(0), append: [], retain: [] },
  "a meta that is too large": { meta: new Uint8Array(MAX_META_SIZE + 1), append: [], retain: [] },
  "an empty segment": commitOf(1, [new Uint8Array(0)]),
  "too many segments": commitOf(1, Array.from({ length: MAX_SEGMENTS + 1 }, () => filled(1, 1))),
};

for (const [name, commit] of Object.entries(BAD_COMMITS)) {
  Deno.test(`FileMedium.createOnDisk() refuses ${name} and writes nothing`, async () => {
    const disk = new MemoryDisk();
    await assert.rejects(FileMedium.createOnDisk(disk, commit), RangeError);
    assert.equal(await disk.size(), 0);
  });

  Deno.test(`MemoryMedium.commit() refuses ${name}, as a file does`, async () => {
    await assert.rejects(new MemoryMedium().commit(0, commit), RangeError);
  });
}

Deno.test("FileMedium.createOnDisk() refuses a disk that holds something", async () => {
  await assert.rejects(FileMedium.createOnDisk(diskOf(filled(1, 1)), commitOf(1)), { code: "vault-exists" });
});

/** What the first commit of a medium that only read so far does, in its order. */
const CALLS = ["the sync of what was read", "the write of the segment", "the write of the meta page", "the sync"];

for (const [call, what] of CALLS.entries()) {
  Deno.test(`FileMedium.commit() takes the segments of an earlier read again after ${what} failed`, async () => {
    const machine = new FaultyMachine(await firstFile());
    const medium = new FileMedium(new FaultyDisk(machine));
    const lock = await medium.lock("exclusive");
    const { segments } = (await medium.read())!;
    machine.fault = { kind: "fail-once", call: machine.calls + call };
    await assert.rejects(medium.commit(1, commitOf(2, [filled(50, 2)], segments)), InputOutputError);
    machine.fault = undefined;
    assert.equal((await medium.read())!.version, 1, "the version is still the one that the caller knows");
    const second = await medium.commit(1, commitOf(2, [filled(60, 3)], segments));
    assertSameBytes(await contentsOf(second), [filled(100, 1), filled(60, 3)], "after the second try");
    lock.release();
  });
}

Deno.test("FileMedium loses nothing through random faults, stops and losses of power in a row", async () => {
  for (let seed = SEED; seed < SEED + (DEEP ? 1_000 : 12); seed++) {
    try {
      await lifetime(seeded(seed));
    } catch (error) {
      throw new Error(`COFFER_SEED=${seed}`, { cause: error });
    }
  }
});

/** Six machines one after another; each finds what the one before left. */
async function lifetime(random: () => number): Promise<void> {
  const known: Known = new Map([[1, [FIRST]]]);
  let image: Uint8Array = await firstFile();
  let acknowledged = 1;
  for (let round = 0; round < 6; round++) {
    const machine = new FaultyMachine(image, stopOf(random));
    acknowledged = Math.max(acknowledged, await work(machine, known, random));
    image = lossOfPower(image, machine, random);
    const committed = (await new FileMedium(diskOf(image)).read())!;
    assert.ok(committed.version >= acknowledged, `acknowledged ${acknowledged}, found ${committed.version}`);
    await identify(committed, known);
    assert.deepEqual((await checkStructure(diskOf(image))).problems, []);
    for (const version of known.keys()) if (version > committed.version) known.delete(version);
    acknowledged = committed.version;
  }
}

/** Commits through two handles until the machine stops, and gives the last acknowledged version. */
async function work(machine: FaultyMachine, known: Known, random: () => number): Promise<number> {
  const handles = [0, 1].map(() => ({ medium: new FileMedium(new FaultyDisk(machine)), seen: undefined as Seen }));
  const stops = machine.fault !== undefined;
  let acknowledged = 0;
  for (let turn = 0; turn < 12 && !machine.stopped; turn++) {
    const handle = handles[below(random, 2)]!;
    if (!stops) machine.fault = transientFault(machine, random);
    const lock = await handle.medium.lock("exclusive");
    try {
      handle.seen = await handle.medium.read(handle.seen) ?? handle.seen!;
      const { version, segments } = handle.seen;
      const held = await identify(handle.seen, known);
      const kept = held.map(() => held.length < 40 && random() < 0.9);
      const added = newContents(random);
      const next = [...held.filter((_, index) => kept[index]), ...added];
      // Until the answer comes, the version may hold this, or what an earlier try with the same number left.
      known.set(version + 1, [...known.get(version + 1) ?? [], next]);
      const append = added.map(({ length, seed }) => filled(length, seed));
      const retain = segments.filter((_, index) => kept[index]);
      handle.seen = await handle.medium.commit(version, commitOf(version, append, retain));
      known.set(version + 1, [next]);
      acknowledged = version + 1;
    } catch (error) {
      if (!(error instanceof InputOutputError)) throw error;
    } finally {
      lock.release();
    }
  }
  return acknowledged;
}

type Seen = Committed | undefined;

/** Which of the possible contents a version has; from then on it is the only one. */
async function identify(committed: Committed, known: Known): Promise<readonly Content[]> {
  const bytes = await contentsOf(committed);
  const found = known.get(committed.version)?.find((contents) =>
    contents.length === bytes.length && contents.every((content, index) => holds(bytes[index]!, content))
  );
  assert.ok(found !== undefined, `version ${committed.version} holds what was never committed`);
  known.set(committed.version, [found]);
  return found;
}

function holds(bytes: Uint8Array, { seed, length }: Content): boolean {
  return bytes.length === length && Buffer.compare(bytes, filled(length, seed)) === 0;
}

let lastSeed = 1;

function newContents(random: () => number): readonly Content[] {
  const most = random() < 0.03 ? 1_200_000 : [5_000, 5_000, 60_000][below(random, 3)]!;
  const count = random() < 0.7 ? 1 : below(random, 3);
  return Array.from({ length: count }, () => ({ seed: ++lastSeed, length: 1 + below(random, most) }));
}

function stopOf(random: () => number): Fault | undefined {
  const call = below(random, 40);
  const faults: readonly (Fault | undefined)[] = [
    { kind: "stop-before", call },
    { kind: "stop-after", call },
    { kind: "tear", call, bytes: 512 * below(random, 8) },
    undefined,
  ];
  return faults[below(random, faults.length)];
}

function transientFault(machine: FaultyMachine, random: () => number): Fault | undefined {
  if (random() < 0.7) return undefined;
  return { kind: random() < 0.7 ? "fail-once" : "fail-from", call: machine.calls + below(random, 5) };
}

/** The process died and the system wrote everything, or the power failed and some of it is gone. */
function lossOfPower(initial: Uint8Array, machine: FaultyMachine, random: () => number): Uint8Array {
  if (random() < 0.3) return machine.file.bytes.slice();
  const share = [0, 0.5, 0.9, 1][below(random, 4)]!;
  const survives = machine.log.map(() => random() < share);
  const durable = durableCalls(machine.log);
  if (durable === machine.log.length || random() < 0.5) {
    return imageAfter(initial, machine.log, { keeps: (index) => survives[index]! });
  }
  const torn = { index: durable + below(random, machine.log.length - durable), bytes: 512 * below(random, 16) };
  return imageAfter(initial, machine.log, { keeps: (index) => survives[index]! || index === torn.index, torn });
}

async function firstFile(): Promise<Uint8Array> {
  const disk = new MemoryDisk();
  await FileMedium.createOnDisk(disk, commitOf(1, FIRST.map(({ length, seed }) => filled(length, seed))));
  const bytes = new Uint8Array(await disk.size());
  await disk.readAt(bytes, 0);
  return bytes;
}

function below(random: () => number, end: number): number {
  return Math.floor(random() * end);
}
