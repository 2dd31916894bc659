/**
 * Help as JSON, for programs that build on the command line: editors, wrappers, completions of other shells.
 *
 * @module
 */
import type { Command, CommandContext, RouteMap } from "@stricli/core";
import { COMMANDS } from "./commands.ts";
import { flagName, type Repeated, type Toggle, type Valued } from "./flags.ts";

type Target = Command<CommandContext> | RouteMap<CommandContext>;
type Positional = Command<CommandContext>["parameters"]["positional"];

/** Help for a program or for a group of commands, such as `slot`. */
export interface GroupHelp {
  /** The words of the group; missing for the program itself. */
  readonly command?: string;
  /** How it is called. */
  readonly usage: string;
  /** What it does. */
  readonly brief: string;
  /** Every command in it, by all words of its name. */
  readonly commands: readonly { readonly name: string; readonly brief: string }[];
}

/** Help for one command. */
export interface CommandHelp {
  /** All words of its name. */
  readonly command: string;
  /** How it is called, flags left out. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly brief: string;
  /** What it does, as the text form says it. */
  readonly description: string;
  /** What stands behind the name, in order. */
  readonly arguments: readonly ArgumentHelp[];
  /** Its flags, those of every command among them. */
  readonly flags: readonly FlagHelp[];
}

/** One argument of a command. */
export interface ArgumentHelp {
  /** What usage lines call it. */
  readonly name: string;
  /** What it is. */
  readonly brief: string;
  /** Whether it can be left out. */
  readonly optional: boolean;
  /** Whether any number of them may follow. */
  readonly repeated: boolean;
}

/** One flag of a command. */
export interface FlagHelp {
  /** The flag as it is typed, such as `--out`. */
  readonly name: string;
  /** What it does. */
  readonly brief: string;
  /** What its value is called; missing for a flag that takes none. */
  readonly value?: string;
  /** Whether it may be given several times. */
  readonly repeated: boolean;
}

/** The help that the words of a command ask for; words behind a command's name are passed over. */
export function helpDocument(words: readonly string[]): GroupHelp | CommandHelp {
  const route: string[] = [];
  let target: Target = COMMANDS;
  for (const word of words) {
    if (!isGroup(target)) break;
    const next: Target | undefined = target.getRoutingTargetForInput(word);
    if (next === undefined) break;
    route.push(word);
    target = next;
  }
  return isGroup(target) ? groupHelp(target, route) : commandHelp(target, route);
}

function groupHelp(target: RouteMap<CommandContext>, route: readonly string[]): GroupHelp {
  return {
    ...(route.length === 0 ? {} : { command: route.join(" ") }),
    usage: ["coffer", ...route, "<COMMAND>"].join(" "),
    brief: firstLine(target.brief),
    commands: [...leaves(target, route)].map(([name, { brief }]) => ({ name, brief })),
  };
}

function commandHelp(
  { brief, fullDescription, parameters }: Command<CommandContext>,
  route: readonly string[],
): CommandHelp {
  const words = argumentsOf(parameters.positional);
  const usage = words.map(({ name, optional, repeated }) =>
    `${optional ? `[<${name}>]` : `<${name}>`}${repeated ? "..." : ""}`
  );
  const flags = Object.entries((parameters.flags ?? {}) as Readonly<Record<string, Toggle | Valued<unknown>>>);
  return {
    command: route.join(" "),
    usage: ["coffer", ...route, ...usage].join(" "),
    brief,
    description: fullDescription ?? brief,
    arguments: words,
    flags: flags.map(([name, flag]) => flagHelp(name, flag)),
  };
}

function flagHelp(name: string, flag: Toggle | Valued<unknown> | Repeated<unknown>): FlagHelp {
  const shared = { name: flagName(name), repeated: "variadic" in flag };
  if (flag.kind === "boolean") return { ...shared, brief: flag.brief };
  // The text form has no column for what a value is called, so there it begins the brief.
  return { ...shared, brief: flag.brief.slice(`${flag.placeholder}: `.length), value: flag.placeholder };
}

function argumentsOf(positional: Positional): readonly ArgumentHelp[] {
  if (positional === undefined) return [];
  const repeated = positional.kind === "array";
  const parameters = positional.kind === "array" ? [positional.parameter] : positional.parameters;
  return parameters.map(({ placeholder = "ARGUMENT", brief, optional = false }) => ({
    name: placeholder,
    brief,
    optional,
    repeated,
  }));
}

function* leaves(
  target: RouteMap<CommandContext>,
  route: readonly string[],
): Generator<readonly [string, Command<CommandContext>]> {
  for (const { name, target: next } of target.getAllEntries()) {
    const words = [...route, name.original];
    if (isGroup(next)) yield* leaves(next, words);
    else yield [words.join(" "), next];
  }
}

function isGroup(target: Target): target is RouteMap<CommandContext> {
  return "getAllEntries" in target;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}
