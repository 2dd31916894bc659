/**
 * `coffer user rm USER…`: removes users.
 *
 * @module
 */
import { formatUserId, toUserId } from "../../auth/user_id.ts";
import type { GlobalFlags } from "../flags.ts";
import { suggesting } from "../suggesting.ts";
import { openVault, prepareOpening } from "../open.ts";
import { counted, writeJson } from "../output.ts";
import { assertWanted } from "../terminal.ts";

/** Flags of `user rm`. */
export interface UserRmFlags extends GlobalFlags {
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Removes users with their API keys and sessions: all of them, or none. */
export default async function userRm(flags: UserRmFlags, ...names: readonly string[]): Promise<void> {
  const users = [...new Set(names.map((name) => formatUserId(toUserId(name))))];
  await using vault = await openVault(prepareOpening(flags));
  const what = users.length === 1 ? `"${users[0]}"` : counted(users.length, "user");
  await assertWanted(flags.yes, `Remove ${what} with API keys and sessions?`);
  await suggesting(vault, () =>
    vault.transaction((tx) => {
      for (const user of users) tx.users.delete(user);
    }));
  if (flags.json) await writeJson({ removed: users });
}
