/**
 * `coffer key revoke ID`: takes an API key out of force.
 *
 * @module
 */
import type { GlobalFlags } from "../flags.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson } from "../output.ts";
import { assertWanted } from "../terminal.ts";

/** Flags of `key revoke`. */
export interface KeyRevokeFlags extends GlobalFlags {
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Revokes a key, for good. */
export default async function keyRevoke(flags: KeyRevokeFlags, id: string): Promise<void> {
  await using vault = await openVault(prepareOpening(flags));
  const key = (await vault.apiKeys.list()).find((key) => key.id === id);
  // One that is not there is nothing to be asked about.
  if (key !== undefined) {
    const named = key.name === "" ? "" : `, "${key.name}"`;
    await assertWanted(flags.yes, `Take the key ${key.id} of ${key.owner}${named} out of force, for good?`);
  }
  const revoked = await vault.apiKeys.revoke(id);
  if (flags.json) await writeJson(revoked);
}
