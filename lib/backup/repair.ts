/**
 * Repair: a vault whose newest version can not be read falls back to the one before, when it is told to.
 *
 * @module
 */
import type { AuditOrigin } from "../audit/entry.ts";
import { Engine } from "../engine.ts";
import { verifyAnchor } from "../replica.ts";
import { CofferError, ConflictError, CorruptVaultError, RollbackDetectedError, VaultExistsError } from "../errors.ts";
import { Anchor } from "../sealed/anchor.ts";
import type { CredentialOptions } from "../sealed/credential.ts";
import { decodeMeta } from "../sealed/meta.ts";
import { remembered } from "../sealed/remembered.ts";
import { EPOCH } from "../sealed/rotation.ts";
import type { State } from "../state/records.ts";
import { discard, temporaryPath } from "../storage/create.ts";
import type { LockOptions } from "../storage/disk.ts";
import { DenoDisk } from "../storage/disk_deno.ts";
import { FileMedium } from "../storage/file.ts";
import { withLock } from "../storage/locking.ts";
import { systemError } from "../storage/system_errors.ts";
import type { AuditOptions, FileOptions } from "../vault.ts";
import { type AnchorFacts, anchorFacts, anchorStore } from "./anchored.ts";
import { judge } from "./judge.ts";
import { copyFile, keepBeside, replace } from "./place.ts";
import { makePlan, type Plan, type RepairLoss } from "./plan.ts";
import { keptName, rewrite } from "./rewrite.ts";
import { gotOtherKeys, readSource, type Ring, type Source, unlockSource } from "./source.ts";

/** How often somebody else may change the vault while its key is derived. */
const ATTEMPTS = 8;
/** How to repair: exactly one credential. */
export interface RepairOptions extends CredentialOptions, FileOptions, AuditOptions {
  /** Falls back to the older version when the newest one can not be read. @default {false} */
  readonly older?: boolean;
  /** Only says what would be done; the file may be read-only then. @default {false} */
  readonly dryRun?: boolean;
  /**
   * The newest generation that is known of from elsewhere, such as from an anchor. What stands in a torn vault is then
   * not taken for the newest: going on from it needs `older`, and the generations go on above this one.
   */
  readonly known?: number;
  /**
   * Is told what is wrong, and what falling back gives up, before anything is changed. When it throws, nothing is.
   */
  readonly beforeRepair?: (found: RepairReport) => void | Promise<void>;
}

/** What a repair found and did. */
export interface RepairReport {
  /**
   * `sound`: nothing is wrong. `torn`: the newest meta page is torn or wiped, and the version before it stands by itself.
   * `damaged`: the version that counts can not be read, and the one before it can. `refused`: nothing is wrong with the
   * file, and its anchor does not let it be opened: an older copy, or an anchor that is lost.
   */
  readonly state: "sound" | "torn" | "damaged" | "refused";
  /** Whether the vault was changed. */
  readonly repaired: boolean;
  /** The generation that counts now. */
  readonly generation: number;
  /** What is wrong, in words. */
  readonly problems: readonly string[];
  /** What is given up, or was; when the state is `damaged`, or a commit that is torn left a trace. */
  readonly loss?: RepairLoss;
  /** Why opening the vault is refused, when the state is `refused`; its hint says what to do. */
  readonly refusal?: CofferError;
  /** Where the damaged file is kept, when the vault was changed. */
  readonly kept?: string;
}

/**
 * Looks whether the vault can be read, and when told to makes it readable again.
 *
 * A torn newest meta page is healed by committing once on the version that stands. When the version that counts can not
 * be read, and the one before it can, `older` writes that one as a new commit, with generations above all that were
 * seen, into a new file that takes the vault's name once it is whole and on the disk. Before either the file as it was
 * is kept beside the vault, under a name that ends in `.damaged-` and the time.
 *
 * @throws {CorruptVaultError} when neither version can be read; gather what is left with {@linkcode salvageVault}
 * @throws {WrongCredentialError} @throws {VaultNotFoundError} @throws {UnsupportedVersionError} @throws {BusyError}
 * @throws {ConflictError} when others keep changing the vault meanwhile
 * @throws {DiskFullError} @throws {InputOutputError} @throws {PermissionDeniedError} when it can not be written
 */
export async function repairVault(path: string, options: RepairOptions): Promise<RepairReport> {
  const real = realPath(path);
  const disk = DenoDisk.open(real, options);
  try {
    const write = !options.dryRun;
    const once = { ...options, ...remembered(options) };
    let before: Source;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      before = await withLock(disk, "shared", options, () => readSource(disk));
      const rings = await unlockSource(before, once);
      const done = await withLock(disk, write ? "exclusive" : "shared", options, async () => {
        const now = await readSource(disk);
        if (await gotOtherKeys(now, before, rings)) return undefined;
        const facts = factsOf(now, path, options);
        const plan = await makePlan(disk, now, rings, Math.max(options.known ?? 0, facts?.generation ?? 0));
        const found = reportOf(plan);
        if (plan.state === "sound") return await heldAgainstAnchor(found, plan, path, options);
        if (!write || (plan.state === "damaged" && !options.older)) return found;
        await options.beforeRepair?.(found);
        return plan.state === "damaged" ? await fallBack(disk, real, plan, facts, options) : found;
      });
      if (done === undefined) continue;
      return done.state === "torn" && write ? await heal(real, options, done, rings) : done;
    }
    const [from, to] = [before!, await readSource(disk)].map(({ candidates }) => candidates[0]?.page?.version ?? 0);
    throw new ConflictError(from!, to!);
  } finally {
    disk.close();
  }
}

/** What the anchor knows: a version that it has seen was acknowledged, and is not passed over as torn. */
function factsOf({ candidates }: Source, path: string, { anchor }: RepairOptions): AnchorFacts | undefined {
  const meta = candidates.find(({ meta }) => meta?.anchored)?.meta;
  if (meta === undefined) return undefined;
  // Mending is not to be stopped by an anchor that says nothing of this vault.
  return anchorFacts(anchorStore(path, anchor), meta, { damaged: true, foreign: true });
}

/** A file may be whole and yet not be the newest, or not be known to be: opening it says so, and so is this to. */
async function heldAgainstAnchor(
  report: RepairReport,
  { stands: { generation, state }, ring }: Plan,
  path: string,
  options: RepairOptions,
): Promise<RepairReport> {
  const anchor = new Anchor(anchorStore(path, options.anchor)!);
  const { known = 0 } = options;
  try {
    if (known > report.generation) throw new RollbackDetectedError(report.generation, known);
    await verifyAnchor(anchor, generation, ring.keys, state);
    return report;
  } catch (error) {
    if (!(error instanceof CofferError) || error.exitCode !== 7) throw error;
    return { ...report, state: "refused", problems: [...report.problems, error.message], refusal: error };
  } finally {
    anchor.release();
  }
}

function reportOf({ state, stands, problems, loss }: Plan): RepairReport {
  const { generation } = stands.generation.meta;
  return { state, repaired: false, generation, problems, ...(loss === undefined ? {} : { loss }) };
}

/** Writes the version that stands into a new file, and lets it take the vault's name. The exclusive lock is held. */
async function fallBack(
  disk: DenoDisk,
  path: string,
  plan: Plan,
  facts: AnchorFacts | undefined,
  options: RepairOptions,
): Promise<RepairReport> {
  const temporary = temporaryPath(path);
  try {
    create(temporary, path);
    const target = DenoDisk.open(temporary);
    let generation: number;
    try {
      generation = await rewrite(target, plan, facts, originOf(plan.ring, options));
      await prove(target, plan);
    } finally {
      target.close();
    }
    const kept = keep(path, (name) => keepBeside(disk.path, name));
    replace(temporary, path);
    return { ...reportOf(plan), repaired: true, generation, kept };
  } catch (error) {
    discard(temporary);
    throw error;
  }
}

/** Reads the new file as anybody would: it has to hold what it was made of before it takes the name. */
async function prove(target: DenoDisk, { stands, ring }: Plan): Promise<void> {
  const { candidates } = await readSource(target);
  for (const candidate of candidates) {
    const judged = await judge(target, candidate, [ring]);
    if (judged instanceof CofferError || !sameRecords(judged.state, stands.state)) {
      throw new CorruptVaultError("the repaired file does not read as it was written");
    }
  }
}

/** What the file notes of keys and anchors is new; everything else is as it was. */
function sameRecords(one: State, other: State): boolean {
  const own = (state: State) => state.size - state.count(EPOCH);
  return own(one) === own(other) &&
    [...one.records()].every(([kind, key, json]) => kind === EPOCH || other.get(kind, key) === json);
}

/** One commit on the version that stands writes the torn page anew. */
async function heal(
  path: string,
  options: RepairOptions,
  report: RepairReport,
  rings: readonly Ring[],
): Promise<RepairReport> {
  const medium = await FileMedium.open(path, options);
  let kept: string | undefined;
  try {
    const meta = (await withLock(medium, "shared", options, async () => {
      // What is torn may still be of use to somebody: the commit writes over it.
      kept = keep(path, (name) => copyFile(path, name));
      return await medium.read();
    }))!;
    const ring = rings.find(({ epoch }) => epoch === decodeMeta(meta.meta).epoch) ?? rings[0]!;
    const engine = await Engine.load(medium, ring.keys, { ...lockOptions(options), origin: originOf(ring, options) });
    await engine.transact((work) => {
      if (work.generation.recovered) work.audit({ operation: "vault.repair", count: work.generation.meta.generation });
    }, options);
    const { generation } = engine.committed.generation.meta;
    await engine.close();
    return { ...report, repaired: true, generation, kept: kept! };
  } finally {
    medium.close();
  }
}

/** Who the log says repaired the vault. */
function originOf({ slot }: Ring, { actor, reason }: RepairOptions): AuditOrigin {
  return { slot, ...(actor === undefined ? {} : { actor }), ...(reason === undefined ? {} : { reason }) };
}

function lockOptions({ timeout, signal }: RepairOptions): LockOptions {
  return { ...(timeout === undefined ? {} : { timeout }), ...(signal === undefined ? {} : { signal }) };
}

/** Keeps the file as it is under a name that is free. */
function keep(path: string, make: (name: string) => void): string {
  const now = new Date();
  for (let again = 0;; again++) {
    const name = keptName(path, now, again);
    try {
      make(name);
      return name;
    } catch (error) {
      if (!(error instanceof VaultExistsError) || again === ATTEMPTS) throw error;
    }
  }
}

function create(temporary: string, path: string): void {
  try {
    Deno.openSync(temporary, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    throw systemError(error, "write beside", path);
  }
}

/** A link stays a link: the file behind it is the one that is replaced. */
function realPath(path: string): string {
  try {
    return Deno.lstatSync(path).isSymlink ? Deno.realPathSync(path) : path;
  } catch (error) {
    // Opening it says better what is wrong.
    if (error instanceof Deno.errors.NotFound) return path;
    throw systemError(error, "look up", path);
  }
}
