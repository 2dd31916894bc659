/**
 * `coffer rm NAME…`: removes secrets.
 *
 * @module
 */
import { checkName } from "../state/names.ts";
import type { GlobalFlags } from "./flags.ts";
import { suggesting } from "./suggesting.ts";
import { openVault, prepareOpening } from "./open.ts";
import { counted, writeJson } from "./output.ts";
import { assertWanted } from "./terminal.ts";

/** Flags of `rm`. */
export interface RmFlags extends GlobalFlags {
  /** Whether names that are not there are passed over. */
  readonly force: boolean;
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Removes secrets with all their versions: all of them, or none. */
export default async function rm(flags: RmFlags, ...names: readonly string[]): Promise<void> {
  const wanted = [...new Set(names.map(checkName))];
  const opening = prepareOpening(flags);
  await using vault = await openVault(opening);
  const what = wanted.length === 1 ? `"${wanted[0]}"` : counted(wanted.length, "secret");
  await assertWanted(flags.yes, `Remove ${what} with all versions?`);
  const removed = await suggesting(vault, () =>
    vault.transaction(({ secrets }) => {
      const present = flags.force ? wanted.filter((name) => secrets.has(name)) : wanted;
      for (const name of present) secrets.delete(name);
      return present;
    }));
  if (flags.json) await writeJson({ removed });
}
