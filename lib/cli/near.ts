/**
 * Names that may have been meant, for errors about one that is not there.
 *
 * Only who has opened the vault learns them, so it is commands that add them, not the library, whose errors a program
 * may show to others.
 *
 * @module
 */
import { UserNotFoundError } from "../auth/errors.ts";
import { SecretNotFoundError } from "../errors.ts";
import type { Vault } from "../vault.ts";

/** Most names in a hint. */
const MOST = 3;
/** Names that are longer are compared by their beginnings. */
const MAX_COMPARED = 128;

/** Runs work on a vault; when a secret or a user is not there, the hint names those that are nearly called so. */
export async function suggesting<T>(vault: Vault, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SecretNotFoundError) {
      const hint = hintFor(error.secret, (await vault.secrets.list()).map(({ name }) => name));
      if (hint !== undefined) throw new SecretNotFoundError(error.secret, { hint, cause: error });
    }
    if (error instanceof UserNotFoundError) {
      const hint = hintFor(error.user, (await vault.users.list()).map(({ user }) => user));
      if (hint !== undefined) throw new UserNotFoundError(error.user, { hint, cause: error });
    }
    throw error;
  }
}

function hintFor(wanted: string, names: readonly string[]): string | undefined {
  const near = nearNames(wanted, names).map((name) => `"${name}"`);
  if (near.length === 0) return undefined;
  const last = near.pop()!;
  return `Did you mean ${near.length === 0 ? last : `${near.join(", ")} or ${last}`}?`;
}

/**
 * The names that are nearest to one that is not there: other capitals, a few letters more, less, other or swapped, or the
 * same last part under another path. At most three, the nearest first.
 */
export function nearNames(wanted: string, names: readonly string[]): readonly string[] {
  const folded = fold(wanted);
  const most = Math.min(3, Math.floor([...folded].length / 3));
  const last = folded.slice(folded.lastIndexOf("/") + 1);
  const rated: { readonly name: string; readonly distance: number }[] = [];
  for (const name of names) {
    const other = fold(name);
    const distance = distanceWithin(folded, other, most);
    if (distance !== undefined) rated.push({ name, distance });
    else if (last.length > 2 && other.slice(other.lastIndexOf("/") + 1) === last) {
      rated.push({ name, distance: most + 1 });
    }
  }
  return rated.sort((a, b) => a.distance - b.distance).slice(0, MOST).map(({ name }) => name);
}

function fold(name: string): string {
  return name.toLowerCase().slice(0, MAX_COMPARED);
}

/** How many letters have to be added, left out, replaced or swapped with the next; undefined for more than a limit. */
function distanceWithin(a: string, b: string, limit: number): number | undefined {
  if (Math.abs(a.length - b.length) > limit) return undefined;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, row[j]! + 1, next[j - 1]! + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) next[j] = Math.min(next[j]!, before[j - 2]! + 1);
    }
    if (Math.min(...next) > limit) return undefined;
    before = row;
    row = next;
  }
  const distance = row[b.length]!;
  return distance <= limit ? distance : undefined;
}
