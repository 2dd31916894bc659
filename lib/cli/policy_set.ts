/**
 * `coffer policy set NAME VALUE`: sets a policy.
 *
 * @module
 */
import type { CredentialOptions } from "../sealed/credential.ts";
import { lifts, type PolicyName } from "../state/policies.ts";
import { findCredential } from "./credential.ts";
import type { GlobalFlags } from "./flags.ts";
import { openVault, prepareOpening } from "./open.ts";
import { note, writeJson } from "./output.ts";
import { parsePolicy } from "./policy.ts";
import { assertWanted, canAsk } from "./terminal.ts";

/** Flags of `policy set`. */
export interface PolicySetFlags extends GlobalFlags {
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Sets a policy. Where it takes a restriction away the credential is read, or asked for, once more. */
export default async function policySet(flags: PolicySetFlags, name: PolicyName, word: string): Promise<void> {
  const value = parsePolicy(name, word);
  const opening = prepareOpening(flags);
  const { passphrase, keyFile, recoveryCode, certificate } = opening.options;
  const credential: CredentialOptions = { passphrase, keyFile, recoveryCode, certificate };
  await using vault = await openVault(opening);
  if (canAsk() && lifts(name, await vault.policies.get(name), value)) {
    // Where nobody types the credential once more, nobody would have been asked.
    const given = findCredential(flags) !== undefined;
    if (given) await assertWanted(flags.yes, `Set ${name} to ${word}? This takes a restriction away.`);
    else note("This takes a restriction away, so the credential is needed once more.");
  }
  await vault.policies.set(name, value as never, { credential });
  if (flags.json) await writeJson({ name, value });
}
