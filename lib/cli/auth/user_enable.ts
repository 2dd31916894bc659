/**
 * `coffer user enable USER`: lets a user log in again.
 *
 * @module
 */
import { toUserId } from "../../auth/user_id.ts";
import type { GlobalFlags } from "../flags.ts";
import { suggesting } from "../suggesting.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson } from "../output.ts";

/** Enables a user. */
export default async function userEnable(flags: GlobalFlags, name: string): Promise<void> {
  const id = toUserId(name);
  await using vault = await openVault(prepareOpening(flags));
  const user = await suggesting(vault, () => vault.users.enable(id));
  if (flags.json) await writeJson(user);
}
