/**
 * Errors, as the command line tells them.
 *
 * @module
 */
import { CofferError, MissingPermissionError } from "../errors.ts";
import { trace } from "./debug.ts";
import { environment } from "./environment.ts";
import { shown, writeErr } from "./output.ts";

/** Tells of an error on stderr and returns the exit code. */
export function report(error: unknown, json: boolean): number {
  // The reader of a pipe went away, as in `coffer ls | head`: it has seen what it wanted.
  if (error instanceof Deno.errors.BrokenPipe) return 0;
  const known = asCofferError(error);
  const { code, message, hint } = known;
  if (json) writeErr(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  else writeErr(`${label("error", "31")} ${shown(message)}\n${label("hint", "36")} ${shown(hint)}\n`);
  if (environment("COFFER_DEBUG") !== undefined) writeErr(trace(error));
  return known.exitCode;
}

/** What is not coffer's own says no more than its class: a foreign message may quote anything. */
function asCofferError(error: unknown): CofferError {
  if (error instanceof CofferError) return error;
  if (error instanceof Deno.errors.NotCapable) {
    const flag = /--allow-[a-z]+/.exec(error.message)?.[0] ?? "a permission";
    return new MissingPermissionError(flag, "go on", { cause: error });
  }
  const name = error instanceof Error ? error.name : typeof error;
  return new CofferError("unexpected", `Unexpected failure (${name})`, {
    hint: "This is a defect; run the command again with COFFER_DEBUG=1 and --allow-env=COFFER_DEBUG, and report it",
    cause: error,
  });
}

function label(word: string, colour: string): string {
  return Deno.stderr.isTerminal() && !Deno.noColor
    ? `\x1b[1mcoffer: \x1b[${colour}m${word}:\x1b[0m`
    : `coffer: ${word}:`;
}
