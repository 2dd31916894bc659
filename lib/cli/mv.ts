/**
 * `coffer mv FROM TO`: gives a secret another name.
 *
 * @module
 */
import { checkName } from "../state/names.ts";
import type { GlobalFlags } from "./flags.ts";
import { infoJson } from "./metadata.ts";
import { suggesting } from "./suggesting.ts";
import { openVault, prepareOpening } from "./open.ts";
import { writeJson } from "./output.ts";
import { assertWanted } from "./terminal.ts";

/** Flags of `mv`. */
export interface MvFlags extends GlobalFlags {
  /** Whether another secret of the new name is replaced. */
  readonly overwrite: boolean;
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Renames a secret; versions and metadata go with it. */
export default async function mv(flags: MvFlags, from: string, to: string): Promise<void> {
  checkName(from);
  checkName(to);
  await using vault = await openVault(prepareOpening(flags));
  if (flags.overwrite && from !== to && await vault.secrets.has(from) && await vault.secrets.has(to)) {
    await assertWanted(flags.yes, `Remove "${to}" with all versions, for "${from}" to have its name?`);
  }
  const info = await suggesting(vault, () => vault.secrets.rename(from, to, { overwrite: flags.overwrite }));
  if (flags.json) await writeJson(infoJson(info));
}
