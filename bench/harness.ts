/**
 * What the benches share: vaults to measure on, rounds that take turns with a peer, and how a figure is said.
 *
 * @module
 */
import { Vault } from "../mod.ts";
import { FileMedium } from "../lib/storage/file.ts";

/** One answer of a bench. */
export interface Figure {
  /** What was measured. */
  readonly name: string;
  /** The figure: nearly always a ratio of two medians of one run. */
  readonly value: number;
  /** What it must not pass: `atMost` for costs, `atLeast` for gains. Figures without either are for information. */
  readonly atMost?: number;
  readonly atLeast?: number;
  /** The two sides of the ratio, in words. */
  readonly detail: string;
}

/** One question, asked in a file of its own. */
export interface Bench {
  readonly name: string;
  readonly question: string;
  /** Measures; a string says why it cannot here. */
  readonly run: (options: BenchOptions) => Promise<readonly Figure[] | string>;
}

/** How thorough a run is. */
export interface BenchOptions {
  /** Takes minutes instead of seconds, for the sizes that need them. */
  readonly deep: boolean;
}

/** A vault to measure on, and what opens it. A key file keeps key derivation out of the figures. */
export interface BenchVault {
  readonly vault: Vault;
  readonly path: string;
  readonly folder: string;
  readonly keyFile: Uint8Array;
  /** How many snapshots were committed since it was opened. */
  readonly snapshots: () => number;
  /** How long the commit of all secrets at once took, their encoding included, in milliseconds. */
  readonly fillTime: number;
}

/** Size of the benches' values, in bytes of text. */
export const VALUE_SIZE = 100;

/** Name number `index` of a vault of the benches. */
export function nameOf(index: number): string {
  return `app/${String(index % 97).padStart(2, "0")}/secret-${String(index).padStart(7, "0")}`;
}

/** A value of {@linkcode VALUE_SIZE} bytes that differs from call to call. */
export function newValue(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(VALUE_SIZE / 2));
  return bytes.toHex();
}

/** Hands a vault of so many secrets to a function, in a folder that is removed afterwards. */
export async function withSecrets<T>(count: number, run: (bench: BenchVault) => Promise<T>): Promise<T> {
  return await withFolder(async (folder) => {
    const path = `${folder}/bench.coffer`;
    const keyFile = crypto.getRandomValues(new Uint8Array(32));
    await (await Vault.create(path, { keyFile })).close();
    const medium = await FileMedium.open(path);
    let snapshots = 0;
    const commit = medium.commit.bind(medium);
    medium.commit = (base, change) => {
      if (change.append.length > 1) snapshots++;
      return commit(base, change);
    };
    await using vault = await Vault.open(medium, { keyFile, anchor: `${path}.anchor` });
    let filled = 0;
    await vault.transaction((tx) => {
      for (let i = 0; i < count; i++) tx.secrets.set(nameOf(i), newValue());
      filled = performance.now();
    });
    const fillTime = performance.now() - filled;
    return await run({ vault, path, folder, keyFile, snapshots: () => snapshots, fillTime });
  });
}

/** Hands a new folder to a function and removes it afterwards. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "coffer-bench-" });
  try {
    return await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Milliseconds of one call, taken as the mean of `times` in a row. */
export async function timed(work: () => unknown, times = 1): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < times; i++) await work();
  return (performance.now() - start) / times;
}

/**
 * Medians of several rounds in which the sides take turns, so that what slows the machine slows all of them. One round
 * goes before and is not counted.
 */
export async function interleaved<NAME extends string>(
  rounds: number,
  sides: Readonly<Record<NAME, () => Promise<number>>>,
): Promise<Record<NAME, number>> {
  const names = Object.keys(sides) as NAME[];
  const samples = new Map<NAME, number[]>(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const sample = await sides[name]();
      if (round >= 0) samples.get(name)!.push(sample);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(samples.get(name)!)])) as Record<NAME, number>;
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Milliseconds in words. */
export function ms(value: number): string {
  return value >= 100 ? `${value.toFixed(0)} ms` : value >= 10 ? `${value.toFixed(1)} ms` : `${value.toFixed(3)} ms`;
}
