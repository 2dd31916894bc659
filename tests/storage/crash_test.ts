/**
 * What a crash may leave: a machine that stops at every call of a run of commits, and every file that a loss of power
 * may make of it, must reopen to the version that was acknowledged, or to the one that was being committed.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bytes } from "../../lib/bytes.ts";
import { InputOutputError } from "../../lib/errors.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import type { StoredSegment } from "../../lib/storage/medium.ts";
import { PAGE_SIZE, PAYLOAD_SIZE } from "../../lib/storage/page.ts";
import { durableCalls, FaultyDisk, FaultyMachine, imageAfter, type Survivors } from "./faulty_disk.ts";
import { assertSameBytes, commitOf, contentsOf, DEEP, filled, firstImage, SEED, seeded } from "./helpers.ts";

/** The unit that a disk writes whole. */
const SECTOR = 512;
/** Unsynced calls up to this many are tried in every combination. */
const ALL_SUBSETS = 8;
/** Beyond that, so many combinations are drawn. */
const DRAWN_SUBSETS = DEEP ? 2_000 : 200;
/** At most so many tears of one write are tried, and so many second crashes of one image. */
const TEARS = DEEP ? 200 : 10;
/** One image in so many meets a second crash. */
const SECOND_EVERY = DEEP ? 3 : 25;

/** One commit of a run. */
interface Step {
  readonly name: string;
  /** Which of two handles commits. */
  readonly handle?: 0 | 1;
  /** Lengths of the segments that are added. */
  readonly append: readonly number[];
  /** Which segments of the base stay, from `from` to `to` as in `slice`; all by default. */
  readonly retain?: readonly [from: number, to?: number];
}

const STEPS: readonly Step[] = [
  { name: "one page", append: [100] },
  { name: "another page", append: [PAYLOAD_SIZE] },
  { name: "many pages", append: [300_000] },
  { name: "one page after many", append: [PAYLOAD_SIZE + 1] },
  { name: "a middle segment goes", append: [50], retain: [3] },
  { name: "nothing added", append: [] },
  { name: "the other handle", handle: 1, append: [20_000] },
  { name: "compaction", append: [9_000], retain: [0, 0] },
  { name: "several segments", append: [10, 5_000, 70_000] },
  {
    name: "ten segments, in more writes than have all their subsets tried",
    append: [1, 2, 3, 4, 5, 6, 7, 8, 9, 5_000],
  },
  { name: "growth", append: [1_200_000], retain: [3] },
  { name: "growth by the other handle", handle: 1, append: [400_000, 1] },
  { name: "the big ones go", append: [3_000], retain: [0, 0] },
  { name: "one page after the drop", append: [10] },
  { name: "one page after the cut", append: [10] },
  { name: "growth after the cut", append: [150_000] },
  { name: "scattered over what is free", append: [190_000, 30], retain: [1] },
];

/** What a version holds. */
interface Expected {
  readonly version: number;
  readonly meta: Bytes;
  readonly contents: readonly Uint8Array[];
}

function chosen<T>(step: Step, items: readonly T[]): readonly T[] {
  return step.retain === undefined ? items : items.slice(...step.retain);
}

/** The versions of a run that follows `first`. */
function expectedVersions(first: Expected): readonly Expected[] {
  const versions = [first];
  for (const step of STEPS) {
    const base = versions.at(-1)!;
    const version = base.version + 1;
    const added = step.append.map((length, index) => filled(length, version * 10 + index));
    versions.push({ version, meta: filled(64, version), contents: [...chosen(step, base.contents), ...added] });
  }
  return versions;
}

const FIRST: Expected = { version: 1, meta: filled(64, 1), contents: [filled(200, 10)] };
const INITIAL = await firstImage({ meta: FIRST.meta, append: FIRST.contents, retain: [] });
const VERSIONS = expectedVersions(FIRST);

/** Commits a step on the newest version, as the handle sees it. */
async function commitStep(medium: FileMedium, step: Step, next: Expected): Promise<void> {
  const lock = await medium.lock("exclusive", { timeout: 0 });
  try {
    const base = await medium.read();
    assert.ok(base);
    const retain: readonly StoredSegment[] = chosen(step, base.segments);
    const append = next.contents.slice(retain.length);
    await medium.commit(base.version, { meta: next.meta, append, retain });
  } finally {
    lock.release();
  }
}

/** Runs the steps until the machine stops. Gives the last acknowledged version, and the calls begun before each. */
async function run(machine: FaultyMachine): Promise<{ acknowledged: number; begins: readonly number[] }> {
  const handles = [new FileMedium(new FaultyDisk(machine)), new FileMedium(new FaultyDisk(machine))] as const;
  let acknowledged = FIRST.version;
  const begins: number[] = [];
  try {
    for (const [index, step] of STEPS.entries()) {
      begins.push(machine.calls);
      await commitStep(handles[step.handle ?? 0], step, VERSIONS[index + 1]!);
      acknowledged++;
    }
  } catch (error) {
    if (!(error instanceof InputOutputError) || !machine.stopped) throw error;
  }
  for (const handle of handles) handle.close();
  return { acknowledged, begins };
}

/** What stands in a file, held against the two versions it may be. */
async function assertReopens(image: Uint8Array, known: readonly Expected[], message: string): Promise<Expected> {
  const medium = new FileMedium(new FaultyDisk(new FaultyMachine(image)));
  const committed = await medium.read();
  assert.ok(committed);
  const expected = known.find(({ version }) => version === committed.version);
  assert.ok(expected, `version ${committed.version}, wanted ${known.map(({ version }) => version)}: ${message}`);
  assertSameBytes([committed.meta], [expected.meta], `meta, ${message}`);
  assertSameBytes(await contentsOf(committed), expected.contents, message);
  medium.close();
  return expected;
}

/** Commits once more on a machine, and gives what it holds then. */
async function commitOnce(machine: FaultyMachine, base: Expected, length: number): Promise<Expected> {
  const medium = new FileMedium(new FaultyDisk(machine));
  const added = filled(length, 900_000 + base.version);
  const next = { version: base.version + 1, meta: filled(64, 77), contents: [...base.contents, added] };
  const committed = await medium.read();
  await medium.commit(base.version, { ...commitOf(77, [added], committed!.segments) });
  medium.close();
  return next;
}

/** The ways in which the unsynced calls of a log may survive. */
function* survivals(machine: FaultyMachine, random: () => number): Generator<readonly [string, Survivors]> {
  const { log } = machine;
  const durable = durableCalls(log);
  const open = log.length - durable;
  if (open <= ALL_SUBSETS) {
    for (let mask = 0; mask < 2 ** open; mask++) {
      yield [`mask ${mask.toString(2)} of ${open}`, { keeps: (index) => (mask >> (index - durable) & 1) === 1 }];
    }
  } else {
    for (let drawn = 0; drawn < DRAWN_SUBSETS; drawn++) {
      const keep = new Set(log.keys().filter(() => random() < 0.5));
      yield [`drawn ${[...keep]}`, { keeps: (index) => keep.has(index) }];
    }
  }
  // The last write, torn: behind all others, and alone.
  const index = log.length - 1;
  const last = log[index];
  if (last?.op !== "write") return;
  const sectors = Math.ceil(last.data.length / SECTOR);
  const step = Math.max(1, Math.floor(sectors / TEARS));
  for (let sector = 1; sector < sectors; sector += step) {
    const torn = { index, bytes: sector * SECTOR };
    yield [`torn at sector ${sector}`, { keeps: () => true, torn }];
    yield [`alone, torn at sector ${sector}`, { keeps: (kept) => kept === index, torn }];
  }
}

/** Every image of a stopped machine: reopens, takes another commit, and reopens. Gives how many there were. */
async function assertSurvives(machine: FaultyMachine, acknowledged: number, name: string): Promise<number> {
  const random = seeded(SEED + machine.log.length);
  const known = VERSIONS.slice(acknowledged - 1, acknowledged + 1);
  let images = 0;
  for (const [how, survivors] of survivals(machine, random)) {
    const message = `${name}, ${how}, seed ${SEED}`;
    const image = imageAfter(INITIAL, machine.log, survivors);
    const now = await assertReopens(image, known, message);
    const after = new FaultyMachine(image);
    const next = await commitOnce(after, now, 100);
    await assertReopens(after.file.bytes, [next], `a commit after ${message}`);
    await assertReopens(imageAfter(image, after.log, { keeps: () => false }), [next], `power lost after ${message}`);
    if (images++ % SECOND_EVERY === 0) await assertSurvivesAgain(image, now, random, message);
  }
  return images;
}

/** A second crash, in the commit that follows the first. */
async function assertSurvivesAgain(
  image: Uint8Array,
  now: Expected,
  random: () => number,
  message: string,
): Promise<void> {
  const length = Math.ceil(random() * 30_000);
  const whole = new FaultyMachine(image);
  const next = await commitOnce(whole, now, length);
  for (let call = 0; call < whole.calls; call++) {
    const machine = new FaultyMachine(image, { kind: random() < 0.5 ? "stop-before" : "stop-after", call });
    let known = [now, next];
    try {
      await commitOnce(machine, now, length);
      // The machine stopped after the sync, at the cut of the file.
      known = [next];
    } catch (error) {
      if (!(error instanceof InputOutputError)) throw error;
    }
    assert.ok(machine.stopped);
    for (const [how, survivors] of survivals(machine, random)) {
      if (random() < 0.3) {
        const left = imageAfter(image, machine.log, survivors);
        await assertReopens(left, known, `second crash at call ${call}, ${how}, after ${message}`);
      }
    }
  }
}

const WHOLE = new FaultyMachine(INITIAL);
const { acknowledged: ALL, begins: BEGINS } = await run(WHOLE);

Deno.test("FileMedium.commit() runs through all steps when nothing fails", async () => {
  assert.equal(ALL, VERSIONS.at(-1)!.version);
  await assertReopens(WHOLE.file.bytes, VERSIONS.slice(-1), "no crash");
  assert.ok(WHOLE.log.some(({ op }) => op === "truncate"), "no step cuts the file");
});

for (const [index, step] of STEPS.entries()) {
  const calls = { from: BEGINS[index]!, to: BEGINS[index + 1] ?? WHOLE.calls };
  for (const kind of ["stop-before", "stop-after"] as const) {
    Deno.test(`FileMedium.commit() survives a machine that does ${kind} at any call of "${step.name}"`, async () => {
      let images = 0;
      for (let call = calls.from; call < calls.to; call++) {
        const machine = new FaultyMachine(INITIAL, { kind, call });
        const { acknowledged } = await run(machine);
        assert.ok(machine.stopped);
        await assertReopens(machine.file.bytes, VERSIONS.slice(acknowledged - 1, acknowledged + 1), "process died");
        images += await assertSurvives(machine, acknowledged, `${kind} call ${call}`);
      }
      // A loss of power leaves more than one file behind for some call, or the machine never stopped in between.
      assert.ok(images > calls.to - calls.from);
    });
  }

  Deno.test(`FileMedium.commit() survives a write torn at a sector in "${step.name}"`, async () => {
    for (let call = calls.from; call < calls.to; call++) {
      // The run is the same every time until the fault, so its log tells what the call will be.
      const planned = WHOLE.log[call];
      if (planned?.op !== "write") continue;
      const sectors = Math.ceil(planned.data.length / SECTOR);
      const stride = planned.data.length === PAGE_SIZE ? 1 : Math.max(1, Math.floor(sectors / TEARS));
      for (let sector = 1; sector < sectors; sector += stride) {
        const machine = new FaultyMachine(INITIAL, { kind: "tear", call, bytes: sector * SECTOR });
        const { acknowledged } = await run(machine);
        const known = VERSIONS.slice(acknowledged - 1, acknowledged + 1);
        const message = `process died at call ${call}, sector ${sector}`;
        const now = await assertReopens(machine.file.bytes, known, message);
        const after = new FaultyMachine(machine.file.bytes);
        const next = await commitOnce(after, now, 5_000);
        await assertReopens(after.file.bytes, [next], `a commit after ${message}`);
      }
    }
  });
}
