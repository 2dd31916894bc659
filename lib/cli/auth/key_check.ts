/**
 * `coffer key check`: whose an API key is.
 *
 * @module
 */
import { CofferError } from "../../errors.ts";
import type { Vault } from "../../vault.ts";
import type { GlobalFlags } from "../flags.ts";
import { openVault, prepareOpening } from "../open.ts";
import { warn, writeJson, writeOut } from "../output.ts";
import { readGiven } from "./secret_input.ts";
import { userLine } from "./show_user.ts";

/** Flags of `key check`. */
export interface KeyCheckFlags extends GlobalFlags {
  /** File with the key. */
  readonly file?: string;
}

/** Checks a key. */
export default async function keyCheck(flags: KeyCheckFlags): Promise<void> {
  const opening = prepareOpening(flags);
  const key = await readGiven(flags.file, "API key");
  const vault = await openVault(opening);
  try {
    const holder = await vault.apiKeys.check(key);
    if (flags.json) await writeJson(holder);
    else await writeOut(userLine({ ...holder, enabled: true }));
  } finally {
    await closeNoting(vault);
  }
}

/** Where nothing may be written, it is not noted when the key was used; the check is right all the same. */
async function closeNoting(vault: Vault): Promise<void> {
  try {
    await vault.close();
  } catch (error) {
    if (!(error instanceof CofferError) || error.exitCode !== 8) throw error;
    warn("It could not be noted that the key was used: the vault may not be written");
  }
}
