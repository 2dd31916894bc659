/**
 * Tables for people: on a terminal no line is longer than it is wide.
 *
 * @module
 */
import { shown } from "./output.ts";

const GAP = "  ";
const ELLIPSIS = "…";
/** A column of free text keeps so many columns of the terminal, or fewer when all that is in it is shorter. */
const LEAST = 8;
/** A terminal that says it has fewer columns does not know. */
const NARROWEST = 20;

/**
 * Lines of columns, each as wide as its widest cell; the first row is the heading. On a terminal, columns of free text
 * that do not fit are cut, the widest first, and then the end of the line; an ellipsis shows where. A pipe or a file gets
 * everything.
 *
 * @param free headings of the columns that may be cut: dates, numbers and ids are of no use in part
 * @param columns how wide a line may be
 */
export function table(
  rows: readonly (readonly string[])[],
  free: readonly string[] = [],
  columns = terminalColumns(),
): string {
  const cells = rows.map((row) => row.map(shown));
  const widths = cells[0]!.map((_, column) => cells.reduce((most, row) => Math.max(most, width(row[column]!)), 0));
  const fitted = fit(widths, cells[0]!.map((heading) => free.includes(heading)), columns);
  return cells
    .map((row) => row.map((cell, column) => padded(cut(cell, fitted[column]!), fitted[column]!)).join(GAP).trimEnd())
    .map((line) => `${cut(line, columns)}\n`)
    .join("");
}

/** How wide stdout is when it is a terminal that knows. */
function terminalColumns(): number {
  if (!Deno.stdout.isTerminal()) return Infinity;
  try {
    const { columns } = Deno.consoleSize();
    return columns < NARROWEST ? Infinity : columns;
  } catch {
    return Infinity;
  }
}

/** The widths of columns, the free ones made so narrow that all fit, or as narrow as they may be. */
function fit(widths: readonly number[], free: readonly boolean[], columns: number): readonly number[] {
  const fitted = [...widths];
  for (let excess = sum(fitted) + GAP.length * (fitted.length - 1) - columns; excess > 0; excess--) {
    const widest = fitted.reduce(
      (best, width, column) => free[column] && width > LEAST && width > (fitted[best] ?? 0) ? column : best,
      -1,
    );
    if (widest < 0) break;
    fitted[widest]!--;
  }
  return fitted;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function padded(text: string, columns: number): string {
  return text + " ".repeat(columns - width(text));
}

/** The text, or the beginning of it that fits with an ellipsis behind. */
function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = "";
  let used = ELLIPSIS.length;
  for (const character of text) {
    used += width(character);
    if (used > columns) break;
    kept += character;
  }
  return kept + ELLIPSIS;
}

/** How many columns a text takes, near enough for tables: wide East Asian characters and emoji take two. */
function width(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{Mn}/u.test(character)) continue;
    columns +=
      /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Emoji_Presentation}/u
          .test(character)
        ? 2
        : 1;
  }
  return columns;
}
