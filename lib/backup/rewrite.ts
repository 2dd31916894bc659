/**
 * An older version written into a new file, as a newer commit than any before.
 *
 * @module
 */
import { extendLog } from "../audit/chain.ts";
import { AUDIT, type AuditOrigin, encodeEntry } from "../audit/entry.ts";
import { encodeHex } from "../bytes.ts";
import { planRewrite } from "../commit_plan.ts";
import { randomBytes } from "../crypto/random.ts";
import { sealWhole } from "../sealed/store.ts";
import { type Changes, setChange } from "../state/records.ts";
import type { Disk } from "../storage/disk.ts";
import { fileImage } from "../storage/image.ts";
import type { Readable } from "./judge.ts";
import type { Ring } from "./source.ts";

/**
 * Writes the version to an empty disk, under the same vault key, and syncs. The log goes on, and says what happened.
 *
 * @param newest the newest generation that was seen; that of the new file is higher, so that none is used twice
 * @param seals how often the vault key has sealed, as far as it is known
 * @param origin who the log says does it
 * @returns the generation of the new file
 * @throws {SealLimitError}
 */
export async function rewrite(
  disk: Disk,
  stands: Readable,
  { keys }: Ring,
  newest: number,
  seals: number,
  origin: AuditOrigin,
): Promise<number> {
  const now = Date.now();
  const { meta } = stands.generation;
  const generation = newest + 1;
  const entry = encodeEntry({ operation: "vault.repair", count: meta.generation }, origin, now);
  const changes: Changes = new Map();
  setChange(changes, AUDIT, String(meta.audit.length + 1), entry);
  const { append } = await planRewrite(keys, stands, changes);
  const next = { ...meta, generation, seals, updated: now, audit: await extendLog(meta.audit, [entry]) };
  const { sealedMeta, segments } = await sealWhole(keys, next, append);
  await disk.writeAt(
    await fileImage(generation, sealedMeta, segments.map((bytes) => ({ version: generation, bytes }))),
    0,
  );
  await disk.sync();
  return generation;
}

/** The name under which a damaged file is kept beside the vault, different each time. */
export function keptName(path: string, now: Date, again: number): string {
  const time = now.toISOString().replace(/\.\d+Z$/, "Z").replaceAll(/[-:]/g, "");
  return `${path}.damaged-${time}${again === 0 ? "" : `-${encodeHex(randomBytes(2))}`}`;
}
