/**
 * `coffer session verify`: whom a token is of.
 *
 * @module
 */
import type { GlobalFlags } from "../flags.ts";
import { openVault, prepareOpening } from "../open.ts";
import { plain, shownDate, writeJson, writeOut } from "../output.ts";
import { readGiven } from "./secret_input.ts";

/** Flags of `session verify`. */
export interface SessionVerifyFlags extends GlobalFlags {
  /** File with the token. */
  readonly file?: string;
  /** For whom the token must be. */
  readonly audience?: string;
}

/** Checks a token. */
export default async function sessionVerify(flags: SessionVerifyFlags): Promise<void> {
  const { audience, json } = flags;
  const opening = prepareOpening(flags);
  const token = await readGiven(flags.file, "token");
  await using vault = await openVault(opening);
  const { user, issuedAt, expiresAt } = await vault.auth.verifySession(token, { audience });
  if (json) return await writeJson({ user: user.user, role: user.role, issuedAt, expiresAt });
  await writeOut(`${plain(user.user)} (${user.role}) until ${shownDate(expiresAt)}\n`);
}
