/**
 * Parses, finds the command and runs it; answers with an exit code whatever happens.
 *
 * @module
 */
import {
  type Application,
  ArgumentParseError,
  buildApplication,
  type CommandContext,
  FlagNotFoundError,
  run,
  text_en,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";
import { CofferError, UsageError } from "../errors.ts";
import { arrange, wantsJson } from "./arguments.ts";
import { COMMANDS } from "./commands.ts";
import { writeErr, writeJson, writeOut } from "./output.ts";
import { report } from "./report.ts";

/** Runs the command that the arguments ask for. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const request = arrange(args, COMMANDS);
    switch (request.kind) {
      case "version":
        await printVersion(wantsJson(args));
        break;
      case "help":
        await printHelp(request.inputs, wantsJson(args));
        break;
      case "incomplete":
        if (!wantsJson(args)) writeErr(`${await parse(request.inputs)}\n`);
        throw new UsageError("No command was given", { hint: "Run `coffer help`" });
      case "run":
        await parse(request.inputs);
    }
    // What a command that was run for somebody ended with; 0 otherwise.
    return Deno.exitCode;
  } catch (error) {
    return report(error, wantsJson(args));
  }
}

async function printVersion(json: boolean): Promise<void> {
  const { VERSION } = await import("./version.ts");
  if (json) await writeJson({ version: VERSION });
  else await writeOut(`${VERSION}\n`);
}

async function printHelp(inputs: readonly string[], json: boolean): Promise<void> {
  // The parser is asked for JSON too: it knows which commands there are, and refuses the others.
  const text = await parse(inputs);
  if (!json) return await writeOut(text);
  const { helpDocument } = await import("./help.ts");
  await writeJson(helpDocument(inputs.slice(0, -1)));
}

/**
 * Hands the inputs to the parser, which runs the command; returns the help text that was asked for, if any.
 * Whatever went wrong is thrown as it was: the parser's own way of reporting is put aside.
 */
async function parse(inputs: readonly string[]): Promise<string> {
  const failures: unknown[] = [];
  let help = "";
  const keep = (error: unknown) => {
    failures.push(error);
    return "";
  };
  await run(application(keep, inputs), inputs, {
    process: {
      stdout: { write: (text) => void (help += text) },
      stderr: { write: () => {} },
    },
  });
  if (failures.length > 0) throw failures[0];
  return help;
}

function application(keep: (error: unknown) => string, inputs: readonly string[]): Application<CommandContext> {
  return buildApplication(COMMANDS, {
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
        ? { hint: `Did you mean ${error.corrections.map((name) => `--${name}`).join(" or ")}?` }
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
