/**
 * What a vault says of itself to anyone who can read its file.
 *
 * @module
 */
import type { AttemptsStatus } from "./attempts.ts";
import { encodeHex } from "./bytes.ts";
import type { Meta } from "./sealed/meta.ts";
import { type SlotInfo, slotInfo } from "./slots.ts";
import type { Medium, MediumUsage } from "./storage/medium.ts";

/** What the file itself says, to anyone who can read it. Nothing of it is authenticated. */
export interface VaultSummary {
  /** Random id, in hex. */
  readonly vaultId: string;
  /** Counts commits, from 1. */
  readonly generation: number;
  /** Counts vault keys, from 1. */
  readonly epoch: number;
  /** When the vault was made. */
  readonly createdAt: Date;
  /** When it was last committed to. */
  readonly updatedAt: Date;
  /** The key slots, without their keys. */
  readonly slots: readonly SlotInfo[];
  /** How often the vault key has sealed; past 2^31 it is time for a new one. */
  readonly seals: number;
  /** Bytes in use. */
  readonly usage: MediumUsage;
  /** Whether a torn newer commit was passed over: a crash, or somebody's doing. */
  readonly recovered: boolean;
  /** Whether an anchor outside the vault says which generation is the newest. */
  readonly anchored: boolean;
  /** Failed tries to open it; absent where they do not count, as on a medium. */
  readonly attempts?: AttemptsStatus;
  /** Whether this is a backup, which can be read and restored, and is not changed. */
  readonly backup: boolean;
}

/** Sums up a meta, and the medium that it is on. */
export async function summarize(
  meta: Meta,
  medium: Medium,
  recovered: boolean,
  attempts: AttemptsStatus | undefined,
): Promise<VaultSummary> {
  return {
    vaultId: encodeHex(meta.vaultId),
    generation: meta.generation,
    epoch: meta.epoch,
    createdAt: new Date(meta.created),
    updatedAt: new Date(meta.updated),
    slots: meta.slots.map(slotInfo),
    seals: meta.seals,
    usage: await medium.usage(),
    recovered,
    anchored: meta.anchored,
    ...(attempts === undefined ? {} : { attempts }),
    backup: meta.backup,
  };
}
