/**
 * Arguments as users write them, brought into the one order that the parser takes: command, flags, arguments.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { type Command, type Flag, type Group, isGroup, type Target } from "./define.ts";
import { meaning, nearNames } from "./near_names.ts";
import { flagName, GLOBAL_FLAGS, VALUE_MARK } from "./flags.ts";

/** What the arguments ask for. `inputs` is what the parser takes. */
export type Request =
  | { readonly kind: "run"; readonly inputs: readonly string[]; readonly call?: Call }
  | { readonly kind: "help"; readonly inputs: readonly string[] }
  | { readonly kind: "version" }
  /** No command, or only the first half of one. */
  | { readonly kind: "incomplete"; readonly inputs: readonly string[] };

/** A command, and what is given to it. */
export interface Call {
  readonly command: Command;
  /** The texts that each flag got, by its name in code; a flag without a value got none. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly args: readonly string[];
}

/** What to do about a flag that `run` does not know: it is the command's own. */
export const HINT_OF_RUN =
  "Put -- before the command: coffer run -- COMMAND; what stands behind it is the command's own";

type Flags = Readonly<Record<string, Flag>>;

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
export async function arrange(args: readonly string[], root: Group): Promise<Request> {
  const queue = [...args];
  const route: string[] = [];
  const flags = new FlagList();
  let target: Target = root;
  while (isGroup(target)) {
    const { targets, standard }: Group = target;
    const word = queue.shift();
    if (standard !== undefined && (word === undefined || isOwnFlag(word))) {
      // The name of the group alone is a command too: what follows are its flags.
      if (word !== undefined) queue.unshift(word);
      target = await targets[standard]!();
      continue;
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
    const load = targets[word];
    if (load === undefined) return { kind: "run", inputs: route };
    target = await load();
  }
  const rest: string[] = [];
  let escaped: readonly string[] = [];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") escaped = ["--", ...queue.splice(0)];
    else if (word === "--help" || word === "-h") return { kind: "help", inputs: [...route, "--help"] };
    else if (word.startsWith("-") && word !== "-") {
      const hint = route[0] === "run" ? HINT_OF_RUN : "Put -- before an argument that begins with a dash";
      flags.take(word, queue, target.flags, hint);
    } else rest.push(word);
  }
  const inputs = [...route, ...flags.inputs, ...rest, ...escaped];
  if (flags.given === undefined) return { kind: "run", inputs };
  return { kind: "run", inputs, call: { command: target, flags: flags.given, args: [...rest, ...escaped.slice(1)] } };
}

class FlagList {
  readonly inputs: string[] = [];
  /** What flags were given; undefined once there was one that is not known. */
  given: Map<string, string[]> | undefined = new Map();

  take(word: string, queue: string[], known: Flags, hint: string): void {
    const [, name, joined] = /^--([a-z][a-z0-9-]+)(?:=([\s\S]*))?$/.exec(longForm(word, known)) ?? [];
    if (name === undefined) {
      throw new UsageError(`Unknown flag ${/^-+[A-Za-z0-9_-]?/.exec(word)?.[0] ?? "-"}`, { hint });
    }
    const flag = findFlag(known, name);
    if (flag === undefined) {
      // The parser knows better which one may be meant; what stands behind the equals sign is none of its business.
      if (known !== GLOBAL_FLAGS) this.inputs.push(`--${name}`);
      else throw new UsageError(`Unknown flag --${name} before the command`, { hint: hintFor(name, known) ?? hint });
      this.given = undefined;
      return;
    }
    if (flag.kind === "boolean") {
      if (joined !== undefined) throw new UsageError(`--${name} takes no value`);
      if (!this.inputs.includes(`--${name}`)) this.inputs.push(`--${name}`);
      this.given?.set(camelCase(name), []);
      return;
    }
    const value = joined ?? (isKnownFlag(queue[0], known) ? undefined : queue.shift());
    if (value === undefined) {
      throw new UsageError(`--${name} needs a value`, { hint: `Write it as --${name} VALUE or --${name}=VALUE` });
    }
    const key = camelCase(name);
    const marked = `${VALUE_MARK}${value}`;
    this.inputs.push(`--${name}`, marked);
    this.given?.set(key, [...this.given.get(key) ?? [], marked]);
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

function findFlag(known: Flags, name: string): Flag | undefined {
  const key = camelCase(name);
  return Object.hasOwn(known, key) ? known[key] : undefined;
}

function hintFor(name: string, known: Flags): string | undefined {
  const near = nearNames(`--${name}`, Object.keys(known).map(flagName));
  return near.length === 0 ? undefined : meaning(near);
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
