/**
 * What an anchor says to those who put another version in a vault's place.
 *
 * @module
 */
import { type Bytes, equalBytes } from "../bytes.ts";
import { AnchorDamagedError, AnchorForeignError } from "../errors.ts";
import { assertReplaceable, inspectAnchor } from "../sealed/anchor.ts";
import type { Meta } from "../sealed/meta.ts";
import { anchorPath, FileAnchor } from "../storage/anchor_file.ts";
import type { AnchorStore } from "../storage/anchor_store.ts";

/** Larger numbers in a file that is not authenticated are not believed: going on from them would use them up. */
export const BELIEVABLE = 2 ** 52;
/** The same for epochs. */
export const BELIEVABLE_EPOCH = 2 ** 31;

/** The anchor of the vault at a path; undefined when there is to be none. */
export function anchorStore(path: string, given: string | AnchorStore | null | undefined): AnchorStore | undefined {
  if (given === null) return undefined;
  return typeof given === "object" ? given : new FileAnchor(given ?? anchorPath(path));
}

/** What an anchor may be without the caller's being told. */
export interface Leniency {
  /** A damaged one is taken for none. */
  readonly damaged: boolean;
  /** Another vault's is taken for none. */
  readonly foreign: boolean;
}

/** What an anchor says of a vault, whoever wrote that. */
export interface AnchorFacts {
  /** The newest generation that it names; 0 for none that can be believed. */
  readonly generation: number;
  /** The highest epoch that it names; 0 for none that can be believed. */
  readonly epoch: number;
  /** All of its bytes, where one of its records is of the vault. */
  readonly bytes?: Bytes;
}

/** What an anchor says that is damaged, or another vault's. */
const NO_FACTS: AnchorFacts = { generation: 0, epoch: 0 };

/**
 * What a vault's anchor says, whoever wrote that; undefined when there is none. A number that is too high asks for consent,
 * and costs numbers only.
 *
 * @param vault the vault as its file says it is: an anchor that still waits for its name counts for that generation alone
 * @throws {AnchorDamagedError} @throws {AnchorForeignError} where those are not taken for none
 * @throws {UnsupportedVersionError} and the errors of reading
 */
export function anchorFacts(
  store: AnchorStore | undefined,
  vault: Pick<Meta, "vaultId" | "generation">,
  { damaged, foreign }: Leniency,
): AnchorFacts | undefined {
  if (store === undefined) return undefined;
  const bytes = readAndRelease(store);
  if (bytes === null) return waitingFacts(store, vault);
  // Found out before a vault is put in its place, not after.
  if (!foreign) assertReplaceable(bytes, store.name);
  try {
    const facts = factsOf(bytes, store.name, vault.vaultId);
    if (facts !== undefined) return facts;
  } catch (error) {
    if (error instanceof AnchorDamagedError && damaged) return NO_FACTS;
    throw error;
  }
  if (foreign) return NO_FACTS;
  // Written over, it would no longer tell an older copy of the vault that it belongs to.
  throw new AnchorForeignError(store.name, {
    hint: "Name the vault's own anchor with --anchor; when that is lost, move the other vault's away first",
  });
}

function waitingFacts(
  store: AnchorStore,
  { vaultId, generation }: Pick<Meta, "vaultId" | "generation">,
): AnchorFacts | undefined {
  const waiting = store.waiting?.(vaultId);
  const bytes = waiting === undefined ? null : readAndRelease(waiting);
  if (bytes === null) return undefined;
  try {
    const facts = factsOf(bytes, store.name, vaultId);
    return facts?.generation === generation ? facts : undefined;
  } catch (error) {
    if (error instanceof AnchorDamagedError) return undefined;
    throw error;
  }
}

function readAndRelease(store: Pick<AnchorStore, "read" | "release">): Bytes | null {
  try {
    return store.read();
  } finally {
    store.release();
  }
}

function factsOf(bytes: Bytes, name: string, vaultId: Uint8Array): AnchorFacts | undefined {
  const records = inspectAnchor(bytes, name).filter((record) => equalBytes(record.vaultId, vaultId));
  if (records.length === 0) return undefined;
  const believed = (numbers: readonly number[], most: number) => Math.max(0, ...numbers.filter((n) => n < most));
  return {
    generation: believed(records.map(({ generation }) => generation), BELIEVABLE),
    epoch: believed(records.map(({ epoch }) => epoch), BELIEVABLE_EPOCH),
    bytes,
  };
}
