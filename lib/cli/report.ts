/**
 * Errors, as the command line tells them.
 *
 * @module
 */
import { folderOf } from "../storage/path_watch.ts";
import { CofferError, MissingPermissionError } from "../errors.ts";
import type { ErrorCode } from "../error_table.ts";
import { CREDENTIAL_VARIABLES } from "./credential.ts";
import { trace } from "./debug.ts";
import { environment, unreadVariables } from "./environment.ts";
import { shown, writeErr } from "./output.ts";

/** What may only say that the usual vault is not the one that was meant. */
const OF_THE_WRONG_VAULT: readonly ErrorCode[] = ["vault-not-found", "secret-not-found", "missing-references"];

/** Tells of an error on stderr and returns the exit code. */
export function report(error: unknown, json: boolean): number {
  // The reader of a pipe went away, as in `coffer ls | head`: it has seen what it wanted.
  if (error instanceof Deno.errors.BrokenPipe) return 0;
  const known = asCofferError(error);
  const { code, message } = known;
  const hint = withUnread(code, known.hint);
  if (json) writeErr(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  else writeErr(`${label("error", "31")} ${shown(message)}\n${label("hint", "36")} ${shown(hint)}\n`);
  if (environment("COFFER_DEBUG") !== undefined) writeErr(trace(error));
  return known.exitCode;
}

/** The hint, and that variables were not looked at which may have named the right vault or the credential. */
function withUnread(code: ErrorCode, hint: string): string {
  const unread = unreadVariables();
  const missed = code === "no-credential"
    ? unread.filter((name) => CREDENTIAL_VARIABLES.includes(name))
    : unread.filter((name) => name === "COFFER_VAULT" && OF_THE_WRONG_VAULT.includes(code));
  if (missed.length === 0) return hint;
  const names = missed.join(",");
  // One hint says what was meant; more would hide it.
  return hint.startsWith("Did you mean")
    ? hint
    : `${hint}; ${
      missed.length === 1 ? names : "variables"
    } could not be looked at: that takes deno run --allow-env=${names}`;
}

/** What is not coffer's own says no more than its class: a foreign message may quote anything. */
function asCofferError(error: unknown): CofferError {
  if (error instanceof CofferError) return error;
  if (error instanceof Deno.errors.NotCapable) {
    const flag = missingFlag(error.message);
    return new MissingPermissionError(flag, "go on", { cause: error });
  }
  const name = error instanceof Error ? error.name : typeof error;
  return new CofferError("unexpected", `Unexpected failure (${name})`, {
    hint: "This is a defect; run the command again with COFFER_DEBUG=1 and --allow-env=COFFER_DEBUG, and report it",
    cause: error,
  });
}

/** The flag that the runtime asks for, with the folder where its message names a path. */
function missingFlag(message: string): string {
  const flag = /--allow-[a-z]+/.exec(message)?.[0];
  const path = /^Requires (?:read|write) access to "([^"]+)"/.exec(message)?.[1];
  if (flag === undefined) return "a permission";
  return path === undefined || !/read|write/.test(flag) ? flag : `${flag}=${folderOf(path)}`;
}

function label(word: string, colour: string): string {
  return Deno.stderr.isTerminal() && !Deno.noColor
    ? `\x1b[1mcoffer: \x1b[${colour}m${word}:\x1b[0m`
    : `coffer: ${word}:`;
}
