/**
 * Names that may have been meant, for errors about one that is not there.
 *
 * Only who has opened the vault learns them, so it is commands that add them, not the library, whose errors a program
 * may show to others.
 *
 * @module
 */
import { UserNotFoundError } from "../auth/errors.ts";
import { SecretNotFoundError } from "../errors.ts";
import { meaning, nearNames } from "./near_names.ts";
import type { Vault } from "../vault.ts";

/** Runs work on a vault; when a secret or a user is not there, the hint names those that are nearly called so. */
export async function suggesting<T>(vault: Vault, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SecretNotFoundError) {
      const hint = hintFor(error.secret, (await vault.secrets.list()).map(({ name }) => name));
      if (hint !== undefined) throw new SecretNotFoundError(error.secret, { hint, cause: error });
    }
    if (error instanceof UserNotFoundError) {
      const hint = hintFor(error.user, (await vault.users.list()).map(({ user }) => user));
      if (hint !== undefined) throw new UserNotFoundError(error.user, { hint, cause: error });
    }
    throw error;
  }
}

function hintFor(wanted: string, names: readonly string[]): string | undefined {
  const near = nearNames(wanted, names).map((name) => `"${name}"`);
  return near.length === 0 ? undefined : meaning(near);
}
