/**
 * Backups: a copy of a vault at one generation, which is a vault itself.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import type { Engine } from "../engine.ts";
import { sealMeta } from "../sealed/meta.ts";
import { copyImage } from "../storage/image.ts";

/** A backup before it is written anywhere. */
export interface Backup {
  /** The bytes of a vault file. */
  readonly bytes: Bytes;
  /** The generation that it holds. */
  readonly generation: number;
}

/**
 * Copies the newest generation, sealed segments as they are, under the vault's own slots. Only the meta is sealed anew: it
 * says that this is a backup, which has no anchor and is not changed.
 */
export async function backUp(engine: Engine): Promise<Backup> {
  return await engine.reading(async ({ meta, committed }) => {
    const sealed = await sealMeta({ ...meta, anchored: false, backup: true }, engine.keys.meta);
    return { bytes: await copyImage({ ...committed, meta: sealed }), generation: meta.generation };
  });
}
