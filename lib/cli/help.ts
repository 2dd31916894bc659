/**
 * Help as JSON, for programs that build on the command line: editors, wrappers, completions of other shells.
 *
 * @module
 */
import { COMMANDS } from "./commands.ts";
import { type Command, type Flag, type Group, isGroup, type Positionals, type Target } from "./define.ts";
import { flagName } from "./flags.ts";

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
  /** How it is used. */
  readonly examples: readonly ExampleHelp[];
}

/** A line that calls a command. */
export interface ExampleHelp {
  /** The line as it is typed in a shell. */
  readonly line: string;
  /** What it does; missing where the line says it. */
  readonly brief?: string;
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
export async function helpDocument(words: readonly string[]): Promise<GroupHelp | CommandHelp> {
  const route: string[] = [];
  let target: Target = COMMANDS;
  for (const word of words) {
    if (!isGroup(target)) break;
    const load: (() => Promise<Target>) | undefined = target.targets[word];
    if (load === undefined) break;
    route.push(word);
    target = await load();
  }
  return isGroup(target) ? await groupHelp(target, route) : commandHelp(target, route);
}

async function groupHelp(target: Group, route: readonly string[]): Promise<GroupHelp> {
  const commands: { name: string; brief: string }[] = [];
  for await (const [name, { brief }] of leaves(target, route)) commands.push({ name, brief });
  return {
    ...(route.length === 0 ? {} : { command: route.join(" ") }),
    usage: ["coffer", ...route, "<COMMAND>"].join(" "),
    brief: firstLine(target.brief),
    commands,
  };
}

/** Help for one command, by the words of its name. */
export function commandHelp(
  { brief, description, examples, flags, positional }: Command,
  route: readonly string[],
): CommandHelp {
  const words = argumentsOf(positional);
  const usage = words.map(({ name, optional, repeated }) =>
    `${optional ? `[<${name}>]` : `<${name}>`}${repeated ? "..." : ""}`
  );
  return {
    command: route.join(" "),
    usage: ["coffer", ...route, ...usage].join(" "),
    brief,
    description,
    arguments: words,
    flags: Object.entries(flags).map(([name, flag]) => flagHelp(name, flag)),
    examples: examples.map(([line, brief]) => ({ line, ...(brief === undefined ? {} : { brief }) })),
  };
}

/** Help for one flag, by its name in code. */
export function flagHelp(name: string, flag: Flag): FlagHelp {
  const shared = { name: flagName(name), repeated: "variadic" in flag };
  if (flag.kind === "boolean") return { ...shared, brief: flag.brief };
  // The text form has no column for what a value is called, so there it begins the brief.
  return { ...shared, brief: flag.brief.slice(`${flag.placeholder}: `.length), value: flag.placeholder };
}

function argumentsOf(positional: Positionals): readonly ArgumentHelp[] {
  const repeated = positional.kind === "array";
  const parameters = positional.kind === "array" ? [positional.parameter] : positional.parameters;
  const none = positional.kind === "array" && (positional.minimum ?? 0) === 0;
  return parameters.map(({ placeholder = "ARGUMENT", brief, optional = none }) => ({
    name: placeholder,
    brief,
    optional,
    repeated,
  }));
}

/** Every command of a group, the groups in it included, by all words of its name. */
export async function* leaves(group: Group, route: readonly string[] = []): AsyncGenerator<readonly [string, Command]> {
  for (const [name, load] of Object.entries(group.targets)) {
    const words = [...route, name];
    const target = await load();
    if (isGroup(target)) yield* leaves(target, words);
    else yield [words.join(" "), target];
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}
