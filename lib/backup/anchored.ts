/**
 * What an anchor says to those who put another version in a vault's place.
 *
 * @module
 */
import { equalBytes } from "../bytes.ts";
import { AnchorDamagedError } from "../errors.ts";
import { inspectAnchor } from "../sealed/anchor.ts";
import { anchorPath, FileAnchor } from "../storage/anchor_file.ts";
import type { AnchorStore } from "../storage/anchor_store.ts";

/** Larger numbers in a file that is not authenticated are not believed: going on from them would use them up. */
export const BELIEVABLE = 2 ** 52;

/** The anchor of the vault at a path; undefined when there is to be none. */
export function anchorStore(path: string, given: string | AnchorStore | null | undefined): AnchorStore | undefined {
  if (given === null) return undefined;
  return typeof given === "object" ? given : new FileAnchor(given ?? anchorPath(path));
}

/**
 * The newest generation of a vault as its anchor says it, whoever wrote that; 0 when there is none. A number that is too
 * high asks for consent, and costs numbers only.
 *
 * @param lenient takes an anchor that is damaged for none
 * @throws {AnchorDamagedError} @throws {UnsupportedVersionError} and the errors of reading
 */
export function anchoredGeneration(store: AnchorStore | undefined, vaultId: Uint8Array, lenient: boolean): number {
  const bytes = store?.read() ?? null;
  store?.release();
  if (store === undefined || bytes === null) return 0;
  try {
    const records = inspectAnchor(bytes, store.name).filter((record) => equalBytes(record.vaultId, vaultId));
    return Math.max(0, ...records.map(({ generation }) => generation).filter((number) => number < BELIEVABLE));
  } catch (error) {
    if (error instanceof AnchorDamagedError && lenient) return 0;
    throw error;
  }
}
