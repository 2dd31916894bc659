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
import { HINT_OF_RUN } from "./arguments.ts";
import { flagName } from "./flags.ts";
import { layOutHelp } from "./help_layout.ts";
import { meaning } from "./near_names.ts";
import { columns } from "./transient.ts";

/** Where what was given as an argument goes, by command. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["set", "A value is no argument: use the prompt, --stdin, --file or --value"],
  ["inject", "Name the file of the template with --in, or -i"],
  ["session verify", "A token is no argument: give it on stdin, or its file with --file"],
  ["session revoke", "A token is no argument: give it on stdin, or its file with --file"],
  ["key check", "A key is no argument: give it on stdin, or its file with --file"],
]);

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
  await run(application(await buildGroup(root), keep, inputs, await namesBeside(root, inputs)), inputs, {
    process: {
      stdout: { write: (text) => void (help += text) },
      stderr: { write: () => {} },
    },
  });
  if (failures.length > 0) throw failures[0];
  return layOutHelp(help, Deno.stdout.isTerminal() ? columns() : Infinity);
}

function application(
  root: RouteMap<CommandContext>,
  keep: (error: unknown) => string,
  inputs: readonly string[],
  siblings: readonly string[],
): Application<CommandContext> {
  return buildApplication(root, {
    name: "coffer",
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    documentation: { onlyRequiredInUsageLine: true, disableAnsiColor: true },
    localization: {
      text: {
        ...text_en,
        noCommandRegisteredForInput: ({ input, corrections }) => keep(unknownCommand(input, corrections, siblings)),
        exceptionWhileParsingArguments: (error) => keep(asUsageError(error, inputs)),
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

/** Words of other programs for what coffer has, in the order in which they may be meant. */
const OTHER_WORDS: Readonly<Record<string, readonly string[]>> = Object.assign(Object.create(null), {
  list: ["ls"],
  delete: ["rm", "revoke"],
  del: ["rm", "revoke"],
  remove: ["rm", "revoke"],
  add: ["set"],
  put: ["set"],
  create: ["init", "add", "new"],
  new: ["init", "add"],
  rename: ["mv"],
  move: ["mv"],
  show: ["get"],
  read: ["get"],
  cat: ["get"],
  search: ["find"],
  exec: ["run"],
  version: ["--version"],
});

function unknownCommand(input: string, corrections: readonly string[], siblings: readonly string[]): UsageError {
  const other = OTHER_WORDS[input]?.find((word) => siblings.includes(word));
  const meant = other === undefined ? corrections : [other];
  return new UsageError(`Unknown command "${input}"`, {
    hint: meant.length > 0 ? meaning(meant) : "Run `coffer help`",
  });
}

/** The names beside the last word of a route that ends at a name that is not there. */
async function namesBeside(root: Group, route: readonly string[]): Promise<readonly string[]> {
  let target: Command | Group = root;
  for (const word of route) {
    const load: (() => Promise<Command | Group>) | undefined = isGroup(target) ? target.targets[word] : undefined;
    if (load === undefined) break;
    target = await load();
  }
  return isGroup(target) ? [...Object.keys(target.targets), ...(target === root ? ["--version"] : [])] : [];
}

/** The parser's errors in coffer's words. What was typed stays out: it may be a value in the wrong place. */
function asUsageError(error: unknown, inputs: readonly string[]): unknown {
  const hint = usualHint(error, inputs);
  if (error instanceof ArgumentParseError) {
    return error.exception instanceof CofferError ? namingFlag(error.exception, error) : error;
  }
  if (error instanceof FlagNotFoundError) {
    return new UsageError(`Unknown flag --${error.input}`, {
      ...(error.corrections.length > 0 ? { hint: meaning(error.corrections.map(flagName)) } : hint),
    });
  }
  if (error instanceof UnexpectedFlagError) {
    return new UsageError(`--${error.externalFlagName} was given more than once`);
  }
  if (error instanceof UnexpectedPositionalError) {
    return new UsageError(`Too many arguments, expected ${error.expectedCount}`, {
      ...hint,
    });
  }
  if (error instanceof UnsatisfiedPositionalError) {
    return new UsageError(`Missing argument ${error.placeholder}`);
  }
  if (error instanceof UnsatisfiedFlagError) return new UsageError(`--${error.externalFlagName} needs a value`);
  return error;
}

/** What those often forget who type what a command does not take. */
function usualHint(error: unknown, [command, second]: readonly string[]): { readonly hint?: string } {
  if (error instanceof FlagNotFoundError) return command === "run" ? { hint: HINT_OF_RUN } : {};
  const hint = HINTS.get(`${command}`) ?? HINTS.get(`${command} ${second}`);
  return hint === undefined ? {} : { hint };
}

/** The error with the flag in it, where it says what its value must be: a placeholder alone may stand behind several. */
function namingFlag(error: CofferError, { externalFlagNameOrPlaceholder: name }: ArgumentParseError): CofferError {
  const rest = /^[A-Z]+( must be .*)$/s.exec(error.message)?.[1];
  if (!(error instanceof UsageError) || rest === undefined || !/^[a-z]/.test(name)) return error;
  return new UsageError(`${flagName(name)}${rest}`, { hint: error.hint, cause: error });
}
