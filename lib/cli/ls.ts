/**
 * `coffer ls [PATTERN]`: the names.
 *
 * @module
 */
import type { ListOptions } from "../secrets.ts";
import { globMatcher } from "../state/names.ts";
import type { GlobalFlags } from "./flags.ts";
import { infoJson, shownExpiry } from "./metadata.ts";
import { openVault, prepareOpening } from "./open.ts";
import { warnOverdue } from "./policy.ts";
import { plain, shownDate, shownSize, writeJson, writeOut } from "./output.ts";
import { table } from "./table.ts";

/** Flags of `ls`. */
export interface LsFlags extends GlobalFlags {
  /** Whether to show a table. */
  readonly long: boolean;
}

/** Lists secrets, sorted by name. */
export default async function ls(flags: LsFlags, pattern?: string): Promise<void> {
  const filter = listOptions(pattern);
  await using vault = await openVault(prepareOpening(flags));
  const infos = await vault.secrets.list(filter);
  await warnOverdue(vault, new Set(infos.map(({ name }) => name)));
  if (flags.json) await writeJson(infos.map(infoJson));
  else if (!flags.long) await writeOut(infos.map(({ name }) => `${plain(name)}\n`).join(""));
  else if (infos.length > 0) {
    const rows = infos.map((info) => [
      info.name,
      String(info.version),
      shownSize(info.size),
      shownDate(info.updatedAt),
      shownExpiry(info),
      info.tags.join(",") || "-",
    ]);
    await writeOut(table([["NAME", "VERSION", "SIZE", "UPDATED", "EXPIRES", "TAGS"], ...rows], ["NAME", "TAGS"]));
  }
}

/** A pattern with a wildcard is a glob; any other is how names begin. */
export function listOptions(pattern: string | undefined): ListOptions {
  if (pattern === undefined) return {};
  if (!/[*?[]/.test(pattern)) return { prefix: pattern };
  globMatcher(pattern);
  return { glob: pattern };
}
