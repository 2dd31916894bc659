/**
 * What becomes of names that are taken already.
 *
 * @module
 */
import { SecretExistsError } from "../../errors.ts";
import type { OnConflict } from "./commands.ts";

/** The names by what is done with them. */
export interface Sorted {
  /** To be set. */
  readonly set: readonly string[];
  /** There already, with the same value. */
  readonly unchanged: readonly string[];
  /** There already with another value, which stays. */
  readonly skipped: readonly string[];
}

/**
 * Sorts names by whether they are there already, and with which value.
 *
 * @throws {SecretExistsError} when one has another value and conflicts are to fail
 */
export function sortConflicts(
  wanted: ReadonlyMap<string, string>,
  existing: (name: string) => string | Uint8Array | undefined,
  onConflict: OnConflict = "fail",
): Sorted {
  const sorted = { set: [] as string[], unchanged: [] as string[], skipped: [] as string[] };
  for (const [name, value] of wanted) {
    const before = existing(name);
    if (before === undefined) sorted.set.push(name);
    else if (before === value) sorted.unchanged.push(name);
    else if (onConflict === "overwrite") sorted.set.push(name);
    else if (onConflict === "skip") sorted.skipped.push(name);
    else {
      throw new SecretExistsError(name, {
        hint: "Nothing was changed; --on-conflict skip or overwrite says what to do with such names",
      });
    }
  }
  return sorted;
}
