/**
 * The checks of `coffer doctor`, in the order of what they find.
 *
 * @module
 */
import { CofferError, CorruptVaultError, TruncatedVaultError } from "../../errors.ts";
import { anchorPath } from "../../storage/anchor_file.ts";
import { thisFileSystem } from "../../storage/permissions.ts";
import type { FileOptions, VaultSummary } from "../../vault.ts";
import { checkAnchor, checkAttempts } from "./anchor.ts";
import type { Check, Finding, Subject } from "./finding.ts";
import { checkLeftAnchors, checkLeftFolders, checkLeftovers } from "./leftovers.ts";
import { checkModes } from "./modes.ts";
import { checkSlots } from "./slots.ts";
import { checkSpace } from "./space.ts";
import { checkDamage, checkState } from "./state.ts";

/** Runs every check. What a check finds stands after what the checks before it found. */
export async function examine(path: string, options: FileOptions): Promise<readonly Finding[]> {
  // Files that others can use are a finding here, and no reason to look no further.
  const reach = { ...options, allowInsecurePermissions: true };
  const inspected = await inspect(path, reach);
  const summary = inspected instanceof CofferError ? undefined : inspected;
  const subject: Subject = {
    path,
    system: await thisFileSystem(),
    allowInsecurePermissions: options.allowInsecurePermissions ?? false,
    ...(summary === undefined ? {} : { summary }),
  };
  const anchor = typeof options.anchor === "string" ? options.anchor : anchorPath(path);
  const checks: readonly Check[] = [
    checkDamage(reach, inspected instanceof CofferError ? inspected : undefined),
    checkModes,
    checkLeftovers,
    checkLeftFolders,
    checkLeftAnchors(anchor),
    checkState,
    checkAnchor(anchor),
    checkAttempts,
    checkSlots,
    checkSpace(),
  ];
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...await check(subject));
  return findings;
}

/** What the file says of itself, or how it is damaged. */
async function inspect(path: string, options: FileOptions): Promise<VaultSummary | CofferError> {
  const { Vault } = await import("../../vault.ts");
  try {
    return await Vault.inspect(path, options);
  } catch (error) {
    if (error instanceof CorruptVaultError || error instanceof TruncatedVaultError) return error;
    throw error;
  }
}
