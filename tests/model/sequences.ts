/**
 * Random operations on a vault and on a plain model of it, with restarts, other processes and crashes in between: they hold
 * the same, always.
 *
 * @module
 */
import { printedSeed, randomFrom } from "../helpers.ts";
import { Draw } from "./draw.ts";
import { drawOperation } from "./operations.ts";
import { tally, World } from "./world.ts";

const DEEP = Deno.env.get("COFFER_DEEP") === "1";
const SEED = printedSeed("model");
const OPERATIONS = Number(Deno.env.get("COFFER_MODEL_OPERATIONS") ?? (DEEP ? 1_000_000 : 2000));
/** Operations of one sequence, on one vault: then a new one is begun, so that a failure has few before it. */
const ON_ONE = 250;
/** How many files of tests share the sequences, so that all cores have some. */
const SHARES = 2;
/** One operation in so many meets a crash, and so many are between two looks at everything. */
const CRASH_EVERY = 12;
const LOOK_EVERY = 20;
const WHOLE_EVERY = 125;

/** Runs a sequence from its seed; gives how far it came, and why not further. */
async function run(
  seed: number,
  most: number,
  look: number,
): Promise<{ done: number; names: string[]; error?: unknown }> {
  const draw = new Draw(randomFrom(seed));
  const names: string[] = [];
  const world = await World.begin(draw.random);
  let done = 0;
  try {
    for (; done < most; done++) {
      const { name, run, crashes } = drawOperation(draw);
      const crash = crashes && draw.below(CRASH_EVERY) === 0;
      names.push(crash ? `${name}, crashing` : name);
      if (crash) await world.crashing((world) => run(world, draw));
      else await run(world, draw);
      tally.operations++;
      if ((done + 1) % look === 0) await world.assertEqual((done + 1) % WHOLE_EVERY === 0);
    }
    await world.assertEqual(true);
    return { done, names };
  } catch (error) {
    return { done, names, error };
  } finally {
    try {
      await world.close();
    } catch { /* What failed first is what is told. */ }
  }
}

/** Runs every other sequence; a failure says how to run the one that failed, alone and only so far. */
export async function runSequences(share: 0 | 1): Promise<void> {
  for (let done = share * ON_ONE; done < OPERATIONS; done += SHARES * ON_ONE) {
    const seed = SEED + done;
    const most = Math.min(ON_ONE, OPERATIONS - done);
    const { error } = await run(seed, most, LOOK_EVERY);
    if (error === undefined) continue;
    // Again from the same seed, with a look after every operation: where it goes wrong first.
    const shortest = await run(seed, most, 1);
    const last = shortest.names.slice(-8).join(" > ");
    throw new Error(
      `COFFER_SEED=${seed} COFFER_MODEL_OPERATIONS=${shortest.done + 1}: ` +
        `goes wrong after ${shortest.done + 1} operations, the last of them ${last}`,
      { cause: shortest.error ?? error },
    );
  }
}

globalThis.addEventListener("unload", () => {
  // deno-lint-ignore no-console
  console.info(
    `model: ${tally.operations} operations, ${tally.openings} openings, ${tally.crashes} crashes ` +
      `(${tally.kept} kept the change in flight, ${tally.lost} lost it), seed ${SEED}`,
  );
});
