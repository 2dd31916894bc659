/**
 * What the segments of a vault hold, opened with its own key; and vaults whose log somebody with that key has changed.
 *
 * @module
 */
import { AUDIT } from "../../lib/audit/entry.ts";
import { encode } from "../../lib/commit_plan.ts";
import { resolveCredential } from "../../lib/sealed/credential.ts";
import { unwrapVaultKey } from "../../lib/sealed/key_slot.ts";
import { deriveKeys, type VaultKeys } from "../../lib/sealed/keys.ts";
import { decodeMeta } from "../../lib/sealed/meta.ts";
import { commitGeneration, type Generation, openLive, readGeneration } from "../../lib/sealed/store.ts";
import { type Line, LineDecoder } from "../../lib/state/lines.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { withLock } from "../../lib/storage/locking.ts";
import { PASSPHRASE } from "../helpers.ts";

/** All lines of the log of a vault's file, oldest first. */
export async function logLines(path: string): Promise<Line[]> {
  return (await allLines(path)).filter(([kind]) => kind === AUDIT);
}

/** All lines of every live segment. */
export async function allLines(path: string): Promise<Line[]> {
  return await opened(path, "shared", async (keys, generation) => {
    const lines: Line[] = [];
    for (const { kind, text } of await texts(keys, generation)) {
      const decoder = new LineDecoder(kind === "delta" ? "delta" : "snapshot");
      lines.push(...decoder.push(text));
      decoder.end();
    }
    return lines;
  });
}

/** Writes a vault anew, every seal sound, with a log that is not the one that its head goes back to. */
export async function reseal(path: string, edit: (log: readonly Line[]) => readonly Line[]): Promise<void> {
  const lines = await allLines(path);
  const log = lines.filter(([kind]) => kind === AUDIT);
  const state = new Map<string, Line>();
  for (const line of lines.filter(([kind]) => kind !== AUDIT)) state.set(`${line[0]}\t${line[1]}`, line);
  await opened(path, "exclusive", async (keys, generation, medium) => {
    const append = [
      { kind: "audit", chunks: encode(edit(log)) },
      { kind: "snapshot", chunks: encode([...state.values()].filter(([, , json]) => json !== null)) },
    ] as const;
    await commitGeneration(medium, keys, generation, { append, keep: 0, meta: {}, now: Date.now() });
  });
}

async function opened<T>(
  path: string,
  mode: "shared" | "exclusive",
  use: (keys: VaultKeys, generation: Generation, medium: FileMedium) => Promise<T>,
): Promise<T> {
  const medium = await FileMedium.open(path);
  try {
    return await withLock(medium, mode, {}, async () => {
      const meta = decodeMeta((await medium.read())!.meta);
      const { vaultKey } = await unwrapVaultKey(meta, await resolveCredential({ passphrase: PASSPHRASE }));
      const keys = await deriveKeys(vaultKey, meta.vaultId);
      return await use(keys, (await readGeneration(medium, keys))!, medium);
    });
  } finally {
    medium.close();
  }
}

async function texts(keys: VaultKeys, { meta, segments }: Generation): Promise<{ kind: string; text: Uint8Array }[]> {
  const all: { kind: string; text: Uint8Array }[] = [];
  for (const segment of segments) {
    const parts: Uint8Array[] = [];
    for await (const part of openLive(keys, meta.vaultId, segment)) parts.push(part);
    all.push({ kind: segment.header.kind, text: new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()) });
  }
  return all;
}
