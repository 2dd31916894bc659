/**
 * Arguments as users write them, brought into the one order that the parser takes: command, flags, arguments.
 *
 * @module
 */
import type { Command, CommandContext, RouteMap } from "@stricli/core";
import { UsageError } from "../errors.ts";
import { flagName, GLOBAL_FLAGS, type Toggle, VALUE_MARK, type Valued } from "./flags.ts";

/** What the arguments ask for. */
export type Request =
  | { readonly kind: "run" | "help"; readonly inputs: readonly string[] }
  | { readonly kind: "version" }
  /** No command, or only the first half of one. */
  | { readonly kind: "incomplete"; readonly inputs: readonly string[] };

type Flags = Readonly<Record<string, Toggle | Valued<unknown>>>;
type Target = Command<CommandContext> | RouteMap<CommandContext>;

/** Whether the arguments ask for JSON, as far as can be said without parsing them: also wrong ones get their answer. */
export function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).includes("--json");
}

/**
 * Finds the command, moves flags that stand before its name behind it, and marks the values of flags.
 *
 * @throws {UsageError} for flags that cannot be, and for values that are missing
 */
export function arrange(args: readonly string[], root: RouteMap<CommandContext>): Request {
  const queue = [...args];
  const route: string[] = [];
  const flags = new FlagList();
  let target: Target = root;
  while (isRouteMap(target)) {
    const word = queue.shift();
    const standard: Command<CommandContext> | undefined = target.getDefaultCommand();
    if (standard !== undefined && (word === undefined || isOwnFlag(word))) {
      // The name of the group alone is a command too: what follows are its flags.
      if (word !== undefined) queue.unshift(word);
      target = standard;
      break;
    }
    if (word === undefined) return { kind: "incomplete", inputs: [...route, "--help"] };
    if (word === "--help" || word === "-h") return { kind: "help", inputs: [...route, "--help"] };
    if (route.length === 0 && (word === "--version" || word === "-v" || word === "-V")) return { kind: "version" };
    if (route.length === 0 && word === "help") return { kind: "help", inputs: [...helpRoute(queue), "--help"] };
    if (word.startsWith("-")) {
      flags.take(word, queue, GLOBAL_FLAGS, "Flags of a command stand behind its name");
      continue;
    }
    route.push(word);
    const next: Target | undefined = target.getRoutingTargetForInput(word);
    if (next === undefined) return { kind: "run", inputs: route };
    target = next;
  }
  const known = (target.parameters.flags ?? {}) as Flags;
  const rest: string[] = [];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") rest.push("--", ...queue.splice(0));
    else if (word === "--help" || word === "-h") return { kind: "help", inputs: [...route, "--help"] };
    else if (word.startsWith("-") && word !== "-") {
      flags.take(word, queue, known, "Put -- before an argument that begins with a dash");
    } else rest.push(word);
  }
  return { kind: "run", inputs: [...route, ...flags.inputs, ...rest] };
}

class FlagList {
  readonly inputs: string[] = [];

  take(word: string, queue: string[], known: Flags, hint: string): void {
    const [, name, joined] = /^--([a-z][a-z0-9-]+)(?:=([\s\S]*))?$/.exec(longForm(word, known)) ?? [];
    if (name === undefined) {
      throw new UsageError(`Unknown flag ${/^-+[A-Za-z0-9_-]?/.exec(word)?.[0] ?? "-"}`, { hint });
    }
    const flag = findFlag(known, name);
    if (flag === undefined) {
      // The parser knows better which one may be meant; what stands behind the equals sign is none of its business.
      if (known !== GLOBAL_FLAGS) this.inputs.push(`--${name}`);
      else throw new UsageError(`Unknown flag --${name} before the command`, { hint });
      return;
    }
    if (flag.kind === "boolean") {
      if (joined !== undefined) throw new UsageError(`--${name} takes no value`);
      if (!this.inputs.includes(`--${name}`)) this.inputs.push(`--${name}`);
      return;
    }
    const value = joined ?? (isKnownFlag(queue[0], known) ? undefined : queue.shift());
    if (value === undefined) {
      throw new UsageError(`--${name} needs a value`, { hint: `Write it as --${name} VALUE or --${name}=VALUE` });
    }
    this.inputs.push(`--${name}`, `${VALUE_MARK}${value}`);
  }
}

/** `help slot add` is `slot add --help`. */
function helpRoute(words: readonly string[]): readonly string[] {
  return words.filter((word) => !word.startsWith("-"));
}

function isKnownFlag(word: string | undefined, known: Flags): boolean {
  const name = word === undefined ? undefined : /^--([a-z][a-z0-9-]+)(?:=|$)/.exec(word)?.[1];
  return word === "--" || (name !== undefined && findFlag(known, name) !== undefined);
}

/** `-o` as the flag that it stands for, where a command has one with that letter. */
function longForm(word: string, known: Flags): string {
  const letter = /^-([a-z])$/.exec(word)?.[1];
  const found = Object.entries(known).find(([, flag]) =>
    letter !== undefined && "letter" in flag && flag.letter === letter
  );
  return found === undefined ? word : flagName(found[0]);
}

/** Whether a word can only be a flag of one command, not of all. */
function isOwnFlag(word: string): boolean {
  if (word === "--help" || word === "-h") return false;
  return word.startsWith("-") && !isKnownFlag(word, GLOBAL_FLAGS);
}

function findFlag(known: Flags, name: string): Toggle | Valued<unknown> | undefined {
  const camel = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return Object.hasOwn(known, camel) ? known[camel] : undefined;
}

function isRouteMap(target: Target): target is RouteMap<CommandContext> {
  return "getAllEntries" in target;
}
