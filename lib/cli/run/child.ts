/**
 * The command itself: started, fed, listened to, waited for.
 *
 * @module
 */
import { encodeUtf8 } from "../../bytes.ts";
import { InputOutputError, MissingPermissionError } from "../../errors.ts";
import { CommandNotExecutableError, CommandNotFoundError, EnvironmentTooLargeError } from "../../exchange/errors.ts";
import { statusOf } from "../child_status.ts";
import type { Environment } from "./environment.ts";
import type { Mask } from "./mask.ts";
import type { SignalPass } from "./signals.ts";

/** A command, and how it is run. */
export interface Run {
  /** The program, and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly environment: Environment;
  /** What its stdin holds; this process's own stdin without it. */
  readonly stdin?: Uint8Array;
  /** Masks its output; without it the output is not looked at. */
  readonly mask?: Mask;
}

/**
 * Refuses a command that may not be run, or is not there, before anything else is asked for. What it may run is found
 * only by starting it.
 *
 * @throws {MissingPermissionError} @throws {CommandNotFoundError}
 */
export function checkMayRun([program, ...args]: Run["command"]): void {
  if (Deno.permissions.querySync({ name: "run", command: program }).state === "granted") return;
  try {
    // Without the permission nothing starts; what the runtime says instead tells what is missing, permission or program.
    new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn().kill("SIGKILL");
  } catch (error) {
    throw asRunError(error, program);
  }
  throw notPermitted(program);
}

/**
 * Starts a command and waits for its end, and for the end of what it prints when that is masked. It is started in the
 * same turn in which this is called.
 *
 * @throws {CommandNotFoundError} @throws {CommandNotExecutableError} @throws {MissingPermissionError}
 * @throws {EnvironmentTooLargeError} @throws {InputOutputError}
 */
export async function runCommand(run: Run, signals: SignalPass): Promise<Deno.CommandStatus> {
  const child = start(run);
  signals.attach(child);
  // What does not read its stdin to the end is no failure, and nothing to wait for.
  if (run.stdin !== undefined) void feed(child.stdin, run.stdin);
  if (run.mask === undefined) return await statusOf(child);
  // As in a pipe, what the command left running may go on printing; a signal ends the wait for it.
  const passed = run.mask.pass(child);
  const [status] = await Promise.all([statusOf(child), Promise.race([passed, signals.abandoned])]);
  return status;
}

function start({ command: [program, ...args], environment, stdin, mask }: Run): Deno.ChildProcess {
  const output = mask === undefined ? "inherit" : "piped";
  try {
    return new Deno.Command(program, {
      args,
      ...environment,
      stdin: stdin === undefined ? "inherit" : "piped",
      stdout: output,
      stderr: output,
    }).spawn();
  } catch (error) {
    throw asRunError(error, program, environment);
  }
}

function asRunError(error: unknown, program: string, environment?: Environment): unknown {
  if (error instanceof Deno.errors.NotCapable) {
    // The loader's own variables make a program run other code: the runtime wants a permission for every program then.
    return /\b(?:LD|DYLD)_/.test(error.message)
      ? new MissingPermissionError("--allow-run", `run "${program}" with variables of the loader (LD_…, DYLD_…)`, {
        cause: error,
        hint: "Take these variables away, or run deno with --allow-run for every program",
      })
      : notPermitted(program, error);
  }
  const code = (error as { readonly code?: unknown } | null)?.code;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new CommandNotFoundError(program, { cause: error });
    case "EACCES":
    case "EPERM":
    case "ENOEXEC":
    case "EISDIR":
      return new CommandNotExecutableError(program, { cause: error });
    case "E2BIG":
      return tooLarge(environment?.env ?? {}, error);
    default:
      if (error instanceof Deno.errors.NotFound) return new CommandNotFoundError(program, { cause: error });
      return new InputOutputError("run", program, { cause: error });
  }
}

function notPermitted(program: string, cause?: unknown): MissingPermissionError {
  return new MissingPermissionError(`--allow-run=${program}`, `run "${program}"`, cause === undefined ? {} : { cause });
}

function tooLarge(env: Readonly<Record<string, string>>, cause: unknown): EnvironmentTooLargeError {
  const sizes = Object.entries(env)
    .map(([variable, value]) => ({ variable, size: encodeUtf8(`${variable}=${value}`).length + 1 }))
    .sort((a, b) => b.size - a.size);
  const total = sizes.reduce((sum, { size }) => sum + size, 0);
  return new EnvironmentTooLargeError(total, sizes[0]?.variable ?? "none", { cause });
}

async function feed(stdin: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  try {
    const writer = stdin.getWriter();
    await writer.write(bytes);
    await writer.close();
  } catch { /* It closed its stdin, or is gone. */ }
}
