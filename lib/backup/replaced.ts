/**
 * The vault that a restore replaces, opened as far as it opens: its policies are not to be lost on the way.
 *
 * @module
 */
import { equalBytes } from "../bytes.ts";
import { wipe } from "../crypto/random.ts";
import { CofferError, KdfLimitError, WrongCredentialError } from "../errors.ts";
import { type CredentialOptions, resolveCredential } from "../sealed/credential.ts";
import { unwrapVaultKey } from "../sealed/key_slot.ts";
import { deriveKeys, type VaultKeys } from "../sealed/keys.ts";
import type { Meta } from "../sealed/meta.ts";
import type { State } from "../state/records.ts";
import type { Disk, LockOptions } from "../storage/disk.ts";
import { withLock } from "../storage/locking.ts";
import { judge } from "./judge.ts";
import { authenticMeta, type MetaCandidate, readSource, type Ring } from "./source.ts";

/** How often somebody else may give the vault a new key while one is derived. */
const ATTEMPTS = 8;

/** What opens a vault's file. */
export interface Opener extends LockOptions {
  /** The keys of the backup: they are the vault's too, unless it was rotated since. */
  readonly keys: VaultKeys;
  /** What opens the vault where it has another key. */
  readonly credential: CredentialOptions | undefined;
}

/** What opened of the vault that is there. */
export interface Replaced {
  /** The newest state that opens. */
  readonly state: State;
  /** Whether that is the version that counts. */
  readonly newest: boolean;
  /** What it says of itself. */
  readonly meta: Meta;
}

/**
 * Runs work under the exclusive lock with the newest state that opens of the vault at a disk; with undefined where none
 * does. Keys are derived before, without the lock.
 */
export async function withReplaced<T>(
  disk: Disk,
  opener: Opener,
  work: (replaced: Replaced | undefined) => Promise<T>,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    const rings = await ringsOf(disk, opener);
    const done = await withLock(disk, "exclusive", opener, async () => {
      const candidates = await candidatesOf(disk);
      const replaced = await newestState(disk, candidates, rings);
      const others = candidates.some(({ sealed }) => !rings.some((ring) => equalBytes(ring.sealed, sealed)));
      // A rotation came in between: its key is worth another try.
      if (!replaced?.newest && others && attempt < ATTEMPTS) return undefined;
      return { result: await work(replaced) };
    });
    if (done !== undefined) return done.result;
  }
}

/** The keys that a sealed meta was tried with. */
interface Tried {
  /** The meta, whoever wrote it. */
  readonly sealed: Uint8Array;
  /** The keys that it leads to, where any do. */
  readonly ring?: Ring;
}

/** For each version of the file the keys that open it, where there are any. */
async function ringsOf(disk: Disk, opener: Opener): Promise<readonly Tried[]> {
  const candidates = await withLock(disk, "shared", opener, () => candidatesOf(disk));
  const tried: Tried[] = [];
  for (const candidate of candidates) {
    const ring = candidate.meta === undefined ? undefined : await ringOf(candidate, candidate.meta, tried, opener);
    tried.push({ sealed: candidate.sealed, ...(ring === undefined ? {} : { ring }) });
  }
  return tried;
}

async function ringOf(
  candidate: MetaCandidate,
  meta: Meta,
  tried: readonly Tried[],
  { keys, credential, signal }: Opener,
): Promise<Ring | undefined> {
  const { vaultId, epoch } = meta;
  const known = [{ vaultId, epoch, slot: 0, keys }, ...tried.flatMap(({ ring }) => ring ?? [])];
  for (const ring of known) {
    if (await authenticMeta(candidate, [ring]) !== undefined) return ring;
  }
  if (credential === undefined) return undefined;
  const resolved = await resolveCredential(credential);
  try {
    const { vaultKey, slot } = await unwrapVaultKey(meta, resolved, signal);
    try {
      return { vaultId, epoch, slot, keys: await deriveKeys(vaultKey, vaultId) };
    } finally {
      wipe(vaultKey);
    }
  } catch (error) {
    // It opens the backup, and the vault no more: a passphrase that was changed since, a slot that went.
    if (error instanceof WrongCredentialError || error instanceof KdfLimitError) return undefined;
    throw error;
  } finally {
    wipe(resolved.secret);
  }
}

async function newestState(
  disk: Disk,
  candidates: readonly MetaCandidate[],
  tried: readonly Tried[],
): Promise<Replaced | undefined> {
  const rings = tried.flatMap(({ ring }) => ring ?? []);
  for (const candidate of candidates) {
    for (const ring of rings.filter(({ epoch }) => epoch === candidate.meta?.epoch)) {
      const judged = await judge(disk, candidate, [ring], false);
      if (judged instanceof CofferError) continue;
      return { state: judged.state, newest: candidate === candidates[0], meta: judged.generation.meta };
    }
  }
  return undefined;
}

/** What is no vault, or not one that can be read, is told of where the restore looks at what it replaces. */
async function candidatesOf(disk: Disk): Promise<readonly MetaCandidate[]> {
  try {
    return (await readSource(disk)).candidates;
  } catch (error) {
    if (error instanceof CofferError && error.exitCode === 6) return [];
    throw error;
  }
}
