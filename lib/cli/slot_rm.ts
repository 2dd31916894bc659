/**
 * `coffer slot rm ID`: takes a credential's way in away.
 *
 * @module
 */
import type { GlobalFlags } from "./flags.ts";
import { openVault, prepareOpening } from "./open.ts";
import { note, writeJson } from "./output.ts";
import { assertWanted } from "./terminal.ts";

/** Flags of `slot rm`. */
export interface SlotRmFlags extends GlobalFlags {
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Removes a slot. */
export default async function slotRm(flags: SlotRmFlags, id: number): Promise<void> {
  await using vault = await openVault(prepareOpening(flags));
  // Of a slot that is not there, nobody is asked; removing it says so.
  if ((await vault.slots.list()).some((slot) => slot.id === id)) {
    await assertWanted(flags.yes, `Remove slot ${id}? Its credential will open this vault no more.`);
  }
  const slot = await vault.slots.remove(id);
  if (flags.json) await writeJson(slot);
  else if (Deno.stderr.isTerminal()) note(`Removed slot ${slot.id} (${slot.kind})`);
}
