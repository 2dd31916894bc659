/**
 * The parser: explains what it can not run, in help texts and in errors that know what was meant.
 *
 * What is called as its definition says is run without it (`call.ts`): loading it and building all commands takes a
 * process longer than to open a vault and read a secret.
 *
 * @module
 */
import {
  type Application,
  ArgumentParseError,
  buildApplication,
  buildCommand,
  buildRouteMap,
  type Command as ParserCommand,
  type CommandContext,
  FlagNotFoundError,
  type RouteMap,
  run,
  text_en,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";
import { CofferError, UsageError } from "../errors.ts";
import { settledFlags } from "./call.ts";
import { type Command, type Example, type Group, isGroup } from "./define.ts";
import { flagName } from "./flags.ts";

/**
 * Hands the inputs to the parser, which runs the command; returns the help text that was asked for, if any.
 * Whatever went wrong is thrown as it was: the parser's own way of reporting is put aside.
 */
export async function parse(root: Group, inputs: readonly string[]): Promise<string> {
  const failures: unknown[] = [];
  let help = "";
  const keep = (error: unknown) => {
    failures.push(error);
    return "";
  };
  await run(application(await buildGroup(root), keep, inputs), inputs, {
    process: {
      stdout: { write: (text) => void (help += text) },
      stderr: { write: () => {} },
    },
  });
  if (failures.length > 0) throw failures[0];
  return help;
}

function application(
  root: RouteMap<CommandContext>,
  keep: (error: unknown) => string,
  inputs: readonly string[],
): Application<CommandContext> {
  return buildApplication(root, {
    name: "coffer",
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    documentation: { onlyRequiredInUsageLine: true, disableAnsiColor: true },
    localization: {
      text: {
        ...text_en,
        noCommandRegisteredForInput: ({ input, corrections }) => keep(unknownCommand(input, corrections)),
        exceptionWhileParsingArguments: (error) => keep(asUsageError(error, inputs[0])),
        exceptionWhileLoadingCommandFunction: keep,
        exceptionWhileLoadingCommandContext: keep,
        exceptionWhileRunningCommand: keep,
        exceptionWhileRunningIntegrationFlag: ({ exception }) => keep(exception),
        exceptionWhileRunningIntegrationHook: ({ exception }) => keep(exception),
      },
    },
  });
}

async function buildGroup({ brief, targets, standard }: Group): Promise<RouteMap<CommandContext>> {
  const entries = await Promise.all(
    Object.entries(targets).map(async ([name, load]) => {
      const target = await load();
      return [name, isGroup(target) ? await buildGroup(target) : build(target)] as const;
    }),
  );
  return buildRouteMap({
    routes: Object.assign(Object.create(null), Object.fromEntries(entries)),
    aliases: Object.create(null),
    ...(standard === undefined ? {} : { defaultCommand: standard }),
    docs: { brief },
  });
}

function build({ brief, description, examples, flags, positional, run }: Command): ParserCommand<CommandContext> {
  const built = buildCommand<Readonly<Record<string, unknown>>, readonly unknown[]>({
    func: (given, ...args) => run(settledFlags(flags, given), args),
    parameters: { flags: flags as never, positional: positional as never },
    docs: { brief, fullDescription: description },
  });
  return { ...built, formatHelp: (args) => built.formatHelp(args) + examplesText(examples) };
}

/** The examples, as the parser lays out the other parts of a help text. */
function examplesText(examples: readonly Example[]): string {
  const width = Math.max(...examples.map(([line, what]) => what === undefined ? 0 : line.length));
  const lines = examples.map(([line, what]) => what === undefined ? line : `${line.padEnd(width)}  ${what}`);
  return ["", "EXAMPLES", ...lines.map((line) => `  ${line}`)].map((line) => `${line}\n`).join("");
}

function unknownCommand(input: string, corrections: readonly string[]): UsageError {
  return new UsageError(`Unknown command "${input}"`, {
    hint: corrections.length > 0 ? `Did you mean ${corrections.join(" or ")}?` : "Run `coffer help`",
  });
}

/** The parser's errors in coffer's words. What was typed stays out: it may be a value in the wrong place. */
function asUsageError(error: unknown, command: string | undefined): unknown {
  if (error instanceof ArgumentParseError) {
    return error.exception instanceof CofferError ? error.exception : error;
  }
  if (error instanceof FlagNotFoundError) {
    return new UsageError(`Unknown flag --${error.input}`, {
      ...(error.corrections.length > 0
        ? { hint: `Did you mean ${error.corrections.map(flagName).join(" or ")}?` }
        : {}),
    });
  }
  if (error instanceof UnexpectedFlagError) {
    return new UsageError(`--${error.externalFlagName} was given more than once`);
  }
  if (error instanceof UnexpectedPositionalError) {
    return new UsageError(`Too many arguments, expected ${error.expectedCount}`, {
      ...(command === "set" ? { hint: "A value is no argument: use the prompt, --stdin, --file or --value" } : {}),
    });
  }
  if (error instanceof UnsatisfiedPositionalError) {
    return new UsageError(`Missing argument ${error.placeholder}`);
  }
  if (error instanceof UnsatisfiedFlagError) return new UsageError(`--${error.externalFlagName} needs a value`);
  return error;
}
