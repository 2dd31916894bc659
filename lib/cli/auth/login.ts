/**
 * `coffer login USER`: checks a user's password.
 *
 * @module
 */
import { WrongLoginError } from "../../auth/errors.ts";
import { toUserId } from "../../auth/user_id.ts";
import { UsageError } from "../../errors.ts";
import type { Vault } from "../../vault.ts";
import type { GlobalFlags } from "../flags.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson, writeOut } from "../output.ts";
import { claim, readPassword } from "./secret_input.ts";
import { userLine } from "./show_user.ts";

/** Flags of `login`. */
export interface LoginCommandFlags extends GlobalFlags {
  /** File with the password. */
  readonly passwordFile?: string;
  /** Whether to print a token. */
  readonly session: boolean;
  /** For whom the token is. */
  readonly audience?: string;
  /** How long the token counts, in seconds. */
  readonly lifetime?: number;
  /** What failures are counted under beside the name. */
  readonly source?: string;
}

/** Checks a password; where it is asked for, makes a token. */
export default async function login(flags: LoginCommandFlags, name: string): Promise<void> {
  const id = toUserId(name);
  const { session, audience, lifetime, source } = flags;
  if (!session && (audience !== undefined || lifetime !== undefined)) {
    throw new UsageError("--audience and --lifetime go with --session");
  }
  const opening = prepareOpening(flags);
  claim(flags.passwordFile, "--password-file");
  const vault = await openVault(opening);
  const answer = await closing(vault, async () => {
    const password = await readPassword(flags.passwordFile, `Password of ${name}:`);
    const user = await vault.auth.login(id, password, { source });
    const token = session ? await vault.auth.createSession(id, { audience, lifetime }) : undefined;
    return { user, token };
  });
  const { user, token } = answer;
  if (flags.json) return await writeJson({ ...user, ...(token === undefined ? {} : { token }) });
  await writeOut(token === undefined ? userLine(user) : `${token}\n`);
}

/**
 * Closes the vault, which writes down what failed, before anything is answered. A failure that could not be counted says
 * so as its cause, as it does for a wrong credential of the vault.
 */
async function closing<T>(vault: Vault, work: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    try {
      await vault.close();
    } catch (reason) {
      if (error instanceof WrongLoginError) throw new WrongLoginError({ cause: reason });
    }
    throw error;
  }
  await vault.close();
  return result;
}
