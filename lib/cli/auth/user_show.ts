/**
 * `coffer user show USER`: what is known of a user.
 *
 * @module
 */
import { toUserId } from "../../auth/user_id.ts";
import type { GlobalFlags } from "../flags.ts";
import { suggesting } from "../suggesting.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson, writeOut } from "../output.ts";
import { keyTable } from "./show_key.ts";
import { userTable } from "./show_user.ts";

/** Shows a user, and the user's API keys without what they are. */
export default async function userShow(flags: GlobalFlags, name: string): Promise<void> {
  const id = toUserId(name);
  await using vault = await openVault(prepareOpening(flags));
  const user = await suggesting(vault, () => vault.users.get(id));
  const apiKeys = await vault.apiKeys.list({ owner: id });
  if (flags.json) return await writeJson({ ...user, apiKeys });
  await writeOut(userTable([user]) + (apiKeys.length > 0 ? `\n${keyTable(apiKeys)}` : ""));
}
