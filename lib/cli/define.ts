/**
 * How a command is defined: flags, arguments and help here, what it does in a module of its own.
 *
 * @module
 */
import {
  buildCommand,
  buildRouteMap,
  type Command,
  type CommandContext,
  type RouteMap,
  type TypedCommandPositionalParameters,
} from "@stricli/core";
import { type FlagsOf, GLOBAL_FLAGS, type GlobalFlags } from "./flags.ts";

/** A command before the parser knows it. */
export interface Definition<FLAGS extends GlobalFlags, ARGS extends readonly unknown[]> {
  readonly brief: string;
  /** What help says below the usage. */
  readonly description: string;
  readonly load: () => Promise<{ readonly default: (flags: FLAGS, ...args: ARGS) => Promise<void> }>;
  readonly flags: FlagsOf<Omit<FLAGS, keyof GlobalFlags>>;
  readonly positional: TypedCommandPositionalParameters<ARGS, CommandContext>["positional"];
}

/** A command whose module is loaded when it runs. */
export function command<FLAGS extends GlobalFlags, ARGS extends readonly unknown[]>(
  definition: Definition<FLAGS, ARGS>,
): Command<CommandContext> {
  const { brief, description, load, flags, positional } = definition;
  // Names come from the command line: what every object inherits must not be found.
  const all: Readonly<Record<string, { readonly kind: string }>> = Object.assign(
    Object.create(null),
    flags,
    GLOBAL_FLAGS,
  );
  return buildCommand<Readonly<Record<string, unknown>>, readonly unknown[]>({
    loader: async () => {
      const { default: run } = await load();
      return async (given, ...args) => {
        const flags = withToggles(given, all) as FLAGS;
        if (flags.verbose || flags.logFormat !== undefined) {
          const { startLog } = await import("./log.ts");
          await startLog(flags);
        }
        await run(flags, ...args as unknown as ARGS);
      };
    },
    parameters: {
      flags: all as never,
      positional: positional as never,
    },
    docs: { brief, fullDescription: description },
  });
}

/** Toggles that were not given are false; to the parser they are optional, so that the usage line stays short. */
function withToggles(
  given: Readonly<Record<string, unknown>>,
  all: Readonly<Record<string, { kind: string }>>,
): unknown {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, value ?? (all[name]?.kind === "boolean" ? false : undefined)]),
  );
}

/** A group of commands, and where there is one the command that the name of the group alone means. */
export function routes(
  brief: string,
  targets: Readonly<Record<string, Command<CommandContext> | RouteMap<CommandContext>>>,
  defaultCommand?: string,
): RouteMap<CommandContext> {
  return buildRouteMap({
    routes: Object.assign(Object.create(null), targets),
    aliases: Object.create(null),
    ...(defaultCommand === undefined ? {} : { defaultCommand }),
    docs: { brief },
  });
}

/** For commands without arguments. */
export function none(): { kind: "tuple"; parameters: readonly [] } {
  return { kind: "tuple", parameters: [] };
}
