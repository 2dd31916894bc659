/**
 * `coffer session revoke USER`: ends sessions.
 *
 * @module
 */
import { toUserId } from "../../auth/user_id.ts";
import { UsageError } from "../../errors.ts";
import type { GlobalFlags } from "../flags.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson } from "../output.ts";

/** Flags of `session revoke`. */
export interface SessionRevokeFlags extends GlobalFlags {
  /** Whether to end those of all users. */
  readonly all: boolean;
}

/** Ends the sessions of a user, or of all. */
export default async function sessionRevoke(flags: SessionRevokeFlags, name?: string): Promise<void> {
  if ((name === undefined) !== flags.all) throw new UsageError("Name a user, or give --all");
  const id = name === undefined ? undefined : toUserId(name);
  await using vault = await openVault(prepareOpening(flags));
  await vault.auth.revokeSessions(id);
  if (flags.json) await writeJson(name === undefined ? { all: true } : { user: name });
}
