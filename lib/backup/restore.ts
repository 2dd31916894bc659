/**
 * Putting a backup in the place of a vault.
 *
 * @module
 */
import { extendLog } from "../audit/chain.ts";
import { AUDIT, type AuditOrigin, encodeEntry } from "../audit/entry.ts";
import { equalBytes } from "../bytes.ts";
import { planRewrite } from "../commit_plan.ts";
import type { Engine } from "../engine.ts";
import { AnchorMissingError, BackupForeignError, CofferError, RollbackDetectedError } from "../errors.ts";
import { Anchor } from "../sealed/anchor.ts";
import { decodeMeta, type Meta } from "../sealed/meta.ts";
import { sealWhole } from "../sealed/store.ts";
import { assertReason } from "../state/policies.ts";
import { type Changes, setChange } from "../state/records.ts";
import type { AnchorStore } from "../storage/anchor_store.ts";
import { chooseVersion } from "../storage/choose.ts";
import { publishFile, replacePublished } from "../storage/create.ts";
import type { LockOptions } from "../storage/disk.ts";
import { DenoDisk } from "../storage/disk_deno.ts";
import { fileImage } from "../storage/image.ts";
import { withLock } from "../storage/locking.ts";
import { PAGE_SIZE } from "../storage/page.ts";
import { systemError } from "../storage/system_errors.ts";
import { anchoredGeneration, anchorStore, BELIEVABLE } from "./anchored.ts";

/** How to restore. */
export interface RestoreOptions extends LockOptions {
  /** Where the anchor of the restored vault is; null for none. By default beside the vault. */
  readonly anchor?: string | AnchorStore | null | undefined;
  /** Accepts a backup that is older than the vault or its anchor say is the newest. @default {false} */
  readonly rollback?: boolean;
  /** Accepts a vault that group or others may read or write. @default {false} */
  readonly allowInsecurePermissions?: boolean;
}

/** What a restore did. */
export interface RestoreReport {
  /** The generation of the backup. */
  readonly from: number;
  /** The generation of the restored vault: above every one that there was. */
  readonly generation: number;
  /** Where the vault that was there before is kept, if there was one. */
  readonly kept?: string;
}

/** Puts what an engine has open in the place of the vault at a path: see `Vault.restoreTo`. */
export async function restoreTo(
  engine: Engine,
  path: string,
  origin: AuditOrigin,
  options: RestoreOptions,
): Promise<RestoreReport> {
  return await engine.reading(async ({ meta }) => {
    assertReason(origin, engine.live.state);
    const store = anchorStore(path, options.anchor);
    if (!isThere(path)) {
      return await write(engine, path, undefined, newestKnown(store, meta, NOTHING, options), store, origin);
    }
    const disk = DenoDisk.open(path, options);
    try {
      return await withLock(disk, "exclusive", options, async () => {
        const current = await currentVault(disk, meta, path);
        const newest = newestKnown(store, meta, current, options);
        return await write(engine, path, keptPath(path), newest, store, origin);
      });
    } finally {
      disk.close();
    }
  });
}

/** Builds the restored vault, puts it at the path, then moves the anchor: a crash in between leaves it behind. */
async function write(
  engine: Engine,
  path: string,
  kept: string | undefined,
  newest: number,
  store: AnchorStore | undefined,
  origin: AuditOrigin,
): Promise<RestoreReport> {
  const { meta } = engine.live.generation;
  const now = Date.now();
  const entry = encodeEntry({ operation: "vault.restore", count: meta.generation }, origin, now);
  const changes: Changes = new Map();
  setChange(changes, AUDIT, String(meta.audit.length + 1), entry);
  const { append } = await planRewrite(engine.keys, engine.live, changes);
  const generation = newest + 1;
  const audit = await extendLog(meta.audit, [entry]);
  const flags = { anchored: store !== undefined, backup: false };
  const sealed = await sealWhole(engine.keys, { ...meta, ...flags, generation, updated: now, audit }, append);
  const segments = sealed.segments.map((bytes) => ({ version: generation, bytes }));
  const image = await fileImage(generation, sealed.sealedMeta, segments);
  let file: Deno.FsFile | undefined;
  try {
    if (kept === undefined) publishFile(path, image);
    else {
      keep(path, kept);
      // Nobody reads it before its anchor has followed: to an anchor of a later key it would look like an older copy.
      replacePublished(path, image, (locked) => file = locked);
    }
    if (store !== undefined) {
      const committed = { version: generation, meta: sealed.sealedMeta, segments: [], recovered: false };
      await new Anchor(store).replace({ meta: sealed.meta, committed }, engine.keys.anchor);
    }
  } finally {
    file?.close();
  }
  return { from: meta.generation, generation, ...(kept === undefined ? {} : { kept }) };
}

/** What the vault says of itself that is there; nothing of it is authenticated. */
type Current = Pick<Meta, "generation" | "anchored">;

/** No vault is there, or none that can be read. */
const NOTHING: Current = { generation: 0, anchored: false };

/**
 * The newest generation that there was, as far as vault and anchor tell.
 *
 * @throws {RollbackDetectedError} when the backup is older, and that is not wanted
 * @throws {AnchorMissingError} when the vault's anchor is not where it should be, so that an older one cannot be told
 * @throws {AnchorForeignError} when another vault's anchor would be written over
 */
function newestKnown(
  store: AnchorStore | undefined,
  backup: Meta,
  current: Current,
  { rollback = false }: RestoreOptions,
): number {
  const anchored = anchoredGeneration(store, backup.vaultId, { damaged: rollback, foreign: false });
  if (store !== undefined && anchored === undefined && current.anchored && !rollback) {
    throw new AnchorMissingError(store.name, {
      hint: "Name the vault's anchor with --anchor; if it is gone for good, --rollback restores all the same",
    });
  }
  const newest = Math.max(current.generation, anchored ?? 0, backup.generation);
  if (newest > backup.generation && !rollback) {
    throw new RollbackDetectedError(backup.generation, newest, {
      hint: "The backup is older than the vault; --rollback restores it all the same",
    });
  }
  return newest;
}

/** What the vault that is there says of itself. @throws {BackupForeignError} */
async function currentVault(disk: DenoDisk, backup: Meta, path: string): Promise<Current> {
  let current: Meta;
  try {
    const raw = new Uint8Array(2 * PAGE_SIZE);
    const got = await disk.readAt(raw, 0);
    current = decodeMeta((await chooseVersion(disk, raw.slice(0, got))).page.meta);
  } catch (error) {
    // Restoring is what one does with a vault that is damaged. What is no vault at all is left alone.
    if (error instanceof CofferError && error.exitCode === 6 && error.code !== "not-a-vault") return NOTHING;
    throw error;
  }
  if (!equalBytes(current.vaultId, backup.vaultId)) throw new BackupForeignError(path);
  return current.generation < BELIEVABLE ? current : { ...current, generation: 0 };
}

/** A name that is free. The vault's lock is held, so that no other restore takes it in between. */
function keptPath(path: string): string {
  const base = `${path}.before-restore-${new Date().toISOString().replace(/[-:]/g, "").slice(0, 15)}`;
  for (let number = 1;; number++) {
    const kept = number === 1 ? base : `${base}-${number}`;
    if (!isThere(kept)) return kept;
  }
}

/** Gives the current vault a second name; where there are no hard links it is copied. */
function keep(path: string, kept: string): void {
  try {
    Deno.linkSync(path, kept);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw systemError(error, "keep the vault as", kept);
    try {
      publishFile(kept, Deno.readFileSync(path));
    } catch (second) {
      throw systemError(second, "keep the vault as", kept);
    }
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw systemError(error, "look up", path);
  }
}
