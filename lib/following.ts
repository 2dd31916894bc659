/**
 * Going on with an open vault that another process gave a new key.
 *
 * @module
 */
import type { Live } from "./commit_plan.ts";
import type { Unlock } from "./engine.ts";
import { ForkDetectedError, RollbackDetectedError } from "./errors.ts";
import { equalBytes } from "./bytes.ts";
import { underOneKey } from "./opening.ts";
import type { VaultKeys } from "./sealed/keys.ts";
import { type Generation, readGeneration } from "./sealed/store.ts";
import { loadLive, verifyAnchor } from "./replica.ts";
import type { Anchor } from "./sealed/anchor.ts";
import type { LockOptions } from "./storage/disk.ts";
import { withLock } from "./storage/locking.ts";
import type { Medium } from "./storage/medium.ts";

/** The vault under its new key. */
export interface Followed extends Live {
  readonly keys: VaultKeys;
  /** Number of the slot that gave the key. */
  readonly slot: number;
}

/**
 * Opens the newest generation under the key that it has now, and holds it against what was known: it must be a later one of
 * the same vault, as for a vault that kept its key. The key is derived without a lock.
 *
 * @throws {RollbackDetectedError} @throws {ForkDetectedError} @throws {WrongCredentialError} and what opening a vault throws
 */
export async function follow(
  medium: Medium,
  options: LockOptions & { readonly anchor: Anchor | undefined; readonly unlock: Unlock },
  known: Generation,
): Promise<Followed> {
  return await underOneKey(medium, options, async (meta) => {
    const { keys, slot } = await options.unlock(meta);
    return await withLock(medium, "shared", options, async () => {
      try {
        const generation = (await readGeneration(medium, keys))!;
        const { vaultId, generation: number } = generation.meta;
        if (number < known.meta.generation) throw new RollbackDetectedError(number, known.meta.generation);
        // The same number under another key is another history.
        if (number === known.meta.generation || !equalBytes(vaultId, known.meta.vaultId)) {
          throw new ForkDetectedError(number);
        }
        const live = await loadLive(keys, generation);
        await verifyAnchor(options.anchor, generation, keys, live.state);
        return { ...live, keys, slot };
      } finally {
        options.anchor?.release();
      }
    });
  });
}
