/**
 * `coffer restore-version NAME N`: makes an old version current again.
 *
 * @module
 */
import { checkName } from "../state/names.ts";
import type { GlobalFlags } from "./flags.ts";
import { suggesting } from "./suggesting.ts";
import { openVault, prepareOpening } from "./open.ts";
import { note, shown, writeJson } from "./output.ts";

/** Sets the value of an old version once more, as a new version. */
export default async function restoreVersion(flags: GlobalFlags, name: string, version: number): Promise<void> {
  checkName(name);
  await using vault = await openVault(prepareOpening(flags));
  const info = await suggesting(vault, () => vault.secrets.restore(name, version));
  if (flags.json) await writeJson({ name, version: info.version, restored: version });
  else if (Deno.stderr.isTerminal()) note(`Restored version ${version} of ${shown(name)} as version ${info.version}`);
}
