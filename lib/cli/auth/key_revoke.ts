/**
 * `coffer key revoke ID`: takes an API key out of force.
 *
 * @module
 */
import type { GlobalFlags } from "../flags.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson } from "../output.ts";

/** Revokes a key, for good. */
export default async function keyRevoke(flags: GlobalFlags, id: string): Promise<void> {
  await using vault = await openVault(prepareOpening(flags));
  const revoked = await vault.apiKeys.revoke(id);
  if (flags.json) await writeJson(revoked);
}
