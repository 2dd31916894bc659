/**
 * What an import would do: which names are new, which stay as they are, and what becomes of those that are taken.
 *
 * @module
 */
import { equalBytes } from "../bytes.ts";
import type { SecretMetadata } from "../state/metadata.ts";
import type { ImportEntry } from "./entry.ts";

/** What is done with names that are taken by something else. */
export type OnConflict = "fail" | "skip" | "overwrite" | "rename";

/** How a vault has a name already. */
export interface Present {
  /** The value. */
  readonly value: Uint8Array;
  /** What is noted, as far as there is something. */
  readonly note?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly expires?: number | undefined;
  readonly type?: string | undefined;
}

/** What is to be done with an entry. */
export interface PlannedEntry {
  /** The entry. */
  readonly entry: ImportEntry;
  /** How its name stands to the vault: not there, there and the same, there and not the same. */
  readonly state: "new" | "same" | "changed";
  /** The name that it gets, or undefined when nothing is done. */
  readonly target: string | undefined;
}

/**
 * Plans an import. Conflicts are planned as if they were let be when the answer is `fail`; it is for the caller to fail.
 *
 * @param present looks a name up in the vault
 */
export function planImport(
  entries: readonly ImportEntry[],
  present: (name: string) => Present | undefined,
  onConflict: OnConflict,
): PlannedEntry[] {
  const taken = new Set(entries.map(({ name }) => name));
  return entries.map((entry) => {
    const { name } = entry;
    const before = present(name);
    if (before === undefined) return { entry, state: "new", target: name };
    if (isSame(entry, before)) return { entry, state: "same", target: undefined };
    if (onConflict === "overwrite") return { entry, state: "changed", target: name };
    if (onConflict !== "rename") return { entry, state: "changed", target: undefined };
    for (let number = 2;; number++) {
      const other = `${name}-${number}`;
      if (taken.has(other)) continue;
      const there = present(other);
      // Renamed by an earlier import of the same file: once is enough.
      if (there !== undefined && isSame(entry, there)) return { entry, state: "same", target: undefined };
      if (there !== undefined) continue;
      taken.add(other);
      return { entry, state: "changed", target: other };
    }
  });
}

/** Whether importing the entry would change neither the value nor what is noted. */
function isSame({ value, metadata = {} }: ImportEntry, before: Present): boolean {
  return equalBytes(value, before.value) && isSameMetadata(metadata, before);
}

function isSameMetadata({ note, tags, expiresAt, type }: SecretMetadata, before: Present): boolean {
  const same = (wanted: string | number | null | undefined, there: string | number | undefined) =>
    wanted === undefined || (wanted || undefined) === (there || undefined);
  const sorted = tags?.length ? [...new Set(tags)].sort() : [];
  return same(note, before.note) && same(type, before.type) &&
    (expiresAt === undefined || expiresAt?.getTime() === before.expires) &&
    (tags === undefined || JSON.stringify(sorted) === JSON.stringify(before.tags ?? []));
}
