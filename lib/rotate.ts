/**
 * A new vault key.
 *
 * @module
 */
import { wipe } from "./crypto/random.ts";
import type { Engine } from "./engine.ts";
import { BackupReadOnlyError, ConflictError, SlotsFullError, SlotsWouldDropError } from "./errors.ts";
import { type CredentialOptions, resolveCredential } from "./sealed/credential.ts";
import { type PreparedSlot, prepareSlot, unwrapVaultKey, wrapSlot } from "./sealed/key_slot.ts";
import { SLOT_COUNT } from "./sealed/meta.ts";
import { sameSlots, type Slot } from "./sealed/slot.ts";
import { assertMayChange, prepareNewSlot, type SlotInfo, slotInfo } from "./slots.ts";

/** Which slots the new key is wrapped for. */
export interface RotateOptions {
  /** Credentials of the slots that stay, each as for opening; their passphrases and costs stay as they are. */
  readonly credentials: readonly CredentialOptions[];
  /** Lets the slots go whose credentials are not given. @default {false} */
  readonly dropOthers?: boolean;
  /** Gets the slots that would go without a word otherwise, before anything is done. When it throws, nothing changes. */
  readonly onDrop?: (slots: readonly SlotInfo[]) => void | Promise<void>;
  /**
   * Gets a fresh recovery code, before the new key counts. The old recovery slots go. When it throws, nothing changes.
   */
  readonly onRecoveryCode?: (code: string) => void | Promise<void>;
}

/** What a rotation did. */
export interface RotateReport {
  /** Counts vault keys. */
  readonly epoch: number;
  /** The slots as they are now. */
  readonly slots: readonly SlotInfo[];
  /** The slots that went. */
  readonly dropped: readonly SlotInfo[];
}

interface Kept {
  readonly slot: Slot;
  readonly prepared: PreparedSlot;
}

/** How often others may change slots while keys are derived. */
const ATTEMPTS = 8;

/** Gives the vault a new key: see `Vault.rotate`. */
export async function rotate(engine: Engine, options: RotateOptions): Promise<RotateReport> {
  for (let attempt = 1;; attempt++) {
    try {
      return await rotateOnce(engine, options);
    } catch (error) {
      // Nothing was done yet; but a code that was shown once is not shown again as another one.
      const again = error instanceof ConflictError && options.onRecoveryCode === undefined && attempt < ATTEMPTS;
      if (!again) throw error;
    }
  }
}

async function rotateOnce(engine: Engine, options: RotateOptions): Promise<RotateReport> {
  await engine.refresh();
  const { slots, backup } = engine.live.generation.meta;
  if (backup) throw new BackupReadOnlyError();
  const kept = await prepareKept(engine, options.credentials);
  const dropped = slots.filter(({ id }) => !kept.some(({ slot }) => slot.id === id));
  // A recovery slot is no loss when another takes its place.
  const lost = dropped.filter(({ kind }) => kind !== "recovery" || options.onRecoveryCode === undefined);
  if (lost.length > 0 && !options.dropOthers) throw new SlotsWouldDropError(lost.map(slotInfo));
  if (lost.length > 0) await options.onDrop?.(lost.map(slotInfo));
  const recovery = await prepareRecovery(engine, kept, dropped, options);

  return await engine.exclusively(async (now) => {
    const { meta } = engine.live.generation;
    // Deriving keys took time without a lock: slots that came or changed since would be dropped without a word.
    if (!sameSlots(slots, meta.slots)) throw new ConflictError(meta.generation, meta.generation);
    await engine.rekey(async (vaultKey, vault) => {
      const wrapped: Slot[] = [];
      for (const { slot, prepared } of kept) {
        wrapped.push(await wrapSlot(prepared, vaultKey, vault, slot.id, slot.created));
      }
      if (recovery !== undefined) wrapped.push(await wrapSlot(recovery, vaultKey, vault, meta.nextSlotId, now));
      return { slots: wrapped, nextSlotId: meta.nextSlotId + (recovery === undefined ? 0 : 1) };
    }, now);
    const { epoch, slots: after } = engine.live.generation.meta;
    return { epoch, slots: after.map(slotInfo), dropped: dropped.map(slotInfo) };
  });
}

/** Opens the slot of each credential, and does the slow part of wrapping for it anew. */
async function prepareKept(engine: Engine, credentials: readonly CredentialOptions[]): Promise<Kept[]> {
  const { meta } = engine.live.generation;
  const kept = new Map<number, Kept>();
  for (const options of credentials) {
    const credential = await resolveCredential(options);
    try {
      const { vaultKey, slot: id } = await unwrapVaultKey(meta, credential);
      wipe(vaultKey);
      const slot = meta.slots.find((slot) => slot.id === id)!;
      if (!kept.has(id)) kept.set(id, { slot, prepared: await prepareSlot(credential, slot.label, slot.kdf) });
    } finally {
      wipe(credential.secret);
    }
  }
  return [...kept.values()].sort((a, b) => a.slot.id - b.slot.id);
}

async function prepareRecovery(
  engine: Engine,
  kept: readonly Kept[],
  dropped: readonly Slot[],
  { onRecoveryCode }: RotateOptions,
): Promise<PreparedSlot | undefined> {
  if (onRecoveryCode === undefined) return undefined;
  // Before a code is shown that would never count, or that no slot would ever take.
  await assertMayChange(engine);
  if (kept.length >= SLOT_COUNT) throw new SlotsFullError();
  const label = dropped.find(({ kind }) => kind === "recovery")?.label ?? "";
  return await prepareNewSlot({ kind: "recovery" }, label, { onSecret: onRecoveryCode });
}
