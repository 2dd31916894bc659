/**
 * What an anchor says to those who put another version in a vault's place.
 *
 * @module
 */
import { type Bytes, equalBytes } from "../bytes.ts";
import { AnchorDamagedError, AnchorForeignError } from "../errors.ts";
import { assertReplaceable, inspectAnchor } from "../sealed/anchor.ts";
import { anchorPath, FileAnchor } from "../storage/anchor_file.ts";
import type { AnchorStore } from "../storage/anchor_store.ts";

/** Larger numbers in a file that is not authenticated are not believed: going on from them would use them up. */
export const BELIEVABLE = 2 ** 52;

/** The anchor of the vault at a path; undefined when there is to be none. */
export function anchorStore(path: string, given: string | AnchorStore | null | undefined): AnchorStore | undefined {
  if (given === null) return undefined;
  return typeof given === "object" ? given : new FileAnchor(given ?? anchorPath(path));
}

/** Reads, and lets go of the store however that ends. */
function readOnce(store: AnchorStore): Bytes | null {
  try {
    return store.read();
  } finally {
    store.release();
  }
}

/** What an anchor may be without the caller's being told. */
export interface Leniency {
  /** A damaged one is taken for none. */
  readonly damaged: boolean;
  /** Another vault's is taken for none. */
  readonly foreign: boolean;
}

/**
 * The newest generation of a vault as its anchor says it, whoever wrote that; undefined when there is none. A number that
 * is too high asks for consent, and costs numbers only.
 *
 * @throws {AnchorDamagedError} @throws {AnchorForeignError} where those are not taken for none
 * @throws {UnsupportedVersionError} and the errors of reading
 */
export function anchoredGeneration(
  store: AnchorStore | undefined,
  vaultId: Uint8Array,
  { damaged, foreign }: Leniency,
): number | undefined {
  const bytes = store === undefined ? null : readOnce(store);
  if (store === undefined || bytes === null) return undefined;
  // Found out before a vault is put in its place, not after.
  if (!foreign) assertReplaceable(bytes, store.name);
  try {
    const records = inspectAnchor(bytes, store.name).filter((record) => equalBytes(record.vaultId, vaultId));
    if (records.length > 0) {
      return Math.max(0, ...records.map(({ generation }) => generation).filter((number) => number < BELIEVABLE));
    }
  } catch (error) {
    if (error instanceof AnchorDamagedError && damaged) return 0;
    throw error;
  }
  if (foreign) return 0;
  // Written over, it would no longer tell an older copy of the vault that it belongs to.
  throw new AnchorForeignError(store.name, {
    hint: "Name the vault's own anchor with --anchor; when that is lost, move the other vault's away first",
  });
}
