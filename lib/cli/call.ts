/**
 * Running a command that is called as its definition says.
 *
 * @module
 */
import { CofferError } from "../errors.ts";
import type { Call } from "./arguments.ts";
import type { Command, Positionals } from "./define.ts";

/**
 * Runs a command, when what it is given has the form of its flags and arguments.
 *
 * @returns false, with nothing done, when it has not: the parser says why
 */
export async function runCall({ command, flags, args }: Call): Promise<boolean> {
  const given: Record<string, unknown> = {};
  let values: readonly unknown[] | undefined;
  try {
    values = await parseArguments(command.positional, args);
    for (const [name, inputs] of flags) {
      const flag = command.flags[name]!;
      if (flag.kind === "boolean") given[name] = true;
      else if ("variadic" in flag) given[name] = await Promise.all(inputs.map(flag.parse));
      else if (inputs.length > 1) return false;
      else given[name] = await flag.parse(inputs[0]!);
    }
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    return false;
  }
  if (values === undefined) return false;
  await command.run(settledFlags(command.flags, given), values);
  return true;
}

/** All flags of a command: a toggle that was not given is false, any other is undefined. */
export function settledFlags(
  flags: Command["flags"],
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, { kind }]) => [name, given[name] ?? (kind === "boolean" ? false : undefined)]),
  );
}

/** The values of arguments; undefined when there are too few or too many. */
async function parseArguments(
  positional: Positionals,
  args: readonly string[],
): Promise<readonly unknown[] | undefined> {
  if (positional.kind === "array") {
    if (args.length < (positional.minimum ?? 0)) return undefined;
    return await Promise.all(args.map((text) => positional.parameter.parse(text)));
  }
  const { parameters } = positional;
  if (args.length > parameters.length) return undefined;
  if (parameters.some(({ optional }, index) => !optional && index >= args.length)) return undefined;
  return await Promise.all(parameters.map(({ parse }, index) => index < args.length ? parse(args[index]!) : undefined));
}
