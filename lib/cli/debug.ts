/**
 * What `COFFER_DEBUG` adds to an error: where it came from, for a report of a defect.
 *
 * Such a report is shown to others. So of errors that are not coffer's own only class, system code and places in the
 * program are told: a parser's message, for one, quotes what it could not parse.
 *
 * @module
 */
import { CofferError } from "../errors.ts";
import { shown } from "./output.ts";

/** Causes of causes; more of them would be a circle. */
const MAX_DEPTH = 8;

/** Lines that tell where an error and its causes were thrown. */
export function trace(error: unknown): string {
  const lines: string[] = [];
  for (let depth = 0, next = error; next !== undefined && depth < MAX_DEPTH; depth++) {
    lines.push(`coffer: debug: ${depth === 0 ? "" : "caused by "}${nameOf(next)}`, ...places(next));
    next = next instanceof Error ? next.cause : undefined;
  }
  return lines.map((line) => `${line}\n`).join("");
}

function nameOf(error: unknown): string {
  if (error instanceof CofferError) return `${error.constructor.name} (${error.code}): ${shown(error.message)}`;
  if (!(error instanceof Error)) return typeof error;
  const code = (error as { code?: unknown }).code;
  const known = typeof code === "string" && /^[A-Z][A-Z0-9_]{1,40}$/.test(code);
  return `${error.constructor.name}${known ? ` (${code})` : ""}`;
}

/** The stack without the message at its head, which could look like a part of the stack itself. */
function places(error: unknown): readonly string[] {
  if (!(error instanceof Error) || error.stack === undefined) return [];
  const at = error.stack.indexOf(error.message);
  if (at < 0) return [];
  return error.stack.slice(at + error.message.length).split("\n").filter((line) => /^ {4}at /.test(line)).map(shown);
}
