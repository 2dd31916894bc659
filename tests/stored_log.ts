/**
 * The log of a vault as it stands in its file, read by a road of its own: through the media and the keys alone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { EMPTY_LOG, extendLog } from "../lib/audit/chain.ts";
import { AUDIT, type AuditEntry, decodeEntry } from "../lib/audit/entry.ts";
import { type CredentialOptions, resolveCredential } from "../lib/sealed/credential.ts";
import { unwrapVaultKey } from "../lib/sealed/key_slot.ts";
import { deriveKeys } from "../lib/sealed/keys.ts";
import { decodeMeta } from "../lib/sealed/meta.ts";
import { openLive, readGeneration } from "../lib/sealed/store.ts";
import { readChanges } from "../lib/state/changes.ts";
import { FileMedium } from "../lib/storage/file.ts";
import { withLock } from "../lib/storage/locking.ts";

/** All entries of a vault, oldest first; fails unless they are the chain that the meta names. */
export async function readLog(path: string, credential: CredentialOptions): Promise<AuditEntry[]> {
  const medium = await FileMedium.open(path);
  try {
    return await withLock(medium, "shared", {}, async () => {
      const meta = decodeMeta((await medium.read())!.meta);
      const { vaultKey } = await unwrapVaultKey(meta, await resolveCredential(credential));
      const keys = await deriveKeys(vaultKey, meta.vaultId);
      const generation = (await readGeneration(medium, keys))!;
      const entries: AuditEntry[] = [];
      const texts: string[] = [];
      for (const segment of generation.segments) {
        if (segment.header.kind === "snapshot") continue;
        const changes = await readChanges(openLive(keys, meta.vaultId, segment));
        for (const [key, json] of changes.get(AUDIT) ?? []) {
          entries.push(decodeEntry(Number(key), json!));
          texts.push(json!);
        }
      }
      const log = await extendLog(EMPTY_LOG, texts);
      assert.deepEqual({ ...log }, { ...generation.meta.audit }, "the log is the one that the meta names");
      return entries;
    });
  } finally {
    medium.close();
  }
}
