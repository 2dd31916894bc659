/**
 * Which of some names somebody may have meant.
 *
 * @module
 */

/** Most names in a hint. */
const MOST = 3;
/** Names that are longer are compared by their beginnings. */
const MAX_COMPARED = 128;

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

/** The question about names: `Did you mean a, b or c?` */
export function meaning(names: readonly string[]): string {
  const last = names.at(-1)!;
  return `Did you mean ${names.length === 1 ? last : `${names.slice(0, -1).join(", ")} or ${last}`}?`;
}
