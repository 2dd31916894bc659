/**
 * What is wrong with a vault's file, what of it stands, and what would be given up by falling back to that.
 *
 * @module
 */
import { CofferError, CorruptVaultError, TruncatedVaultError } from "../errors.ts";
import type { State } from "../state/records.ts";
import { SECRET } from "../state/secret.ts";
import { incompleteness } from "../storage/choose.ts";
import type { Disk } from "../storage/disk.ts";
import { assemble } from "./assemble.ts";
import { gather } from "./gather.ts";
import { judge, type Readable, type Unreadable } from "./judge.ts";
import { authenticMeta, type Ring, type Source } from "./source.ts";

/** Says what can still be done when no version can be read. */
const SALVAGE_HINT = "Keep the file, and gather what still opens with `coffer salvage OUT`, or restore a backup";

/** A secret that is not the same in the two versions. */
export interface LostSecret {
  /** Its name. */
  readonly name: string;
  /** What the lost version did: it added, changed or removed the secret. */
  readonly change: "added" | "changed" | "removed";
}

/** What falling back gives up. */
export interface RepairLoss {
  /** The generations that are given up, both ends included. */
  readonly generations: { readonly first: number; readonly last: number };
  /** Secrets that differ, as far as the lost version still opens. */
  readonly secrets: readonly LostSecret[];
  /** Whether all of the lost version's changes could be compared; else more may be lost than is named. */
  readonly complete: boolean;
}

/** What was found. */
export interface Plan {
  /** As in the report of a repair. */
  readonly state: "sound" | "torn" | "damaged";
  /** The version that can be read. */
  readonly stands: Readable;
  /** Its keys. */
  readonly ring: Ring;
  /** The newest generation that was seen, or must have been. */
  readonly newest: number;
  /** The highest epoch that either meta page speaks of, as far as they are authentic. */
  readonly epoch: number;
  /** How often the vault key has sealed, as far as either meta page says. */
  readonly seals: number;
  /** What is wrong, in words. */
  readonly problems: readonly string[];
  /** What falling back gives up. */
  readonly loss?: RepairLoss;
}

/**
 * Judges both versions. The caller holds a lock.
 *
 * @param known the newest generation that is known of from elsewhere, or 0
 * @throws {CorruptVaultError} @throws {TruncatedVaultError} when neither can be read
 */
export async function makePlan(disk: Disk, source: Source, rings: readonly Ring[], known: number): Promise<Plan> {
  let stands: Readable | undefined;
  const unreadable: Unreadable[] = [];
  let counts: Readable | Unreadable | undefined;
  let [newest, seals, epoch] = [0, 0, 0];
  let torn = source.candidates.length < 2;
  for (const candidate of source.candidates) {
    const meta = await authenticMeta(candidate, rings);
    newest = Math.max(newest, meta?.generation ?? 0);
    seals = Math.max(seals, meta?.seals ?? 0);
    epoch = Math.max(epoch, meta?.epoch ?? 0);
    const judged = await judge(disk, candidate, rings);
    if (judged instanceof CofferError) unreadable.push(judged);
    else stands ??= judged;
    // What the storage passes over by itself is torn; what it takes, and nobody can open, is damaged.
    if (await isPassedOver(disk, candidate)) torn = true;
    else counts ??= judged;
  }
  if (stands === undefined) throw hopeless(unreadable);
  const ring = rings.find(({ epoch }) => epoch === stands.generation.meta.epoch)!;
  const { generation } = stands.generation.meta;
  const found = { stands, ring, seals, epoch, problems: unreadable.map(({ message }) => message) };
  const lose = async (last: number) => await compare(disk, source, rings, stands, last);
  if (counts === stands && !(torn && known > generation)) {
    // Of the version that a file begins with the other page was never written.
    const [only, ...others] = source.candidates;
    const fresh = others.length === 0 && only?.page?.origin === generation;
    if (!torn || fresh) return { ...found, state: "sound", newest: generation };
    return { ...found, state: "torn", newest, ...(newest > generation ? { loss: await lose(newest) } : {}) };
  }
  // An older copy from the very start of a file looks the same.
  if (counts === stands) {
    found.problems.push(`generation ${known} is known of: its page is wiped, or this is an older copy`);
  }
  // The page that can not be read was at least the one after: commits take turns.
  newest = Math.max(newest, known, generation + 1);
  return { ...found, state: "damaged", newest, loss: await lose(newest) };
}

async function isPassedOver(disk: Disk, { valid, page }: Source["candidates"][number]): Promise<boolean> {
  return !valid || page === undefined || await incompleteness(disk, page, await disk.size()) !== null;
}

/** The newest version's fault is the cause; that the file is cut short says more than either. */
function hopeless(unreadable: readonly Unreadable[]): CofferError {
  const [cause] = unreadable;
  const cut = unreadable.find((error) => error instanceof TruncatedVaultError);
  if (cut !== undefined) {
    return new TruncatedVaultError(cut.path, cut.size, cut.expected, { hint: SALVAGE_HINT, cause: cut });
  }
  const page = cause instanceof CorruptVaultError ? cause.page : undefined;
  return new CorruptVaultError("no version of it can be read", {
    hint: SALVAGE_HINT,
    cause,
    ...(page === undefined ? {} : { page }),
  });
}

/** Names the secrets that differ between the version that stands and what still opens of the newer one. */
async function compare(
  disk: Disk,
  source: Source,
  rings: readonly Ring[],
  stands: Readable,
  newest: number,
): Promise<RepairLoss> {
  const { generation } = stands.generation.meta;
  const { fragments, failures } = await gather(disk, source, rings);
  const { state, missing } = assemble(fragments, newest);
  const newer = fragments.some(({ header }) => header.last > generation);
  return {
    generations: { first: generation + 1, last: newest },
    secrets: newer ? [...differences(stands.state, state)].sort((a, b) => a.name < b.name ? -1 : 1) : [],
    complete: newer && failures.length === 0 && missing.length === 0,
  };
}

function* differences(older: State, newer: State): Generator<LostSecret> {
  for (const name of newer.keys(SECRET)) {
    const before = older.get(SECRET, name);
    if (before === undefined) yield { name, change: "added" };
    else if (before !== newer.get(SECRET, name)) yield { name, change: "changed" };
  }
  for (const name of older.keys(SECRET)) {
    if (newer.get(SECRET, name) === undefined) yield { name, change: "removed" };
  }
}
