/**
 * `coffer policy set NAME VALUE`: sets a policy.
 *
 * @module
 */
import type { CredentialOptions } from "../sealed/credential.ts";
import { lifts, type PolicyName } from "../state/policies.ts";
import type { GlobalFlags } from "./flags.ts";
import { openVault, prepareOpening } from "./open.ts";
import { note, writeJson } from "./output.ts";
import { parsePolicy } from "./policy.ts";
import { canAsk } from "./terminal.ts";

/** Sets a policy. Where it takes a restriction away the credential is read, or asked for, once more. */
export default async function policySet(flags: GlobalFlags, name: PolicyName, word: string): Promise<void> {
  const value = parsePolicy(name, word);
  const opening = prepareOpening(flags);
  const { passphrase, keyFile, recoveryCode, certificate } = opening.options;
  const credential: CredentialOptions = { passphrase, keyFile, recoveryCode, certificate };
  await using vault = await openVault(opening);
  if (canAsk() && lifts(name, await vault.policies.get(name), value)) {
    note("This takes a restriction away, so the credential is needed once more.");
  }
  await vault.policies.set(name, value as never, { credential });
  if (flags.json) await writeJson({ name, value });
}
