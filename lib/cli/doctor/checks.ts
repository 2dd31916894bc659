/**
 * The checks of `coffer doctor`, in the order of what they find.
 *
 * @module
 */
import { CorruptVaultError, TruncatedVaultError } from "../../errors.ts";
import { thisFileSystem } from "../../storage/permissions.ts";
import type { FileOptions, VaultSummary } from "../../vault.ts";
import type { Check, Finding, Subject } from "./finding.ts";
import { checkLeftovers } from "./leftovers.ts";
import { checkModes } from "./modes.ts";
import { checkSlots } from "./slots.ts";
import { checkSpace } from "./space.ts";
import { checkState, checkStructure } from "./state.ts";

/** Runs every check. What a check finds stands after what the checks before it found. */
export async function examine(path: string, options: FileOptions): Promise<readonly Finding[]> {
  // Files that others can use are a finding here, and no reason to look no further.
  const reach = { ...options, allowInsecurePermissions: true };
  const summary = await inspect(path, reach);
  const subject: Subject = {
    path,
    system: await thisFileSystem(),
    allowInsecurePermissions: options.allowInsecurePermissions ?? false,
    ...(summary === undefined ? {} : { summary }),
  };
  // A check of the anchor or of failed attempts belongs here: a function of the subject in a file of its own.
  const checks: readonly Check[] = [
    checkStructure(reach),
    checkModes,
    checkLeftovers,
    checkState,
    checkSlots,
    checkSpace(),
  ];
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...await check(subject));
  return findings;
}

/** What the file says; nothing when it is damaged, which the check of its pages tells better. */
async function inspect(path: string, options: FileOptions): Promise<VaultSummary | undefined> {
  const { Vault } = await import("../../vault.ts");
  try {
    return await Vault.inspect(path, options);
  } catch (error) {
    if (error instanceof CorruptVaultError || error instanceof TruncatedVaultError) return undefined;
    throw error;
  }
}
