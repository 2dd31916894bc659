/**
 * Masking what a command prints.
 *
 * @module
 */
import { InputOutputError } from "../../errors.ts";
import { encodedForms } from "../../exchange/encoded_forms.ts";
import { TooMuchToRedactError } from "../../exchange/errors.ts";
import { PatternSet } from "../../exchange/pattern_set.ts";
import { Redactor } from "../../exchange/redact.ts";
import { warn } from "../output.ts";
import type { Values } from "../read_secrets.ts";

/** Most bytes of values that are looked for in output. Each one of them takes up to 3 KB of memory, in all its forms. */
const MAX_SIZE = 32 * 1024;
/** Shorter values would be found where they are not. */
const MIN_LENGTH = 4;

/** What masks the output of a command. */
export interface Mask {
  /** Passes on what a command prints, masked, until nobody prints there any more. */
  pass(child: Deno.ChildProcess): Promise<void>;
}

/**
 * A mask for all forms of some values. Values that are too short are named in a warning.
 *
 * @throws {TooMuchToRedactError}
 */
export function maskFor(values: Values): Mask {
  const patterns = patternsOf(values);
  return {
    async pass({ stdout, stderr }) {
      const streams = [[stdout, Deno.stdout, "output"], [stderr, Deno.stderr, "error"]] as const;
      // Both to their ends, also when one fails: the command is not to be held up by it.
      const ends = await Promise.allSettled(
        streams.map(([from, to, what]) => passMasked(from, to, new Redactor(patterns), what)),
      );
      for (const end of ends) if (end.status === "rejected") throw end.reason;
    },
  };
}

function patternsOf(values: Values): PatternSet {
  const long = [...values].filter(([name, bytes]) => {
    if (new TextDecoder().decode(bytes).replace(/[\r\n]+$/, "").length >= MIN_LENGTH) return true;
    warn(`The value of "${name}" has fewer than ${MIN_LENGTH} characters, and is not masked`);
    return false;
  });
  const size = long.reduce((sum, [, { length }]) => sum + length, 0);
  if (size > MAX_SIZE) throw new TooMuchToRedactError(size, MAX_SIZE);
  return new PatternSet(long.flatMap(([, bytes]) => encodedForms(bytes)));
}

/** Passes a stream on, masked. When nobody reads it any more the command is told so, as it would be without coffer. */
async function passMasked(
  from: ReadableStream<Uint8Array>,
  to: typeof Deno.stdout,
  redactor: Redactor,
  what: string,
): Promise<void> {
  try {
    for await (const chunk of from) await writeAll(to, redactor.push(chunk));
    await writeAll(to, redactor.end());
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return;
    throw new InputOutputError("write to", `standard ${what}`, { cause: error });
  }
}

/** A slow reader keeps only the command waiting, not signals: hence not the synchronous call. */
async function writeAll(to: typeof Deno.stdout, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    try {
      done += await to.write(bytes.subarray(done));
    } catch (error) {
      // Another program may have made the shared terminal or pipe non-blocking.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
