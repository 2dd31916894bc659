/**
 * What can be completed, as every shell's script needs it.
 *
 * @module
 */
import { type Flag as Definition, type Group, isGroup, type Positionals, type Target } from "../define.ts";
import { flagName, GLOBAL_FLAGS, type Proposal } from "../flags.ts";

/** A flag. */
export interface Flag {
  /** With its dashes. */
  readonly name: string;
  /** The letter that stands for it behind one dash, where there is one. */
  readonly letter: string | undefined;
  readonly brief: string;
  /** What may follow it. Undefined: it takes no value; empty: one that nobody can guess. */
  readonly proposes: Proposal | undefined;
}

/** A command, a group of them, or the program itself. */
export interface Node {
  /** The words of the command, such as `slot add`; empty for the program itself. */
  readonly route: string;
  readonly subcommands: readonly { readonly name: string; readonly brief: string }[];
  readonly flags: readonly Flag[];
  /** What its arguments may be, in their order; `many` when the last one may be repeated. */
  readonly operands: readonly Proposal[];
  readonly many: boolean;
}

/** A flag that takes a value, where it does. */
export interface ValuedFlag {
  readonly name: string;
  /** The only command where it takes such a value; undefined: wherever it stands. */
  readonly route: string | undefined;
  readonly proposes: Proposal;
}

/** The flags that say which vault it is and how it opens: names can be completed with them. */
export const OPENING_FLAGS: readonly string[] = [
  "vault",
  "anchor",
  "passphraseFile",
  "keyfile",
  "recoveryFile",
  "certificateFile",
].map(flagName);

/** Every command and every group. */
export async function nodesOf(root: Group): Promise<readonly Node[]> {
  return await Array.fromAsync(walk(root, []));
}

/** The flags that take a value: most of them wherever they stand, some in one command and not in another. */
export function valuedFlags(nodes: readonly Node[]): readonly ValuedFlag[] {
  const all = nodes.flatMap(({ route, flags }) =>
    flags.flatMap(({ name, letter, proposes }) =>
      [name, ...(letter === undefined ? [] : [`-${letter}`])].map((name) => ({ route, name, proposes }))
    )
  );
  const names = [...new Set(all.map(({ name }) => name))];
  return names.flatMap((name): readonly ValuedFlag[] => {
    const own = all.filter((flag) => flag.name === name);
    const first = own[0]!.proposes;
    const same = own.every(({ proposes }) => String(proposes) === String(first));
    if (same) return first === undefined ? [] : [{ name, route: undefined, proposes: first }];
    return own.flatMap(({ route, proposes }) => proposes === undefined ? [] : [{ name, route, proposes }]);
  });
}

/** Patterns that `"$command $flag"` fits when the flag takes a value there, with a quoted blank between. */
export function patternsOf(flags: readonly ValuedFlag[]): readonly string[] {
  return flags.map(({ name, route }) => route === undefined ? `*" ${name}"` : `"${route} ${name}"`);
}

/** Patterns that `"$command $position"` fits where an argument is of a kind, with those kinds. */
export function operandPatterns({ route, operands, many }: Node): readonly (readonly [string, Proposal])[] {
  return operands.map((proposal, index) => {
    const repeated = many && index === operands.length - 1;
    return [repeated ? `"${route} "*` : `"${route} ${index}"`, proposal] as const;
  }).filter(([, proposal]) => proposal.length > 0);
}

/** The routes that another word of a command may follow. */
export function innerRoutes(nodes: readonly Node[]): readonly string[] {
  return nodes.filter(({ subcommands }) => subcommands.length > 0).map(({ route }) => `"${route}"`);
}

async function* walk(target: Target, words: readonly string[]): AsyncGenerator<Node> {
  const route = words.join(" ");
  if (!isGroup(target)) {
    yield { route, subcommands: [], flags: flagsOf(target.flags), ...operandsOf(target.positional) };
    return;
  }
  const entries = await Promise.all(
    Object.entries(target.targets).map(async ([name, load]) => ({ name, target: await load() })),
  );
  const subcommands = entries.map(({ name, target }) => ({ name, brief: target.brief }));
  const own: Flag[] = route === ""
    ? [{ name: "--version", letter: undefined, brief: "Print the version", proposes: undefined }]
    : [];
  const standard = entries.find(({ name }) => name === target.standard)?.target;
  // The flags that stand before a command's name are those that every command has.
  const shared = flagsOf(standard === undefined || isGroup(standard) ? GLOBAL_FLAGS : standard.flags);
  yield { route, subcommands, flags: [...own, ...shared], operands: [], many: false };
  for (const { name, target } of entries) yield* walk(target, [...words, name]);
}

function flagsOf(flags: Readonly<Record<string, Definition>>): Flag[] {
  const own = Object.entries(flags).map(([name, flag]) => ({
    name: flagName(name),
    letter: "letter" in flag ? flag.letter : undefined,
    brief: flag.brief,
    proposes: flag.kind === "boolean" ? undefined : flag.proposes ?? [],
  }));
  return [...own, { name: "--help", letter: undefined, brief: "Print help", proposes: undefined }];
}

function operandsOf(positional: Positionals): Pick<Node, "operands" | "many"> {
  const many = positional.kind === "array";
  const parameters = many ? [positional.parameter] : positional.parameters;
  return { operands: parameters.map(({ proposes = [] }) => proposes), many };
}
