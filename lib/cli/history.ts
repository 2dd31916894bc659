/**
 * `coffer history NAME`: the versions that are kept.
 *
 * @module
 */
import { checkName } from "../state/names.ts";
import type { GlobalFlags } from "./flags.ts";
import { suggesting } from "./suggesting.ts";
import { openVault, prepareOpening } from "./open.ts";
import { shownDate, shownSize, writeJson, writeOut } from "./output.ts";
import { table } from "./table.ts";

/** Lists versions, newest first. */
export default async function history(flags: GlobalFlags, name: string): Promise<void> {
  checkName(name);
  await using vault = await openVault(prepareOpening(flags));
  const versions = await suggesting(vault, () => vault.secrets.history(name));
  if (flags.json) return await writeJson({ name, versions });
  const rows = versions.map(({ version, size, createdAt, current }) => [
    String(version),
    shownSize(size),
    shownDate(createdAt),
    current ? "current" : "",
  ]);
  await writeOut(table([["VERSION", "SIZE", "SET", ""], ...rows]));
}
