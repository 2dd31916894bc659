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
import { highestEpoch, supersede } from "../sealed/rotation.ts";
import { sealWhole } from "../sealed/store.ts";
import { type Changes, setChange } from "../state/records.ts";
import type { Disk } from "../storage/disk.ts";
import { fileImage } from "../storage/image.ts";
import type { AnchorFacts } from "./anchored.ts";
import type { Plan } from "./plan.ts";

/**
 * Writes the version that stands to an empty disk, under the same vault key, and syncs. The log goes on, and says what
 * happened. An anchor of a later key is told from that of an older copy by the note of it that the new file takes along.
 *
 * @param facts what the anchor says, where there is one
 * @param origin who the log says does it
 * @returns the generation of the new file: above the newest that was seen, so that none is used twice
 * @throws {SealLimitError}
 */
export async function rewrite(
  disk: Disk,
  { stands, ring: { keys }, newest, seals, epoch }: Plan,
  facts: AnchorFacts | undefined,
  origin: AuditOrigin,
): Promise<number> {
  const now = Date.now();
  const { state, generation: { meta } } = stands;
  const generation = newest + 1;
  const entry = encodeEntry({ operation: "vault.repair", count: meta.generation }, origin, now);
  const changes: Changes = new Map();
  setChange(changes, AUDIT, String(meta.audit.length + 1), entry);
  await supersede(changes, Math.max(epoch, facts?.epoch ?? 0, highestEpoch(meta.epoch, state)), facts?.bytes);
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
