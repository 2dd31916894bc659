/**
 * How a help text is laid out: a command's own flags first, then those of every command, and no line of a list wider than
 * the terminal.
 *
 * @module
 */
import { flagName, GLOBAL_FLAGS } from "./flags.ts";

const FLAGS = "FLAGS\n";
const SHARED_FLAGS = "FLAGS OF EVERY COMMAND\n";
/** The first of the flags of every command, which stand behind the command's own. */
const FIRST_SHARED = `[${flagName(Object.keys(GLOBAL_FLAGS)[0]!)}]`;
/** A line of a list: what is explained, then what it is. */
const ENTRY = /^( +\S.*? {2,})(\S.*)$/;
/** Lists of such lines stand under these. */
const LISTS = /^(FLAGS|COMMANDS)/;
/** With fewer columns than these for what is explained, wrapping makes nothing clearer. */
const LEAST_WIDTH = 24;

/**
 * Lays out a text of the parser.
 *
 * @param columns how wide a line may be; Infinity where no terminal shows it
 */
export function layOutHelp(text: string, columns: number): string {
  let inList = false;
  return divided(text).split("\n").flatMap((line) => {
    if (/^\S/.test(line)) inList = LISTS.test(line);
    return inList ? wrapped(line, columns) : [line];
  }).join("\n");
}

/** The text with a heading of their own for the flags of every command. */
function divided(text: string): string {
  const at = text.lastIndexOf("\n", text.indexOf(` ${FIRST_SHARED} `)) + 1;
  const start = text.lastIndexOf(`\n${FLAGS}`, at) + 1;
  if (at === 0 || start === 0 || text.includes(SHARED_FLAGS)) return text;
  const own = text.slice(start + FLAGS.length, at);
  return `${text.slice(0, start)}${own === "" ? "" : `${FLAGS}${own}\n`}${SHARED_FLAGS}${text.slice(at)}`;
}

/** A line of a list, in as many as it takes. A word that is too long for one stands in it all the same. */
function wrapped(line: string, columns: number): readonly string[] {
  const [, name = "", brief = ""] = ENTRY.exec(line) ?? [];
  const width = columns - name.length;
  if (brief.length <= width || width < LEAST_WIDTH || name === "") return [line];
  const rows: string[] = [];
  for (const word of brief.split(" ")) {
    const longer = `${rows.at(-1)} ${word}`;
    if (rows.length > 0 && longer.length <= width) rows[rows.length - 1] = longer;
    else rows.push(word);
  }
  return rows.map((row, index) => `${index === 0 ? name : " ".repeat(name.length)}${row}`);
}
