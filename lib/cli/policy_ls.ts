/**
 * `coffer policy ls`: what the vault asks of those who use it.
 *
 * @module
 */
import type { GlobalFlags } from "./flags.ts";
import { openVault, prepareOpening } from "./open.ts";
import { shownPolicy } from "./policy.ts";
import { writeJson, writeOut } from "./output.ts";
import { table } from "./table.ts";

/** Lists all policies. */
export default async function policyLs(flags: GlobalFlags): Promise<void> {
  await using vault = await openVault(prepareOpening(flags));
  const policies = await vault.policies.list();
  if (flags.json) return await writeJson(policies);
  await writeOut(table([["POLICY", "VALUE"], ...Object.entries(policies).map(([name, v]) => [name, shownPolicy(v)])]));
}
