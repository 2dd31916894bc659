/**
 * `coffer key ls [USER]`: API keys.
 *
 * @module
 */
import { toUserId } from "../../auth/user_id.ts";
import type { GlobalFlags } from "../flags.ts";
import { suggesting } from "../suggesting.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson, writeOut } from "../output.ts";
import { keyTable } from "./show_key.ts";

/** Lists API keys, without what they are. */
export default async function keyLs(flags: GlobalFlags, owner?: string): Promise<void> {
  const id = owner === undefined ? undefined : toUserId(owner);
  await using vault = await openVault(prepareOpening(flags));
  const keys = await suggesting(vault, () => vault.apiKeys.list({ owner: id }));
  if (flags.json) return await writeJson(keys);
  await writeOut(keyTable(keys));
}
