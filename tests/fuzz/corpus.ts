/**
 * Inputs that are kept: at least one for each answer that a decoder was seen to give, and each that once broke one.
 *
 * A file of `corpus/` for each target, one entry a line. `gives` is what must come of the input: `valid`, or the code of
 * the error. Run the fuzzer with `COFFER_FUZZ_KEEP=1` and write permission to add inputs with a new answer.
 *
 * @module
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { type Bytes, decodeBase64, encodeBase64 } from "../../lib/bytes.ts";

/** An input that is kept. */
export interface Entry {
  readonly input: Bytes;
  /** What must come of it. */
  readonly gives: string;
}

interface Stored {
  /** The input, compressed, in base64. */
  readonly deflated: string;
  readonly gives: string;
}

const FOLDER = new URL("corpus/", import.meta.url);

/** What is kept of a target. */
export async function readCorpus(target: string): Promise<readonly Entry[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(new URL(`${target}.json`, FOLDER));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return (JSON.parse(text) as Stored[]).map(({ deflated, gives }) => ({
    input: new Uint8Array(inflateRawSync(decodeBase64(deflated))),
    gives,
  }));
}

/** Writes what is kept of a target. */
export async function writeCorpus(target: string, entries: readonly Entry[]): Promise<void> {
  const lines = entries.map(({ input, gives }) =>
    `  ${JSON.stringify({ gives, deflated: encodeBase64(deflateRawSync(input, { level: 9 })) })}`
  );
  await Deno.writeTextFile(new URL(`${target}.json`, FOLDER), `[\n${lines.join(",\n")}\n]\n`);
}

/** Names of the targets of which something is kept. */
export function corpusNames(): readonly string[] {
  return [...Deno.readDirSync(FOLDER)].map(({ name }) => name.replace(/\.json$/, "")).sort();
}
