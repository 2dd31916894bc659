/**
 * How a command is defined: flags, arguments and help here, what it does in a module of its own.
 *
 * A definition is plain data. The parser, which is slower to load than a vault is to open, gets it only where something
 * is to be explained: see `parser.ts`.
 *
 * @module
 */
import type { CommandContext, TypedCommandPositionalParameters } from "@stricli/core";
import {
  type FlagsOf,
  GLOBAL_FLAGS,
  type GlobalFlags,
  type Proposal,
  type Repeated,
  type Toggle,
  type Valued,
} from "./flags.ts";

/** A line as a user types it in a shell, and what it does where that is not obvious. */
export type Example = readonly [line: string, what?: string];

/** A command as it is written down. */
export interface Definition<FLAGS extends GlobalFlags, ARGS extends readonly unknown[]> {
  readonly brief: string;
  /** What help says below the usage. */
  readonly description: string;
  /** What is worth typing, the plainest first. Tests hold each line against the flags and arguments. */
  readonly examples: readonly [Example, ...Example[]];
  readonly load: () => Promise<{ readonly default: (flags: FLAGS, ...args: ARGS) => Promise<void> }>;
  readonly flags: FlagsOf<Omit<FLAGS, keyof GlobalFlags>>;
  readonly positional: TypedCommandPositionalParameters<ARGS, CommandContext>["positional"];
}

/** A flag of any command. */
export type Flag = Toggle | Valued<unknown> | Repeated<unknown>;

/** What stands behind a command's name. */
export interface Positional {
  readonly brief: string;
  readonly placeholder?: string;
  readonly optional?: boolean;
  /** What completion offers. */
  readonly proposes?: Proposal;
  readonly parse: (input: string) => unknown;
}

/** What stands behind a command's name, in order: a few arguments, or any number of one kind. */
export type Positionals =
  | { readonly kind: "tuple"; readonly parameters: readonly Positional[] }
  | { readonly kind: "array"; readonly parameter: Positional; readonly minimum?: number };

/** A command, whatever its flags and arguments are. */
export interface Command {
  readonly brief: string;
  readonly description: string;
  readonly examples: readonly Example[];
  /** Its flags and those of every command, by their names in code. Without a prototype: names come from users. */
  readonly flags: Readonly<Record<string, Flag>>;
  readonly positional: Positionals;
  /** Runs it. */
  readonly run: (flags: Readonly<Record<string, unknown>>, args: readonly unknown[]) => Promise<void>;
}

/** A group of commands. */
export interface Group {
  readonly brief: string;
  /** What is in it, by name, in the order of help. Without a prototype. */
  readonly targets: Readonly<Record<string, () => Promise<Target>>>;
  /** Name of the command that the name of the group alone means. */
  readonly standard?: string;
}

/** What a name stands for. */
export type Target = Command | Group;

/** A command whose module is loaded when it runs. */
export function command<FLAGS extends GlobalFlags, ARGS extends readonly unknown[]>(
  definition: Definition<FLAGS, ARGS>,
): Command {
  const { brief, description, examples, load, flags, positional } = definition;
  return {
    brief,
    description,
    examples,
    flags: Object.assign(Object.create(null), flags, GLOBAL_FLAGS),
    positional: positional as Positionals,
    run: async (given, args) => {
      const flags = given as unknown as FLAGS;
      const { default: run } = await load();
      if (flags.verbose || flags.logFormat !== undefined) {
        const { startLog } = await import("./log.ts");
        await startLog(flags);
      }
      await run(flags, ...args as unknown as ARGS);
    },
  };
}

/** A group of commands, and where there is one the command that the name of the group alone means. */
export function routes(brief: string, targets: Readonly<Record<string, Target>>, standard?: string): Group {
  const all = Object.entries(targets).map(([name, target]) => [name, () => Promise.resolve(target)] as const);
  return lazyRoutes(brief, Object.fromEntries(all), standard);
}

/** A group of commands whose definitions are loaded one by one. */
export function lazyRoutes(brief: string, targets: Group["targets"], standard?: string): Group {
  const own = Object.assign(Object.create(null), targets);
  return { brief, targets: own, ...(standard === undefined ? {} : { standard }) };
}

/** Whether a name stands for a group. */
export function isGroup(target: Target): target is Group {
  return "targets" in target;
}

/** What completion offers for an argument; to be spread into it. */
export function proposing(proposes: Proposal): { readonly proposes: Proposal } {
  return { proposes };
}

/** For commands without arguments. */
export function none(): { kind: "tuple"; parameters: readonly [] } {
  return { kind: "tuple", parameters: [] };
}
