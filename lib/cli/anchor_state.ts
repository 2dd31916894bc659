/**
 * How a vault stands to its anchor, as far as can be told without a credential.
 *
 * @module
 */
import { decodeHex, encodeHex } from "../bytes.ts";
import { AnchorDamagedError } from "../errors.ts";
import { type AnchorRecord, inspectAnchor } from "../sealed/anchor.ts";
import { FileAnchor } from "../storage/anchor_file.ts";
import type { VaultSummary } from "../vault.ts";

/** The states, and what they are called. */
export const ANCHOR_STATES = {
  none: "the vault has no anchor",
  missing: "it is missing",
  damaged: "it is damaged",
  foreign: "it is of another vault",
  level: "level with the vault",
  behind: "behind the vault; the next change moves it up",
  older: "the vault is older than the anchor says",
} as const;

/** What an anchor says of a vault. */
export interface ComparedAnchor {
  /** How the vault stands to it. */
  readonly state: keyof typeof ANCHOR_STATES;
  /** Its newest record of this vault, where there is one. */
  readonly record?: AnchorRecord;
}

/** Holds the anchor at a path against what a vault's file says of itself. Neither is authenticated. */
export function compareAnchor(path: string, { vaultId, generation }: VaultSummary): ComparedAnchor {
  const store = new FileAnchor(path);
  const waiting = store.waiting(decodeHex(vaultId));
  try {
    const own = store.read();
    const bytes = own ?? waiting.read();
    if (bytes === null) return { state: "missing" };
    const [record] = inspectAnchor(bytes, path)
      .filter((record) => encodeHex(record.vaultId) === vaultId)
      .sort((a, b) => b.generation - a.generation);
    // One that waits counts for the generation that it was made for.
    if (own === null && record?.generation !== generation) return { state: "missing" };
    if (record === undefined) return { state: "foreign" };
    if (record.generation === generation) return { state: "level", record };
    return { state: record.generation < generation ? "behind" : "older", record };
  } catch (error) {
    if (error instanceof AnchorDamagedError) return { state: "damaged" };
    throw error;
  } finally {
    store.release();
    waiting.release();
  }
}
