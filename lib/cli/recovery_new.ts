/**
 * `coffer recovery new`: another recovery code in the place of the old ones.
 *
 * @module
 */
import { BackupReadOnlyError } from "../errors.ts";
import type { SlotInfo } from "../slots.ts";
import type { Vault } from "../vault.ts";
import { checkMayChange, checkMayCreate } from "./files.ts";
import type { GlobalFlags } from "./flags.ts";
import { withNewFile } from "./new_credential.ts";
import { openVault, prepareOpening } from "./open.ts";
import { note, showOnce, writeJson } from "./output.ts";
import { showRecoveryCode } from "./recovery.ts";

/** Flags of `recovery new`. */
export interface RecoveryNewFlags extends GlobalFlags {
  /** File for the code. */
  readonly recoveryOut?: string;
  /** Whether the code is not asked back. */
  readonly noConfirm: boolean;
}

/** Adds the new slot, then takes the old ones away: a crash in between leaves more codes that open, never none. */
export default async function recoveryNew(flags: RecoveryNewFlags): Promise<void> {
  const { recoveryOut, json } = flags;
  const opening = prepareOpening(flags);
  if (recoveryOut !== undefined) checkMayCreate(recoveryOut);
  checkMayChange(opening.path);
  await using vault = await openVault(opening);
  // Before a code is shown that would never count.
  const { backup, slots } = await vault.status();
  if (backup) throw new BackupReadOnlyError();
  const old = slots.filter(({ kind }) => kind === "recovery");
  const label = old[0]?.label ?? "";
  let code: string | undefined;
  const added = await withNewFile(recoveryOut, async (write) => {
    return await vault.slots.add({ kind: "recovery", label }, {
      onSecret: async (text) => {
        if (recoveryOut !== undefined) write(text);
        else if (json) code = text;
        else await showRecoveryCode(text, flags.noConfirm);
      },
    });
  });
  if (code !== undefined) await print(vault, added, old, code);
  // Started together, they share one commit.
  await Promise.all(old.map(({ id }) => vault.slots.remove(id)));
  if (json && recoveryOut !== undefined) await writeJson({ ...added, removed: old, recoveryFile: recoveryOut });
  if (!json && Deno.stderr.isTerminal()) note(`Slot ${added.id} is the recovery slot now; older codes open nothing`);
}

/** While the old codes still open the vault. A slot whose code nobody could read would be of no use: it goes again. */
async function print(vault: Vault, added: SlotInfo, removed: readonly SlotInfo[], recoveryCode: string): Promise<void> {
  try {
    await showOnce(() => writeJson({ ...added, removed, recoveryCode }));
  } catch (error) {
    await vault.slots.remove(added.id);
    throw error;
  }
}
