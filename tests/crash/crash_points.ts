/**
 * Every state in which a machine may leave its disk when it stops during an operation, each of them reopened and held
 * against what was acknowledged.
 *
 * An operation runs once, on a {@linkcode World} that records every change. What a stop leaves follows from the record:
 * for each number of changes that were begun
 *
 * - all of them, and nothing more (the process was killed);
 * - all of them, and the next write up to every 512th byte;
 * - what was synced, and each combination of what was not (the power failed), the last write torn as well.
 *
 * Then the next process goes on, and meets the same in its turn; after a kill with what the first one wrote still in the
 * system's memory only.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DEEP, SEED, seeded } from "../storage/helpers.ts";
import { on } from "./files.ts";
import { type Change, type Image, imageAfter, type Survivors, unsynced, World } from "./world.ts";

/** The unit that a disk writes whole. */
const SECTOR = 512;
/** Unsynced changes up to this many are tried in every combination. */
const ALL_SUBSETS = DEEP ? 9 : 5;
/** Beyond that, so many combinations are drawn. */
const DRAWN_SUBSETS = DEEP ? 250 : 24;
/** At most so many places at which one write is torn. */
const TEARS = DEEP ? 128 : 8;
/** One image in so many is gone on from, and one in so many meets a second crash on the way, at so many points. */
const GO_ON_EVERY = DEEP ? 2 : 5;
const SECOND_EVERY = DEEP ? 20 : 75;
const SECOND_POINTS = DEEP ? 30 : 12;

/** Something that is looked at after a crash. */
export interface Subject {
  /** What may stand in the place of a state while something is in flight: the code of an error. */
  readonly answers: readonly string[];
  /**
   * Opens what is on the disk, checks all of it, and gives it as one text. It changes nothing.
   *
   * @param settled whether nothing was in flight: then nothing may be missing either
   */
  observe(settled: boolean): Promise<string>;
  /** Fails unless what stands beside it is as far as it is, once the operation was acknowledged and nothing was lost. */
  acknowledged?(): Promise<void>;
  /** What a process does that comes after the crash and finds this: one more change, or the operation once more. */
  goOn(found: string): Promise<void>;
  /** The text after that, when the operation ends with `done`. */
  gone(found: string, done: string): string;
}

/** An operation, or several one after another, on what a machine has on its disk. */
export interface Operation extends Subject {
  /** What is done. */
  readonly name: string;
  /** A change that it must make, or it is not what it is meant to be. */
  readonly makes?: Change["op"];
  /** Makes what is there before; everything that it wrote is durable. */
  prepare(): Promise<void>;
  /** Does it, and calls `acknowledged` after each step that it was told is done. */
  run(acknowledged: () => Promise<void>): Promise<void>;
  /** Whether opening takes so long that a quick run tries only some faults. */
  readonly slow?: boolean;
  /** The same in a process that stays. */
  session?(): Promise<Session>;
}

/** A process that goes on after a call failed. */
export interface Session {
  /** The operation, step by step. */
  readonly steps: readonly (() => Promise<void>)[];
  /** All that it has, as {@linkcode Subject.observe} gives it. */
  look(): Promise<string>;
  /** One more change. */
  goOn(): Promise<void>;
  close(): Promise<void>;
}

/** What was tried. */
export interface Counts {
  operations: number;
  calls: number;
  points: number;
  reopenings: number;
}

/** What a run did: its changes, how many there were at each acknowledgement, and the state before and after each. */
export interface Run {
  readonly initial: Image;
  /** The changes of a process that died before, then those of this one. */
  readonly log: readonly Change[];
  /** Where this one's begin. */
  readonly from: number;
  /** What the machine may fall back to as long as nothing was acknowledged: what died before was not, either. */
  readonly fallbacks: readonly string[];
  readonly acknowledged: readonly number[];
  readonly states: readonly string[];
  /** Whether nothing at all is in flight after the last acknowledgement. */
  readonly settles: boolean;
}

/** What a process finds: a disk, and in the system's memory what one that died before it has changed since. */
interface Before {
  readonly initial: Image;
  readonly died?: readonly Change[];
  readonly fallbacks?: readonly string[];
}

/** Tries every crash point of an operation, and counts them. */
export async function assertSurvivesCrashes(operation: Operation, counts: Counts): Promise<void> {
  const before = new World();
  await on(before, () => operation.prepare());
  const run = await record(operation, { initial: before.image }, true, (acknowledged) => operation.run(acknowledged));
  assert.ok(run.log.length > 0, "the operation changes nothing");
  const { makes } = operation;
  assert.ok(makes === undefined || run.log.some(({ op }) => op === makes), `it makes no ${makes}`);
  counts.operations++;
  counts.calls += run.log.length;
  await explore(operation, run, counts, seeded(SEED), 1);
}

/** Runs an operation where nothing fails. */
export async function record(
  subject: Subject,
  { initial, died = [], fallbacks = [] }: Before,
  settles: boolean,
  work: (acknowledged: () => Promise<void>) => Promise<void>,
): Promise<Run> {
  const world = new World(initial, died);
  const acknowledged: number[] = [];
  const states = [await look(subject, world.image, false)];
  await on(world, () =>
    work(async () => {
      acknowledged.push(world.log.length);
      states.push(await look(subject, world.image, settles));
    }));
  assert.equal(world.open, 0, "files are left open");
  assert.ok(acknowledged.length > 0);
  return { initial, log: [...world.log], from: died.length, fallbacks, acknowledged, states, settles };
}

/** What stands on a disk. Looking at it leaves it as it is. */
export async function look(subject: Subject, image: Image, settled: boolean): Promise<string> {
  const world = new World(image);
  const state = await on(world, () => subject.observe(settled));
  assert.equal(world.open, 0, "files are left open");
  return state;
}

async function explore(
  subject: Subject,
  run: Run,
  counts: Counts,
  random: () => number,
  depth: number,
): Promise<void> {
  const points = [...pointsOf(run, random)];
  const chosen = depth > 0 ? points : drawn(points, SECOND_POINTS, random);
  for (const { done, how, survivors, died } of chosen) {
    const at = counts.points++;
    const settled = run.settles && done === run.acknowledged.length;
    const known = [...run.states.slice(done, done + 2), ...(done === 0 ? run.fallbacks : [])];
    const image = imageAfter(run.initial, run.log, survivors);
    try {
      const state = await look(subject, image, settled);
      counts.reopenings++;
      assert.ok(
        known.includes(state) || (!settled && subject.answers.includes(state)),
        `found ${state}\nwanted ${known.join("\nor ")}`,
      );
      // Of what the system has, nothing is lost when a process is killed.
      if (settled && died !== undefined) await on(new World(image), () => subject.acknowledged?.());
      if (depth > 0 && at % GO_ON_EVERY === 0) {
        const again = at % SECOND_EVERY === 0 ? depth - 1 : undefined;
        const before = died === undefined ? { initial: image } : { initial: run.initial, died, fallbacks: known };
        await assertGoesOn(subject, before, [state, run.states.at(-1)!], settled, counts, random, again);
      }
    } catch (cause) {
      throw new Error(`${how}, COFFER_SEED=${SEED}`, { cause });
    }
  }
}

/** The next change takes place; nothing of it, nor of what was there, is lost when the power fails after it. */
async function assertGoesOn(
  subject: Subject,
  before: Before,
  [found, done]: readonly [string, string],
  settled: boolean,
  counts: Counts,
  random: () => number,
  depth: number | undefined,
): Promise<void> {
  const settles = settled || subject.answers.includes(found);
  const run = await record(subject, before, settles, async (acknowledged) => {
    await subject.goOn(found);
    await acknowledged();
  });
  counts.reopenings++;
  assert.equal(run.states[1], subject.gone(found, done), "after going on");
  const lost = new Set(unsynced(run.log, run.log.length, run.from));
  const left = imageAfter(run.initial, run.log, { keeps: (index) => !lost.has(index) });
  assert.equal(await look(subject, left, settles), run.states[1], "after going on, and a loss of power");
  counts.reopenings++;
  if (depth !== undefined) await explore(subject, run, counts, random, depth);
}

/** A crash: how many steps were acknowledged before it, and what it leaves. */
interface Point {
  readonly done: number;
  readonly how: string;
  readonly survivors: Survivors;
  /** When only the process died: what it has changed, which the system may not have written yet. */
  readonly died?: readonly Change[];
}

function* pointsOf({ log, acknowledged, from }: Run, random: () => number): Generator<Point> {
  const seen = new Set<string>();
  for (let end = from; end <= log.length; end++) {
    const done = acknowledged.filter((count) => count <= end).length;
    for (const [how, kept, torn] of survivals(log, end, from, random)) {
      const key = `${done} ${kept.join()} ${torn?.index} ${torn?.bytes}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const keep = new Set(kept);
      const survivors = { keeps: (index: number) => keep.has(index), torn };
      const died = how.startsWith(KILLED) ? { died: changesUntil(log, end, torn?.bytes) } : {};
      yield { done, how: `${how} of ${log.length} changes`, survivors, ...died };
    }
  }
}

/** The first changes of a log, and so many bytes of the next write. */
function changesUntil(log: readonly Change[], end: number, bytes: number | undefined): readonly Change[] {
  const next = log[end];
  const part = bytes !== undefined && next?.op === "write" ? [{ ...next, data: next.data.slice(0, bytes) }] : [];
  return [...log.slice(0, end), ...part];
}

const KILLED = "killed";

type Survival = readonly [how: string, kept: readonly number[], torn?: Survivors["torn"]];

/** What may be left when the machine stops after so many changes, or within the next one. */
function* survivals(log: readonly Change[], end: number, died: number, random: () => number): Generator<Survival> {
  const all = Array.from({ length: end }, (_, index) => index);
  yield [`${KILLED} after ${end}`, all];
  for (const bytes of tearsOf(log[end])) {
    yield [`${KILLED} in ${end} at byte ${bytes}`, [...all, end], { index: end, bytes }];
  }
  const open = unsynced(log, end, died);
  const durable = all.filter((index) => !open.includes(index));
  for (const lost of subsetsOf(open, random)) {
    yield [`power failed after ${end}, lost ${lost}`, all.filter((index) => !lost.includes(index))];
  }
  const last = open.findLast((index) => log[index]!.op === "write");
  if (last === undefined) return;
  for (const bytes of tearsOf(log[last])) {
    yield [`power failed after ${end}, ${last} torn at byte ${bytes}`, all, { index: last, bytes }];
    yield [`the same, and nothing else is left`, [...durable, last].sort((a, b) => a - b), { index: last, bytes }];
  }
}

/** Where a write may be torn: at every sector, at so many of them when there are more. */
function tearsOf(change: Change | undefined): readonly number[] {
  if (change?.op !== "write") return [];
  const sectors = Math.ceil(change.data.length / SECTOR);
  const step = Math.max(1, Math.ceil((sectors - 1) / TEARS));
  const places: number[] = [];
  for (let sector = 1; sector < sectors; sector += step) places.push(sector * SECTOR);
  return places;
}

/** What of the unsynced changes is lost: every combination, or each by itself, all, and some by chance. */
function* subsetsOf(open: readonly number[], random: () => number): Generator<readonly number[]> {
  if (open.length <= ALL_SUBSETS) {
    for (let mask = 1; mask < 2 ** open.length; mask++) yield open.filter((_, bit) => (mask >> bit & 1) === 1);
    return;
  }
  yield open;
  for (const one of open) yield [one];
  for (let count = 0; count < DRAWN_SUBSETS; count++) yield open.filter(() => random() < 0.5);
}

function drawn<T>(items: readonly T[], count: number, random: () => number): readonly T[] {
  if (items.length <= count) return items;
  return items.map((item) => [random(), item] as const).sort(([a], [b]) => a - b).slice(0, count).map(([, item]) =>
    item
  );
}
