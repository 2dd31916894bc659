/**
 * `coffer user disable USER`: keeps a user from logging in.
 *
 * @module
 */
import { toUserId } from "../../auth/user_id.ts";
import type { GlobalFlags } from "../flags.ts";
import { suggesting } from "../suggesting.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson } from "../output.ts";

/** Disables a user; keys and sessions of the user count no longer. */
export default async function userDisable(flags: GlobalFlags, name: string): Promise<void> {
  const id = toUserId(name);
  await using vault = await openVault(prepareOpening(flags));
  const user = await suggesting(vault, () => vault.users.disable(id));
  if (flags.json) await writeJson(user);
}
