/**
 * `coffer user ls`: users.
 *
 * @module
 */
import { checkTenant } from "../../auth/user_id.ts";
import type { GlobalFlags } from "../flags.ts";
import { refuseBoth } from "../metadata.ts";
import { openVault, prepareOpening } from "../open.ts";
import { plain, writeJson, writeOut } from "../output.ts";
import { userTable } from "./show_user.ts";

/** Flags of `user ls`. */
export interface UserLsFlags extends GlobalFlags {
  /** Only users of one tenant. */
  readonly tenant?: string;
  /** Only users of the platform itself. */
  readonly platform: boolean;
  /** Whether to say more than names. */
  readonly long: boolean;
}

/** Lists users. */
export default async function userLs(flags: UserLsFlags): Promise<void> {
  const { tenant, platform, long, json } = flags;
  refuseBoth({ "--tenant": tenant, "--platform": platform });
  if (tenant !== undefined) checkTenant(tenant);
  await using vault = await openVault(prepareOpening(flags));
  const users = await vault.users.list({ tenant: platform ? null : tenant });
  if (json) return await writeJson(users);
  await writeOut(long ? userTable(users) : users.map(({ user }) => `${plain(user)}\n`).join(""));
}
