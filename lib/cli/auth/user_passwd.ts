/**
 * `coffer user passwd USER`: another password.
 *
 * @module
 */
import { toUserId } from "../../auth/user_id.ts";
import { checkMayChange } from "../files.ts";
import type { GlobalFlags } from "../flags.ts";
import { suggesting } from "../suggesting.ts";
import { openVault, prepareOpening } from "../open.ts";
import { note, shown, writeJson } from "../output.ts";
import { claimLogin, type LoginFlags, readLogin, refuseTwoPasswords } from "./user_add.ts";

/** Flags of `user passwd`. */
export interface UserPasswdFlags extends GlobalFlags, LoginFlags {}

/** Changes a user's password; the user's sessions end. */
export default async function userPasswd(flags: UserPasswdFlags, name: string): Promise<void> {
  const id = toUserId(name);
  refuseTwoPasswords(flags);
  const opening = prepareOpening(flags);
  checkMayChange(opening.path);
  claimLogin(flags);
  await using vault = await openVault(opening);
  // Before a password is asked for that would not be used.
  await suggesting(vault, () => vault.users.get(id));
  const user = await vault.users.setPassword(id, await readLogin(flags));
  if (flags.json) await writeJson(user);
  else if (Deno.stderr.isTerminal()) note(`Changed the password of ${shown(user.user)}`);
}
