/**
 * `coffer user scram USER`: the verifier for SCRAM-SHA-256.
 *
 * @module
 */
import { VerifierNotFoundError } from "../../auth/errors.ts";
import { encodePostgresVerifier, encodeRedDbVerifier } from "../../auth/scram_verifier.ts";
import { toUserId } from "../../auth/user_id.ts";
import type { GlobalFlags } from "../flags.ts";
import { suggesting } from "../suggesting.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson, writeOut } from "../output.ts";

/** Flags of `user scram`. */
export interface UserScramFlags extends GlobalFlags {
  /** Whose text it is to be. */
  readonly format?: "postgres" | "reddb";
}

/** Prints a user's verifier. */
export default async function userScram(flags: UserScramFlags, name: string): Promise<void> {
  const id = toUserId(name);
  const { format = "postgres" } = flags;
  await using vault = await openVault(prepareOpening(flags));
  const verifier = await suggesting(vault, () => vault.users.scramVerifier(id));
  if (verifier === undefined) throw new VerifierNotFoundError(name);
  const text = format === "postgres" ? encodePostgresVerifier(verifier) : encodeRedDbVerifier(verifier);
  if (flags.json) await writeJson({ user: name, format, verifier: text });
  else await writeOut(`${text}\n`);
}
