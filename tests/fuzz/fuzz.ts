/**
 * Running a target: inputs from seeds, values and changes to both, each held against what a decoder promises.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, encodeBase64, equalBytes } from "../../lib/bytes.ts";
import { CofferError } from "../../lib/errors.ts";
import { randomFrom } from "../helpers.ts";
import { withBoundedArrays } from "./allocations.ts";
import { type Entry, readCorpus, writeCorpus } from "./corpus.ts";
import { mutate, oneOf, type Random } from "./mutate.ts";
import type { Target } from "./target.ts";

/** What a run did. */
export interface FuzzReport {
  readonly inputs: number;
  /** How many of them decoded. */
  readonly valid: number;
  /** Different answers, messages told apart. */
  readonly answers: number;
  /** Longest time of one input, in milliseconds. */
  readonly slowest: number;
}

/** Longest input that is shown whole when it breaks something, in bytes. */
const SHOWN = 600;
/** Longest input that is kept, in bytes. */
const KEPT = 32 * 1024;
/** Most inputs that are kept of a target. */
const MOST_KEPT = 40;

/** Tries a number of inputs, each made from a seed of its own. */
export async function fuzz(target: Target, seed: number, runs: number): Promise<FuzzReport> {
  const corpus = await readCorpus(target.name);
  const pool = await poolOf(target, corpus);
  for (const sound of await seedsOf(target)) {
    const { gives } = await judged(target, sound, "a seed");
    assert.equal(gives, "valid", `${target.name}: a seed is not sound`);
  }
  const answers = new Map<string, Entry>();
  for (const { input, gives } of corpus) {
    const got = await judged(target, input, "the corpus");
    assert.equal(got.gives, gives, `${target.name}: an input of the corpus, ${shown(input)}`);
    answers.set(got.answer, { input, gives });
  }
  let [valid, slowest] = [0, 0];
  for (let run = 0; run < runs; run++) {
    const own = (seed + run) >>> 0;
    const input = await inputOf(target, pool, own);
    const start = performance.now();
    const { gives, answer } = await judged(target, input, `COFFER_FUZZ=${target.name}:${own}`);
    slowest = Math.max(slowest, performance.now() - start);
    if (gives === "valid") valid++;
    const known = answers.get(answer);
    if (known === undefined && input.length <= KEPT) answers.set(answer, { input, gives });
  }
  if (Deno.env.get("COFFER_FUZZ_KEEP") === "1") {
    const added = [...answers.values()].filter(({ input }) => !corpus.some((one) => equalBytes(one.input, input)));
    await writeCorpus(target.name, [...corpus, ...added].slice(0, Math.max(corpus.length, MOST_KEPT)));
  }
  return { inputs: runs, valid, answers: answers.size, slowest };
}

/** Tries the one input that a seed makes. */
export async function fuzzOnce(target: Target, seed: number): Promise<void> {
  const input = await inputOf(target, await poolOf(target, await readCorpus(target.name)), seed);
  await judged(target, input, `seed ${seed}`);
}

async function seedsOf({ seeds }: Target): Promise<readonly Bytes[]> {
  return typeof seeds === "function" ? await seeds() : seeds;
}

async function poolOf(target: Target, corpus: readonly Entry[]): Promise<readonly Bytes[]> {
  return [...await seedsOf(target), ...corpus.map(({ input }) => input)];
}

async function inputOf(target: Target, pool: readonly Bytes[], seed: number): Promise<Bytes> {
  const input = await drawnInput(target, pool, seed);
  return target.normal?.(input) ?? input;
}

async function drawnInput(target: Target, pool: readonly Bytes[], seed: number): Promise<Bytes> {
  const random = randomFrom(seed);
  const { values } = target;
  const chance = random();
  if (chance < 0.05) return anything(seed, random);
  const drawn = values !== undefined && chance < 0.3 ? await fc.sample(values, { seed, numRuns: 1 })[0] : undefined;
  if (drawn !== undefined && chance < 0.12) return drawn;
  const input = mutate(random, drawn === undefined ? pool : [drawn], target);
  return target.mend !== undefined && random() < 0.5 ? await target.mend(input) : input;
}

/** Bytes with no form at all. */
function anything(seed: number, random: Random): Bytes {
  const most = oneOf(random, [8, 100, 5000]);
  return new Uint8Array(fc.sample(fc.uint8Array({ maxLength: most }), { seed, numRuns: 1 })[0]!);
}

interface Answer {
  /** `valid`, or the code of the error. */
  readonly gives: string;
  /** The same with the words of the error. */
  readonly answer: string;
}

/** Decodes an input; fails, with a line that repeats it, where the target does not keep its promises. */
async function judged(target: Target, input: Bytes, how: string): Promise<Answer> {
  const broken = (what: string, cause?: unknown) =>
    new assert.AssertionError({
      message: `${target.name}: ${what}\n${how} deno test --no-prompt --allow-read --allow-env tests/fuzz\n` +
        `input: ${shown(input)}\n${cause instanceof Error ? cause.stack : ""}`,
    });
  let value: unknown;
  try {
    // A decoder that changes what it is given would change what others hold.
    const copy = input.slice();
    value = await withBoundedArrays(input.length, () => target.decode(copy));
    if (!equalBytes(copy, input)) throw broken("the input was changed");
  } catch (error) {
    if (!target.allowed.some((allowed) => error instanceof allowed)) throw broken(`threw ${error}`, error);
    const gives = error instanceof CofferError ? error.code : (error as Error).name;
    return { gives, answer: `${gives} ${(error as Error).message.replaceAll(/[0-9]+/g, "N")}` };
  }
  if (target.encode !== undefined) {
    const encoded = await target.encode(value);
    if (encoded !== undefined && !equalBytes(encoded, input)) {
      throw broken(`encodes to other bytes: ${shown(encoded)}`);
    }
  }
  if (target.again !== undefined) {
    const second = await target.decode(await target.again(value));
    try {
      assert.deepEqual(asWritten(second), asWritten(value));
    } catch (error) {
      throw broken("does not come back as it was", error);
    }
  }
  return { gives: "valid", answer: "valid" };
}

/** What JSON makes of a value: it reads a zero below nothing and numbers without end, and writes neither. */
function asWritten(value: unknown): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value + 0 : null;
  if (Array.isArray(value)) return value.map(asWritten);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, asWritten(inner)]));
}

function shown(input: Uint8Array): string {
  if (input.length > SHOWN) return `${input.length} bytes`;
  const text = new TextDecoder().decode(input);
  return /^[ -~]*$/.test(text) ? JSON.stringify(text) : `base64 ${encodeBase64(input)}`;
}
