/**
 * An older version written into a new file, as a newer commit than any before.
 *
 * @module
 */
import { type Bytes, encodeHex } from "../bytes.ts";
import { randomBytes } from "../crypto/random.ts";
import { SealLimitError } from "../errors.ts";
import { ID_SIZE, type Meta, SEAL_LIMIT, sealMeta } from "../sealed/meta.ts";
import { CHUNK_SIZE, sealSegment } from "../sealed/segment.ts";
import { commitGeneration, readGeneration } from "../sealed/store.ts";
import { encodeLines } from "../state/lines.ts";
import type { Disk } from "../storage/disk.ts";
import { FileMedium } from "../storage/file.ts";
import { writeImage } from "../storage/image.ts";
import type { Readable } from "./judge.ts";
import type { Ring } from "./source.ts";

/**
 * Writes the version to an empty disk, under the same vault key, and commits once on it, so that both meta pages stand.
 *
 * @param newest the newest generation that was seen; those of the new file are higher, so that none is used twice
 * @param seals how often the vault key has sealed, as far as it is known
 * @returns the generation of the new file
 * @throws {SealLimitError}
 */
export async function rewrite(
  disk: Disk,
  { generation: older, state }: Readable,
  { keys }: Ring,
  newest: number,
  seals: number,
): Promise<number> {
  const now = Date.now();
  const { vaultId, epoch } = older.meta;
  const generation = newest + 1;
  const chunks = [...encodeLines(state.records(), CHUNK_SIZE)];
  const id = randomBytes(ID_SIZE);
  const next: Meta = { ...older.meta, generation, seals: seals + chunks.length, updated: now, head: id };
  if (next.seals > SEAL_LIMIT) throw new SealLimitError(seals);
  const previous = new Uint8Array(ID_SIZE);
  const header = { kind: "snapshot", epoch, first: generation, last: generation, id, previous } as const;
  const snapshot = await sealSegment({ key: keys.data, vaultId }, header, chunks);
  const segments = [...await others(older), { version: generation, bytes: snapshot }];
  await writeImage(disk, { version: generation, meta: await sealMeta(next, keys.meta), segments });
  const medium = new FileMedium(disk);
  const written = (await readGeneration(medium, keys))!;
  const empty = { kind: "delta", chunks: [new Uint8Array(0)], keep: written.segments.length, meta: {}, now } as const;
  return (await commitGeneration(medium, keys, written, empty)).meta.generation;
}

/** Segments without records go over as they are: they are sealed to the vault and to themselves, not to a place. */
async function others({ segments }: Readable["generation"]): Promise<{ version: number; bytes: Bytes }[]> {
  const kept: { version: number; bytes: Bytes }[] = [];
  for (const { stored, header } of segments) {
    const kind: string = header.kind;
    if (kind === "snapshot" || kind === "delta") continue;
    kept.push({ version: stored.version, bytes: await stored.read(0, stored.length) });
  }
  return kept;
}

/** The name under which a damaged file is kept beside the vault, different each time. */
export function keptName(path: string, now: Date, again: number): string {
  const time = now.toISOString().replace(/\.\d+Z$/, "Z").replaceAll(/[-:]/g, "");
  return `${path}.damaged-${time}${again === 0 ? "" : `-${encodeHex(randomBytes(2))}`}`;
}
