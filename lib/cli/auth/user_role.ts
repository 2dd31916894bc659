/**
 * `coffer user role USER ROLE`: another role.
 *
 * @module
 */
import type { Role } from "../../auth/role.ts";
import { toUserId } from "../../auth/user_id.ts";
import type { GlobalFlags } from "../flags.ts";
import { suggesting } from "../suggesting.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson } from "../output.ts";

/** Gives a user another role. */
export default async function userRole(flags: GlobalFlags, name: string, role: Role): Promise<void> {
  const id = toUserId(name);
  await using vault = await openVault(prepareOpening(flags));
  const user = await suggesting(vault, () => vault.users.setRole(id, role));
  if (flags.json) await writeJson(user);
}
