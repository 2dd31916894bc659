/**
 * Every decoder under inputs that nobody would write: it decodes, or it throws one of the errors that it declares; it asks
 * for no memory that the input does not warrant; what decodes encodes to the same bytes.
 *
 * `COFFER_FUZZ=TARGET:SEED` tries one input again, `COFFER_FUZZ=TARGET` one target alone. How long an input takes is
 * reported, not judged: work is bounded by how decoders are built, and a clock on a busy machine proves nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { printedSeed } from "../helpers.ts";
import { corpusNames } from "./corpus.ts";
import { fuzz, fuzzOnce, type FuzzReport } from "./fuzz.ts";
import { TARGETS } from "./targets/all.ts";

const DEEP = Deno.env.get("COFFER_DEEP") === "1";
const RUNS = DEEP ? 12_000 : 400;
const [ONLY, REPEAT] = Deno.env.get("COFFER_FUZZ")?.split(":") ?? [];
const CHOSEN = TARGETS.filter(({ name }) => ONLY === undefined || name === ONLY);
const SEED = REPEAT === undefined ? printedSeed("fuzz") : Number(REPEAT);

const reports = new Map<string, FuzzReport>();

for (const target of CHOSEN) {
  Deno.test(`${target.name} is decoded, or refused with a declared error, whatever the bytes`, async () => {
    if (REPEAT !== undefined) return await fuzzOnce(target, SEED);
    reports.set(target.name, await fuzz(target, SEED, Math.ceil(RUNS / (target.cost ?? 1))));
  });
}

Deno.test("fuzzing has targets of different names, and a corpus for no others", () => {
  assert.ok(CHOSEN.length > 0, `there is no target ${ONLY}`);
  const names = TARGETS.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  assert.deepEqual(corpusNames().filter((name) => !names.includes(name)), []);
});

globalThis.addEventListener("unload", () => {
  const all = [...reports];
  if (all.length === 0) return;
  const sum = (of: (report: FuzzReport) => number) => all.reduce((total, [, report]) => total + of(report), 0);
  const [slowest, { slowest: time }] = all.toSorted(([, a], [, b]) => b.slowest - a.slowest)[0]!;
  // deno-lint-ignore no-console
  console.info(
    `fuzz: ${sum(({ inputs }) => inputs)} inputs to ${all.length} decoders, ${sum(({ valid }) => valid)} decoded, ` +
      `${sum(({ answers }) => answers)} different answers, slowest ${Math.round(time)} ms (${slowest}), seed ${SEED}`,
  );
});
