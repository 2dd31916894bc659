/**
 * Lines of a shell, as far as examples need them: words, quotes, pipes and redirections.
 *
 * @module
 */

/** What a line is made of: a word in quotes, an operator, blanks, or what a word has else. */
const PART =
  /'(?<single>[^']*)'|"(?<double>[^"\\]*)"|(?<operator>[|<>()&;]+)|(?<blank>\s+)|(?<plain>[^\s'"\\|<>()&;`]+)/gy;

/**
 * The words behind `coffer` in every call of it in a line, as a shell would split them.
 *
 * @throws {Error} for a line with anything else in it
 */
export function callsOf(line: string): readonly (readonly string[])[] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  let end = 0;
  for (const { 0: { length }, groups } of line.matchAll(PART)) {
    end += length;
    const { single, double, operator, blank, plain } = groups!;
    if (operator === undefined && blank === undefined) {
      word = `${word ?? ""}${single ?? double ?? plain}`;
      continue;
    }
    if (word !== undefined) commands.at(-1)!.push(word);
    word = undefined;
    // What a redirection names ends up as a command of its own, which is none of coffer's.
    if (operator !== undefined) commands.push([]);
  }
  if (end !== line.length) throw new Error(`Cannot split "${line}" at "${line.slice(end)}"`);
  if (word !== undefined) commands.at(-1)!.push(word);
  return commands.filter(([program]) => program === "coffer").map(([, ...words]) => words);
}
