/**
 * Putting a backup in the place of a vault.
 *
 * @module
 */
import { extendLog } from "../audit/chain.ts";
import { AUDIT, type AuditEvent, type AuditOrigin, encodeEntry } from "../audit/entry.ts";
import { type Bytes, equalBytes } from "../bytes.ts";
import { planRewrite } from "../commit_plan.ts";
import type { Engine } from "../engine.ts";
import { AnchorMissingError, BackupForeignError, CofferError, RollbackDetectedError } from "../errors.ts";
import { Anchor, type Head } from "../sealed/anchor.ts";
import type { CredentialOptions } from "../sealed/credential.ts";
import { decodeMeta, type Meta } from "../sealed/meta.ts";
import { highestEpoch, supersede } from "../sealed/rotation.ts";
import { sealWhole } from "../sealed/store.ts";
import { assertReason, POLICY, POLICY_NAMES, type PolicyValues, readPolicies, stricter } from "../state/policies.ts";
import { type Changes, setChange } from "../state/records.ts";
import type { AnchorStore } from "../storage/anchor_store.ts";
import { chooseVersion } from "../storage/choose.ts";
import { isThereNonetheless, publishFile, replacePublished } from "../storage/create.ts";
import type { LockOptions } from "../storage/disk.ts";
import { DenoDisk } from "../storage/disk_deno.ts";
import { fileImage } from "../storage/image.ts";
import { PAGE_SIZE } from "../storage/page.ts";
import { systemError } from "../storage/system_errors.ts";
import { type AnchorFacts, anchorFacts, anchorStore, BELIEVABLE, BELIEVABLE_EPOCH } from "./anchored.ts";
import { type Replaced, withReplaced } from "./replaced.ts";

/** How to restore. */
export interface RestoreOptions extends LockOptions {
  /** Where the anchor of the restored vault is; null for none. By default beside the vault. */
  readonly anchor?: string | AnchorStore | null | undefined;
  /** Accepts a backup that is older than the vault or its anchor say is the newest. @default {false} */
  readonly rollback?: boolean;
  /**
   * Opens the vault that is there, where it has got a new key since the backup: to keep its policies. By default nothing does,
   * and the policies of such a vault are lost.
   */
  readonly credential?: CredentialOptions | undefined;
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
  /** The policies of the restored vault. */
  readonly policies: PolicyValues;
  /**
   * Where they are from: of `both` the backup and the vault that was there each the stricter one, or the `backup`, because
   * there was no vault, or its newest version did not open. Of an older version that opened the stricter ones hold too.
   */
  readonly policiesFrom: "both" | "backup";
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
    const restored = { engine, path, store, origin };
    if (!isThere(path)) return await write({ ...restored, ...newestKnown(store, meta, NOTHING, options) });
    const disk = DenoDisk.open(path, options);
    try {
      const opener = { ...lockOptions(options), keys: engine.keys, credential: options.credential };
      return await withReplaced(disk, opener, async (replaced) => {
        const current = await currentVault(disk, meta, path);
        if (replaced !== undefined) assertReason(origin, replaced.state);
        const known = newestKnown(store, meta, current, options);
        return await write({ ...restored, ...known, kept: keptPath(path), replaced });
      });
    } finally {
      disk.close();
    }
  });
}

/** What is put where, and over what. */
interface Restored extends Known {
  readonly engine: Engine;
  readonly path: string;
  readonly store: AnchorStore | undefined;
  readonly origin: AuditOrigin;
  /** Where the vault is kept that is there, if one is. */
  readonly kept?: string;
  /** What that vault holds, as far as it opens. */
  readonly replaced?: Replaced | undefined;
}

/**
 * Builds the restored vault, puts it at the path, then moves the anchor. A crash in between leaves one that the restored
 * vault knows to be behind, or one that waits.
 */
async function write(restored: Restored): Promise<RestoreReport> {
  const { engine, path, kept, store } = restored;
  const from = engine.live.generation.meta.generation;
  const { image, head, report } = await build(restored);
  const anchor = store === undefined ? undefined : new Anchor(store);
  // What is damaged made the vault refuse to open before, too. It is not what the new one is to be told from.
  if (restored.facts?.bytes === undefined) {
    if (restored.facts !== undefined) store?.remove();
    await anchor?.prepare(head, engine.keys.anchor);
  }
  let file: Deno.FsFile | undefined;
  try {
    try {
      if (kept === undefined) publishFile(path, image);
      else {
        keep(path, kept);
        // Nobody reads it before its anchor has followed: the two would not agree yet.
        replacePublished(path, image, (locked) => file = locked);
      }
    } catch (error) {
      if (!isThereNonetheless(error)) anchor?.discard(head.meta);
      throw error;
    }
    await anchor?.replace(head, engine.keys.anchor);
  } finally {
    file?.close();
  }
  return { from, generation: head.meta.generation, ...(kept === undefined ? {} : { kept }), ...report };
}

/** The restored vault as a file: the backup's records, the stricter policies, the log with what happens here. */
async function build({ engine, store, origin, newest, epoch, facts, replaced }: Restored): Promise<{
  readonly image: Bytes;
  readonly head: Head;
  readonly report: Pick<RestoreReport, "policies" | "policiesFrom">;
}> {
  const { state, generation: { meta } } = engine.live;
  const now = Date.now();
  const changes: Changes = new Map();
  const own = readPolicies(state);
  const policies = replaced === undefined ? own : stricter(own, readPolicies(replaced.state));
  const policiesFrom = replaced?.newest ? "both" : "backup";
  const events: AuditEvent[] = [{ operation: "vault.restore", count: meta.generation, to: policiesFrom }];
  for (const name of POLICY_NAMES) {
    if (policies[name] === own[name]) continue;
    setChange(changes, POLICY, name, JSON.stringify(policies[name]));
    events.push({ operation: "policy.set", name, to: String(policies[name]) });
  }
  await supersede(changes, Math.max(epoch, highestEpoch(meta.epoch, state)), facts?.bytes);
  const entries = events.map((event) => encodeEntry(event, origin, now));
  for (const [index, entry] of entries.entries()) {
    setChange(changes, AUDIT, String(meta.audit.length + 1 + index), entry);
  }
  const { append } = await planRewrite(engine.keys, engine.live, changes);
  const generation = newest + 1;
  const audit = await extendLog(meta.audit, entries);
  const flags = { anchored: store !== undefined, backup: false };
  // Their key may be the same, and has sealed for the vault that was there too: no seal of a key goes uncounted.
  const seals = replaced?.meta.epoch === meta.epoch ? Math.max(meta.seals, replaced.meta.seals) : meta.seals;
  const sealed = await sealWhole(engine.keys, { ...meta, ...flags, generation, seals, updated: now, audit }, append);
  const segments = sealed.segments.map((bytes) => ({ version: generation, bytes }));
  return {
    image: await fileImage(generation, sealed.sealedMeta, segments),
    head: {
      meta: sealed.meta,
      committed: { version: generation, meta: sealed.sealedMeta, segments: [], recovered: false },
    },
    report: { policies, policiesFrom },
  };
}

/** What the vault says of itself that is there; nothing of it is authenticated. */
type Current = Pick<Meta, "generation" | "epoch" | "anchored">;

/** No vault is there, or none that can be read. */
const NOTHING: Current = { generation: 0, epoch: 0, anchored: false };

/** What is known of the vault besides the backup. */
interface Known {
  /** The newest generation that there was, as far as vault and anchor tell. */
  readonly newest: number;
  /** The highest epoch that there was, as far as they tell. */
  readonly epoch: number;
  /** What the anchor says; undefined when there is none. */
  readonly facts: AnchorFacts | undefined;
}

/**
 * What vault and anchor tell of generations and epochs.
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
): Known {
  const vault = { vaultId: backup.vaultId, generation: current.generation };
  const facts = anchorFacts(store, vault, { damaged: rollback, foreign: false });
  if (store !== undefined && facts === undefined && current.anchored && !rollback) {
    throw new AnchorMissingError(store.name, {
      hint: "Name the vault's anchor with --anchor; if it is gone for good, --rollback restores all the same",
    });
  }
  const newest = Math.max(current.generation, facts?.generation ?? 0, backup.generation);
  if (newest > backup.generation && !rollback) {
    throw new RollbackDetectedError(backup.generation, newest, {
      hint: "The backup is older than the vault; --rollback restores it all the same",
    });
  }
  return { newest, epoch: Math.max(current.epoch, facts?.epoch ?? 0), facts };
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
  const { generation, epoch, anchored } = current;
  return {
    generation: generation < BELIEVABLE ? generation : 0,
    epoch: epoch < BELIEVABLE_EPOCH ? epoch : 0,
    anchored,
  };
}

function lockOptions({ timeout, signal }: LockOptions): LockOptions {
  return { ...(timeout === undefined ? {} : { timeout }), ...(signal === undefined ? {} : { signal }) };
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
