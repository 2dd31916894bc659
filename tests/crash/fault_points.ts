/**
 * Every call on a file fails in every way, once or from then on, in a process that goes on: what it says, what it has in
 * memory and what is on the disk must agree, and the next change must work once the fault is gone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CofferError } from "../../lib/errors.ts";
import type { ErrorCode } from "../../lib/error_table.ts";
import { DEEP, SEED, seeded } from "../storage/helpers.ts";
import { look, type Operation, record, type Session } from "./crash_points.ts";
import { on } from "./files.ts";
import { type Fault, type FaultKind, FAULTS, type Image, imageAfter, unsynced, World } from "./world.ts";

/** In a quick run, how many of the calls fail, and how many of a slow operation's. */
const SHARE = { quick: 0.6, slow: 0.12 } as const;

/**
 * What a fault is told as: what the system said, and nothing that sends its reader elsewhere, such as to a backup. Fewer bytes
 * than were asked for are no error: whoever asked goes on with the rest.
 */
const TOLD_AS: Readonly<Record<FaultKind, readonly ErrorCode[]>> = {
  "EIO": ["io-error"],
  "ENOSPC": ["disk-full"],
  "EACCES": ["permission-denied"],
  "EINTR": ["io-error"],
  "short read": [],
  "short write": [],
};

/** What was tried. */
export interface FaultCounts {
  operations: number;
  calls: number;
  faults: number;
}

/** Tries every fault in an operation that opens what it works on, and closes it. */
export async function assertSurvivesFaults(operation: Operation, counts: FaultCounts): Promise<void> {
  const { initial, states, calls } = await prepared(operation);
  counts.operations++;
  counts.calls += calls.length;
  for (const fault of faultsOf(calls, 0, operation.slow)) {
    await naming(fault, calls, async () => {
      const world = new World(initial);
      world.fault = fault;
      let done = 0;
      const failed = await on(world, () =>
        attempt(fault, () =>
          operation.run(() => {
            done++;
            return Promise.resolve();
          })));
      if (world.faults > 0) counts.faults++;
      world.fault = undefined;
      assertLetGo(world);
      const found = await look(operation, world.image, !failed);
      const known = states.slice(done, failed ? done + 2 : done + 1);
      assert.ok(known.includes(found) || (failed && operation.answers.includes(found)), `found ${found}`);
      if (!failed) await on(world, () => operation.acknowledged?.());
      // The same machine goes on: whatever was left lying about is in nobody's way.
      await on(world, () => operation.goOn(found));
      assertLetGo(world);
      const settles = !failed || operation.answers.includes(found);
      const gone = operation.gone(found, states.at(-1)!);
      assert.equal(await look(operation, world.image, settles), gone, "after going on");
      await assertDurable(operation, world, fault, settles, gone);
    });
  }
}

/** Tries every fault in a process that has a vault open, and keeps it. */
export async function assertGoesOnAfterFaults(
  operation: Operation,
  counts: FaultCounts,
  choose: FaultChoice = faultsOf,
): Promise<void> {
  const { initial, states } = await prepared(operation);
  const sound = new World(initial);
  const { calls, from } = await on(sound, async () => {
    const session = await operation.session!();
    const from = sound.calls.length;
    for (const step of session.steps) await step();
    const calls = [...sound.calls];
    await session.close();
    return { calls, from };
  });
  counts.operations++;
  counts.calls += calls.length - from;
  for (const fault of choose(calls, from, operation.slow)) {
    await naming(fault, calls, async () => {
      const world = new World(initial);
      await on(world, async () => {
        let session = await operation.session!();
        // A rotation that failed may stand on the disk nonetheless. Nobody has its key then but who opens the vault anew.
        const lookOrReopen = async () => {
          try {
            return await session.look();
          } catch (error) {
            if (!(error instanceof CofferError && error.code === "vault-rotated")) throw error;
            await session.close();
            session = await operation.session!();
            return await session.look();
          }
        };
        // Opening may take other calls each time: what is meant is the call after it.
        world.fault = { ...fault, call: fault.call - from + world.calls.length };
        const { done, failed } = await stepThrough(session, fault);
        if (world.faults > 0) counts.faults++;
        world.fault = undefined;
        const known = states.slice(done, failed ? done + 2 : done + 1);
        const found = await lookOrReopen();
        assert.ok(known.includes(found), `found ${found}\nwanted ${known.join("\nor ")}`);
        assert.equal(await look(operation, world.image, false), found, "memory and disk agree");
        if (!failed) await operation.acknowledged?.();
        await session.goOn();
        const gone = operation.gone(found, states.at(-1)!);
        assert.equal(await session.look(), gone, "in memory, after one more change");
        await session.close();
        assert.equal(await look(operation, world.image, false), gone, "on disk, after one more change");
        await assertDurable(operation, world, fault, false, gone);
      });
      assertLetGo(world);
    });
  }
}

/** What is there before, what the states are, and which calls are made where nothing fails. */
async function prepared(
  operation: Operation,
): Promise<{ initial: Image; states: readonly string[]; calls: readonly string[] }> {
  const before = new World();
  await on(before, () => operation.prepare());
  const initial = before.image;
  const { states } = await record(operation, { initial }, true, (acknowledged) => operation.run(acknowledged));
  const world = new World(initial);
  await on(world, () => operation.run(() => Promise.resolve()));
  return { initial, states, calls: world.calls };
}

async function stepThrough({ steps }: Session, fault: Fault): Promise<{ done: number; failed: boolean }> {
  let done = 0;
  for (const step of steps) {
    if (await attempt(fault, step)) return { done, failed: true };
    done++;
  }
  return { done, failed: false };
}

/** Does some work that may fail, and then says why; gives whether it did. */
async function attempt({ kind }: Fault, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (!(error instanceof CofferError)) throw new Error("an error without a code", { cause: error });
    // A lock that could not be given up is in the way of whoever wants it next.
    const told = TOLD_AS[kind].includes(error.code) || (error.code === "busy" && !kind.startsWith("short"));
    assert.ok(told, `${kind} is told as ${error.code}`);
    return true;
  }
}

/**
 * What was done after the fault is there when the power fails, though the system gave up what it could not sync, and forgot
 * about it. Where every call failed for a time, a commit that failed may not have been taken back; then nothing is promised.
 * Nor is it where a folder could not be synced: the error says that the name may go.
 */
async function assertDurable(operation: Operation, world: World, fault: Fault, settles: boolean, wanted: string) {
  if (fault.forEver || world.namesLost) return;
  const lost = new Set([...unsynced(world.log, world.log.length), ...world.givenUp]);
  const left = imageAfter(world.initial, world.log, { keeps: (index) => !lost.has(index) });
  assert.equal(await look(operation, left, settles), wanted, "after going on, and a loss of power");
}

function assertLetGo(world: World): void {
  assert.equal(world.open, 0, "files are left open");
  assert.equal(world.locks, 0, "locks are left");
}

/** Which faults are tried, of the calls from one on. */
type FaultChoice = (calls: readonly string[], from: number, slow?: boolean) => Iterable<Fault>;

/** Each sync fails once. */
export function* failingSyncs(calls: readonly string[], from: number): Generator<Fault> {
  for (let call = from; call < calls.length; call++) {
    if (calls[call] === "sync") yield { kind: "EIO", call, forEver: false };
  }
}

/**
 * All faults of all calls; in a quick run one of most calls, by chance, and that every sync fails once: only then the system
 * forgets what it was to write.
 */
function* faultsOf(calls: readonly string[], from: number, slow = false): Generator<Fault> {
  const random = seeded(SEED + calls.length);
  for (let call = from; call < calls.length; call++) {
    const all = FAULTS.filter((kind) => !kind.startsWith("short") || kind.endsWith(calls[call]!))
      .flatMap((kind) => [false, true].map((forEver) => ({ kind, call, forEver })));
    if (DEEP) {
      yield* all;
      continue;
    }
    if (calls[call] === "sync" && !slow) yield { kind: "EIO", call, forEver: false };
    if (random() < SHARE[slow ? "slow" : "quick"]) yield all[Math.floor(random() * all.length)]!;
  }
}

async function naming({ kind, call, forEver }: Fault, calls: readonly string[], work: () => Promise<void>) {
  try {
    await work();
  } catch (cause) {
    const when = forEver ? "from then on" : "once";
    throw new Error(`${kind} ${when} at call ${call} of ${calls.length}, a ${calls[call]}, COFFER_SEED=${SEED}`, {
      cause,
    });
  }
}
