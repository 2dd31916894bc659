/**
 * Names of environment variables: which are fit to be used, and which one a secret gets by itself.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { VariableCollisionError } from "./errors.ts";

/** What shells and programs everywhere take for a name. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether a text can name a variable. */
export function isVariableName(text: string): boolean {
  return NAME.test(text);
}

/** Returns the name when it can name a variable. What it was stays out: it may be a value in the wrong place. */
export function checkVariableName(text: string): string {
  if (isVariableName(text)) return text;
  throw new UsageError("A variable has no valid name", {
    hint: "ASCII letters, digits and _, and no digit first",
  });
}

/**
 * The variable for a secret below a path: what follows the path, in capitals, with `_` for everything that is neither
 * an ASCII letter nor a digit. One that would begin with a digit gets a `_` in front.
 *
 * @example
 * ```ts ignore
 * variableFor("app/db/url", "app"); // DB_URL
 * ```
 */
export function variableFor(name: string, path: string, prefix = ""): string {
  const below = name.slice(path.length + 1);
  const variable = prefix + below.toUpperCase().replace(/[^A-Z0-9]/g, "_");
  return isVariableName(variable) ? variable : `_${variable}`;
}

/** Which secret goes into which variable. */
export type Assignment = ReadonlyMap<string, string>;

/**
 * Assigns secrets to variables, beside those that were assigned before.
 *
 * @throws {VariableCollisionError} when two secrets would get the same one
 */
export function assign(
  before: Assignment,
  more: Iterable<{ readonly variable: string; readonly name: string }>,
): Assignment {
  const assigned = new Map(before);
  for (const { variable, name } of more) {
    const other = assigned.get(variable);
    if (other !== undefined && other !== name) throw new VariableCollisionError(variable, [other, name]);
    assigned.set(variable, name);
  }
  return assigned;
}
