/**
 * `coffer user add USER`: a new user.
 *
 * @module
 */
import type { LoginSecrets } from "../../auth/login_secrets.ts";
import type { Role } from "../../auth/role.ts";
import { toUserId } from "../../auth/user_id.ts";
import { UserExistsError } from "../../auth/errors.ts";
import { UsageError } from "../../errors.ts";
import { checkMayChange } from "../files.ts";
import type { GlobalFlags } from "../flags.ts";
import { refuseBoth } from "../metadata.ts";
import { openVault, prepareOpening } from "../open.ts";
import { note, writeJson } from "../output.ts";
import { claim, readNewPassword, readSecretText } from "./secret_input.ts";
import { userLine } from "./show_user.ts";

/** Flags that say what a user logs in with. */
export interface LoginFlags {
  /** File with the password. */
  readonly newPasswordFile?: string;
  /** File with a PHC string. */
  readonly passwordHashFile?: string;
  /** File with PostgreSQL's text of a SCRAM verifier. */
  readonly scramFile?: string;
}

/** Flags of `user add`. */
export interface UserAddFlags extends GlobalFlags, LoginFlags {
  /** What the user may do. */
  readonly role?: Role;
  /** Whether the user gets no password. */
  readonly noPassword: boolean;
  /** Whether the user may not log in for now. */
  readonly disabled: boolean;
}

/** Adds a user. */
export default async function userAdd(flags: UserAddFlags, name: string): Promise<void> {
  const { role } = flags;
  if (role === undefined) throw new UsageError("--role is missing", { hint: "Give read, write or admin" });
  const id = toUserId(name);
  refuseTwoPasswords(flags, { "--no-password": flags.noPassword });
  const opening = prepareOpening(flags);
  checkMayChange(opening.path);
  claimLogin(flags);
  await using vault = await openVault(opening);
  // Before a password is asked for that would not be used.
  if (await vault.users.has(id)) throw new UserExistsError(name);
  const secrets = flags.noPassword ? {} : await readLogin(flags);
  const user = await vault.users.create({ ...id, role, enabled: !flags.disabled, ...secrets });
  if (flags.json) await writeJson(user);
  else if (Deno.stderr.isTerminal()) note(`Added ${userLine(user).trimEnd()}`);
}

/** Refuses a password beside verifiers of one; a hash and a SCRAM verifier may come together. */
export function refuseTwoPasswords(flags: LoginFlags, others: Readonly<Record<string, boolean>> = {}): void {
  const { newPasswordFile, passwordHashFile, scramFile } = flags;
  const alone = { ...others, "--new-password-file": newPasswordFile };
  refuseBoth({ ...alone, "--password-hash-file": passwordHashFile });
  refuseBoth({ ...alone, "--scram-file": scramFile });
}

/** Says which of the files is stdin. */
export function claimLogin(flags: LoginFlags): void {
  claim(flags.newPasswordFile, "--new-password-file");
  claim(flags.passwordHashFile, "--password-hash-file");
  claim(flags.scramFile, "--scram-file");
}

/** What the user logs in with, as the flags say; a password is asked for where they say nothing. */
export async function readLogin({ newPasswordFile, passwordHashFile, scramFile }: LoginFlags): Promise<LoginSecrets> {
  if (passwordHashFile === undefined && scramFile === undefined) {
    return { password: await readNewPassword(newPasswordFile) };
  }
  return {
    ...(passwordHashFile === undefined ? {} : { passwordHash: await readSecretText(passwordHashFile, "hash file") }),
    ...(scramFile === undefined ? {} : { scram: await readSecretText(scramFile, "verifier file") }),
  };
}
