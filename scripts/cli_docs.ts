/**
 * Writes what docs/cli.md says of every command, of its arguments, flags and examples, and of errors, from the
 * definitions themselves. What stands between the marks of a part is written anew; all else is prose, and stays.
 *
 * @module
 */
import { COMMANDS } from "../lib/cli/commands.ts";
import { type CommandHelp, commandHelp, type FlagHelp, flagHelp, leaves } from "../lib/cli/help.ts";
import { GLOBAL_FLAGS } from "../lib/cli/flags.ts";
import { ERROR_TABLE } from "../lib/error_table.ts";

/** The document. */
export const CLI_DOCUMENT: URL = new URL("../docs/cli.md", import.meta.url);

/** What the exit codes mean. */
const EXIT_CODES: Readonly<Record<number, string>> = {
  0: "done",
  1: "failed",
  2: "usage",
  3: "not found",
  4: "credential",
  5: "busy or conflict",
  6: "damaged",
  7: "rollback or fork",
  8: "permissions",
  9: "too many tries",
  10: "already exists",
  11: "refused by policy",
  126: "command cannot run",
  127: "no such command",
};

const PART = /^<!-- written by `deno task cli-docs`: (.+) -->\n[\s\S]*?^<!-- end -->$/gm;
const HEADING = /^### coffer (.+)$/gm;

/**
 * The document with its written parts as they must be now.
 *
 * @throws {Error} that names every command without a section or a part, and every section or part without a command
 */
export async function writeCliDocs(document: string): Promise<string> {
  const headings = [...document.matchAll(HEADING)].map(([, words]) => words!);
  const marked = [...document.matchAll(PART)].map(([, name]) => name!);
  const problems: string[] = [];
  const parts = new Map([["flags of every command", sharedFlags()], ["errors", errors()]]);
  const rows: [string, string][] = [];
  const known = new Set<string>();
  for await (const [name, command] of leaves(COMMANDS)) {
    const help = commandHelp(command, name.split(" "));
    const usage = [...calledWith(help, name === "run")].join(" ");
    const heading = `${name} ${usage}`.trim();
    if (!headings.includes(heading)) problems.push(`there is no section "### coffer ${heading}"`);
    else if (!section(document, heading).includes(mark(name))) problems.push(`"### coffer ${heading}" lacks its part`);
    known.add(heading);
    parts.set(name, commandPart(help, usage));
    rows.push([`[\`${name}\`](#${slug(`coffer ${heading}`)})`, markdown(help.brief)]);
  }
  parts.set("commands", table(["command", "does"], rows));

  for (const name of parts.keys()) {
    if (marked.filter((other) => other === name).length !== 1) problems.push(`the part "${name}" is not there once`);
  }
  for (const name of marked) if (!parts.has(name)) problems.push(`the part "${name}" is of no command`);
  for (const heading of headings) if (!known.has(heading)) problems.push(`"### coffer ${heading}" is no command`);
  if (problems.length > 0) throw new Error(`docs/cli.md: ${problems.join("; ")}`);
  return document.replace(PART, (_, name: string) => `${mark(name)}\n\n${parts.get(name)!}\n<!-- end -->`);
}

function mark(name: string): string {
  return `<!-- written by \`deno task cli-docs\`: ${name} -->`;
}

/** Text from the heading of a command to the next heading. */
function section(document: string, heading: string): string {
  return document.split(`\n### coffer ${heading}\n`)[1]!.split(/^##/m)[0]!;
}

/** Arguments as headings and usage lines have them; those of another program stand behind a mark. */
function calledWith(help: CommandHelp, foreign: boolean): readonly string[] {
  const words = help.arguments.map(({ name, optional, repeated }) => {
    const word = `${name}${repeated ? "…" : ""}`;
    return optional ? `[${word}]` : word;
  });
  return foreign ? ["--", ...words] : words;
}

function commandPart(help: CommandHelp, usage: string): string {
  const given = help.arguments.map(({ name, brief }): [string, string] => [`\`${name}\``, markdown(brief)]);
  const flags = help.flags.filter(({ name }) => !SHARED.has(name)).map(flagRow);
  const kinds = [...given.length > 0 ? ["argument"] : [], ...flags.length > 0 ? ["flag"] : []];
  const examples = help.examples.map(({ line, brief }) => `${line}${brief === undefined ? "" : ` # ${brief}`}\n`);
  return [
    `Usage: \`${`coffer ${help.command} [FLAGS] ${usage}`.trim()}\`\n`,
    ...kinds.length === 0 ? [] : [table([kinds.join(" or "), "meaning"], [...given, ...flags])],
    `\`\`\`sh\n${examples.join("")}\`\`\`\n`,
  ].join("\n");
}

const SHARED = new Set(Object.entries(GLOBAL_FLAGS).map(([name, flag]) => flagHelp(name, flag).name));

function sharedFlags(): string {
  const flags = Object.entries(GLOBAL_FLAGS).map(([name, flag]) => flagRow(flagHelp(name, flag)));
  return table(["flag", "meaning"], [...flags, ["`--help`, `-h`", "Help"]]);
}

function flagRow({ name, value, brief, repeated }: FlagHelp): [string, string] {
  const typed = value === undefined ? name : `${name} ${value}`;
  return [`\`${typed}\``, `${markdown(brief)}${repeated ? "; may be repeated" : ""}`];
}

function errors(): string {
  const all = Object.entries(ERROR_TABLE);
  const used = [...new Set([0, ...all.map(([, { exit }]) => exit)])].sort((a, b) => a - b);
  const exits = used.map((exit): [string, string] => {
    if (EXIT_CODES[exit] === undefined) throw new Error(`Exit code ${exit} has no meaning in scripts/cli_docs.ts`);
    return [`${exit}`, EXIT_CODES[exit]];
  });
  const codes = used.flatMap((code) => all.filter(([, { exit }]) => exit === code))
    .map(([code, { exit, hint }]): [string, string, string] => [`\`${code}\``, `${exit}`, markdown(hint)]);
  return `${table(["exit", "meaning"], exits)}\n${
    table(["code", "exit", "hint, where the error has none of its own"], codes)
  }`;
}

/** Plain text with flags as code, and nothing in it that means something else; what is in backticks is code already. */
function markdown(text: string): string {
  return text.split("`").map((piece, index) => {
    if (index % 2 === 1) return `\`${piece}\``;
    return piece.split(CODE).map((words, index) => index % 2 === 1 ? `\`${words}\`` : words.replace(SPECIAL, "\\$&"))
      .join("");
  }).join("");
}

/** Flags and variables. */
const CODE = /(?<![\w-])(--[a-z][a-z-]*|[A-Z]*(?:_[A-Z]+)+)/;

const SPECIAL = /[\\*_[\]<>|~]/g;

/** The name of a heading in links, as most renderers make it. */
function slug(heading: string): string {
  return heading.toLowerCase().replace(/[^a-z0-9 -]/g, "").replaceAll(" ", "-");
}

/** A table as the formatter leaves it: every column as wide as its widest cell. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => [...row[column]!].length)));
  const line = (cells: readonly string[], fill = " ") =>
    `| ${cells.map((cell, column) => cell + fill.repeat(widths[column]! - [...cell].length)).join(" | ")} |\n`;
  return [line(head), line(head.map(() => ""), "-"), ...rows.map((row) => line(row))].join("");
}

if (import.meta.main) {
  const document = await Deno.readTextFile(CLI_DOCUMENT);
  await Deno.writeTextFile(CLI_DOCUMENT, await writeCliDocs(document));
}
