/**
 * `coffer slot ls`: who can open the vault.
 *
 * @module
 */
import type { SlotInfo } from "../slots.ts";
import { findCredential } from "./credential.ts";
import type { GlobalFlags } from "./flags.ts";
import { fileOptions, openVault, prepareOpening, vaultPath } from "./open.ts";
import { writeJson, writeOut } from "./output.ts";
import { slotTable } from "./slot.ts";

/** Lists the slots: authenticated with a credential, as the file says without one. */
export default async function slotLs(flags: GlobalFlags): Promise<void> {
  const slots = await listSlots(flags);
  if (flags.json) await writeJson(slots);
  else await writeOut(slotTable(slots));
}

async function listSlots(flags: GlobalFlags): Promise<readonly SlotInfo[]> {
  const path = vaultPath(flags);
  if (findCredential(flags) === undefined) {
    const { Vault } = await import("../vault.ts");
    return (await Vault.inspect(path, { ...fileOptions(flags), attempts: false })).slots;
  }
  await using vault = await openVault(prepareOpening(flags));
  return await vault.slots.list();
}
