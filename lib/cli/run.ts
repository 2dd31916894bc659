/**
 * `coffer run -- COMMAND`: a command with secrets in its environment.
 *
 * @module
 */
import { assign, type Assignment, variableFor } from "../exchange/variable_names.ts";
import type { GlobalFlags } from "./flags.ts";
import { prepareOpening } from "./open.ts";
import { readSecrets, type Values } from "./read_secrets.ts";
import { checkMayRun, type Run, runCommand } from "./run/child.ts";
import { checkMayKeep, environmentWith, filledVariables } from "./run/environment.ts";
import { namesAsked, prepareRequest, type Request, type RequestFlags } from "./run/request.ts";
import { dieOf, SignalPass } from "./run/signals.ts";

/** Flags of `run`. */
export interface RunFlags extends GlobalFlags, RequestFlags {
  /** Whether values are masked in what it prints. */
  readonly redact: boolean;
}

/** Runs a command; this process ends as it does. */
export default async function run(flags: RunFlags, program: string, ...args: readonly string[]): Promise<void> {
  const command: Run["command"] = [program, ...args];
  checkMayRun(command);
  if (flags.cleanEnv) checkMayKeep();
  const request = await prepareRequest(flags);
  const { values, below } = await readValues(flags, request);
  const { code, signal } = await runWith(flags, request, below, values, command);
  if (signal !== null) await dieOf(signal);
  Deno.exitCode = code;
}

/** The values, and the variables for those that the flags do not name one by one. The vault is closed afterwards. */
async function readValues(flags: RunFlags, request: Request): Promise<{ values: Values; below: Assignment }> {
  const asked = namesAsked(request);
  let below: Assignment = new Map();
  // Variables without a reference, as a file may hold, need no vault.
  if (asked.length === 0 && request.paths.length === 0) return { values: new Map(), below };
  const { variables, files, paths, prefix } = request;
  const values = await readSecrets(prepareOpening(flags), (secrets) => {
    const missing: string[] = [];
    for (const path of paths) {
      const names = secrets.list({ prefix: `${path}/` }).map(({ name }) => name).filter((name) => name !== `${path}/`);
      if (names.length === 0) missing.push(`${path}/**`);
      // A variable that a flag assigns by its name is not assigned here, and what it would have held is not read.
      const left = names.map((name) => ({ name, variable: variableFor(name, path, prefix) }))
        .filter(({ variable }) => !variables.has(variable) && !files.has(variable));
      below = assign(below, left);
    }
    return { names: [...asked, ...below.values()], missing };
  });
  return { values, below };
}

async function runWith(
  flags: RunFlags,
  request: Request,
  below: Assignment,
  values: Values,
  command: Run["command"],
): Promise<Deno.CommandStatus> {
  const variables = new Map(filledVariables(request, below, values));
  // What few runs need is loaded only then: it would make every command start later.
  const mask = flags.redact ? (await import("./run/mask.ts")).maskFor(values) : undefined;
  const { PrivateFolder } = request.files.size > 0 ? await import("./private_folder.ts") : {};
  using signals = new SignalPass();
  // From here to the start of the command nothing gives way to other work: a signal that comes in this moment, before
  // anyone listens, can leave the folder to the next run.
  using folder = PrivateFolder?.make();
  for (const [variable, name] of request.files) variables.set(variable, folder!.write(variable, values.get(name)!));
  return await runCommand({
    command,
    environment: environmentWith(variables, flags.cleanEnv),
    ...(request.stdin === undefined ? {} : { stdin: values.get(request.stdin)! }),
    ...(mask === undefined ? {} : { mask }),
  }, signals);
}
