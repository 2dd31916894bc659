/**
 * The log of a vault, read from all its segments and held against its authenticated meta.
 *
 * @module
 */
import assert from "node:assert/strict";
import { EMPTY_LOG, extendLog } from "../lib/audit/chain.ts";
import { AUDIT, type AuditEntry, decodeEntry } from "../lib/audit/entry.ts";
import { resolveCredential } from "../lib/sealed/credential.ts";
import { unwrapVaultKey } from "../lib/sealed/key_slot.ts";
import { deriveKeys } from "../lib/sealed/keys.ts";
import { decodeMeta } from "../lib/sealed/meta.ts";
import { type Generation, openLive, readGeneration } from "../lib/sealed/store.ts";
import { readChanges } from "../lib/state/changes.ts";
import { FileMedium } from "../lib/storage/file.ts";
import type { Medium } from "../lib/storage/medium.ts";
import type { OpenOptions } from "../lib/vault.ts";
import { PASSPHRASE } from "./helpers.ts";

/** What a vault's segments are, and the entries in them. */
export interface ReadLog {
  readonly entries: readonly AuditEntry[];
  readonly generation: Generation;
}

/** All entries, oldest first. Fails unless they are what the meta says: number, order and chain. */
export async function auditLog(path: string, options: OpenOptions = {}): Promise<readonly AuditEntry[]> {
  const medium = await FileMedium.open(path);
  try {
    const lock = await medium.lock("shared");
    try {
      return (await readLog(medium, options)).entries;
    } finally {
      lock.release();
    }
  } finally {
    medium.close();
  }
}

/** The same, of any medium that is locked, or that nobody else uses. */
export async function readLog(medium: Medium, options: OpenOptions = {}): Promise<ReadLog> {
  const meta = decodeMeta((await medium.read())!.meta);
  const { keyFile, passphrase = PASSPHRASE } = options;
  const credential = await resolveCredential(keyFile === undefined ? { passphrase } : { keyFile });
  const { vaultKey } = await unwrapVaultKey(meta, credential);
  const keys = await deriveKeys(vaultKey, meta.vaultId);
  const generation = (await readGeneration(medium, keys))!;
  const texts: string[] = [];
  const entries: AuditEntry[] = [];
  for (const segment of generation.segments) {
    if (segment.header.kind === "snapshot") continue;
    const log = (await readChanges(openLive(keys, meta.vaultId, segment))).get(AUDIT) ?? new Map();
    for (const [key, json] of [...log].sort(([a], [b]) => Number(a) - Number(b))) {
      assert.equal(Number(key), entries.length + 1, "entries are numbered without a gap");
      texts.push(json);
      entries.push(decodeEntry(Number(key), json));
    }
  }
  assert.deepEqual(await extendLog(EMPTY_LOG, texts), generation.meta.audit, "the chain ends where the meta says");
  return { entries, generation };
}
