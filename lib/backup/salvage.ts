/**
 * Salvage: every record that still authenticates, into a new vault.
 *
 * @module
 */
import { AUDIT } from "../audit/entry.ts";
import { NoCredentialError } from "../errors.ts";
import type { CredentialOptions } from "../sealed/credential.ts";
import type { KdfOptions } from "../sealed/kdf_limits.ts";
import { type Changes, mergeChanges, setChange } from "../state/records.ts";
import { SECRET } from "../state/secret.ts";
import { assertFree } from "../storage/create.ts";
import { DenoDisk } from "../storage/disk_deno.ts";
import { withLock } from "../storage/locking.ts";
import { checkOrigin } from "../opening.ts";
import { EPOCH } from "../sealed/rotation.ts";
import type { AuditOptions, FileOptions } from "../vault.ts";
import { assemble, type MissingGenerations } from "./assemble.ts";
import type { SalvageFailure } from "./fragment.ts";
import { gather, type GatherOptions } from "./gather.ts";
import { pick, remembering, writeVault } from "./new_vault.ts";
import { prune } from "./prune.ts";
import { gotOtherKeys, readSource, unlockSource } from "./source.ts";

/** How often somebody may give the vault another key while one is derived. */
const ATTEMPTS = 8;

/** How to salvage: one credential that opens the damaged vault, and where it can not open the new one, another. */
export interface SalvageOptions extends CredentialOptions, FileOptions, KdfOptions, GatherOptions, AuditOptions {
  /**
   * What opens the new vault. By default what opens the damaged one, which must then be a passphrase or a key file.
   */
  readonly newCredential?: Pick<CredentialOptions, "passphrase" | "keyFile">;
}

/** What was salvaged, and what was not. It holds names and numbers, never values. */
export interface SalvageReport {
  /** Path of the new vault. */
  readonly path: string;
  /** The newest generation of the damaged vault that anything authentic speaks of. */
  readonly generation: number;
  /** Segments that opened wholly, in part, and those that hold no records. */
  readonly segments: { readonly whole: number; readonly partial: number; readonly others: number };
  /** How many records the new vault has. */
  readonly records: number;
  /** How many secrets it has. */
  readonly secrets: number;
  /** Generations whose changes are lost, because nothing of their segments opened. */
  readonly missing: readonly MissingGenerations[];
  /** What did not open. */
  readonly failures: readonly SalvageFailure[];
  /** Pieces of records beside what did not open, which were dropped. */
  readonly brokenLines: number;
  /** Records that came from before a damaged snapshot: they may have been changed or removed since. */
  readonly older: number;
  /** Names of secrets that are known, but of which no value is left. */
  readonly lostSecrets: readonly string[];
  /** Names of secrets that lack some of their versions, perhaps the newest. */
  readonly shortenedSecrets: readonly string[];
  /** Values that belong to no secret any more; they were left out. */
  readonly orphans: number;
  /** Records about the damaged vault itself, such as its audit log and its keys; they were left out. */
  readonly leftOut: number;
}

/**
 * Gathers every record of a damaged vault that still authenticates, the newest form of each, into a new vault with an id
 * and a key of its own. The damaged file is only read.
 *
 * @param from path of the damaged vault
 * @param to path of the new one, at which there must be nothing
 * @throws {VaultExistsError} when something is at the new path
 * @throws {CorruptVaultError} when the key slots of both meta pages are lost
 * @throws {WrongCredentialError} when no slot opens
 * @throws {NoCredentialError} when the credential can not begin a vault and no other is given
 * @throws {VaultNotFoundError} @throws {EmptyFileError} @throws {UnsupportedVersionError} @throws {BusyError}
 */
export async function salvageVault(from: string, to: string, options: SalvageOptions): Promise<SalvageReport> {
  assertFree(to);
  const once = remembering(options);
  const next = options.newCredential ?? once;
  if (next.passphrase === undefined && next.keyFile === undefined) {
    throw new NoCredentialError({ hint: "A new vault begins with a passphrase or a key file; give one for it" });
  }
  const { gathered, assembled } = await collect(from, { ...options, ...once });
  const pruned = prune(assembled.state);
  const changes: Changes = new Map();
  let leftOut = 0;
  for (const [kind, key, json] of assembled.state.records()) {
    // The log of the damaged vault is chained in its meta, and its epochs are its own.
    if (isOfVault(kind)) leftOut++;
    else setChange(changes, kind, key, json);
  }
  mergeChanges(changes, pruned.changes);
  const { memory, passes, lanes, allowWeakKdf } = options;
  const kdf = Object.fromEntries(
    Object.entries({ memory, passes, lanes, allowWeakKdf }).filter(([, v]) => v !== undefined),
  );
  const { actor, reason } = options;
  const count = [...changes.get(SECRET)?.values() ?? []].filter((json) => json !== null).length;
  const event = { operation: "vault.salvage", count: gathered.newest, to: counted(count) } as const;
  const state = await writeVault(to, { ...pick(next), ...kdf, ...checkOrigin({ actor, reason }) }, changes, event);
  const whole = gathered.fragments.filter((fragment) => fragment.whole).length;
  return {
    path: to,
    generation: gathered.newest,
    segments: { whole, partial: gathered.fragments.length - whole, others: gathered.others },
    records: state.size,
    secrets: state.count(SECRET),
    missing: assembled.missing,
    failures: gathered.failures,
    brokenLines: gathered.fragments.reduce((sum, { brokenLines }) => sum + brokenLines, 0),
    older: assembled.older,
    lostSecrets: pruned.lost,
    shortenedSecrets: pruned.shortened,
    orphans: pruned.orphans,
    leftOut,
  };
}

/** Records that speak of the vault they stand in. */
function isOfVault(kind: string): boolean {
  return kind === AUDIT || kind.startsWith(`${AUDIT}-`) || kind === EPOCH;
}

/** The log of the new vault begins with what it is, for whoever wonders where the old log is. */
function counted(secrets: number): string {
  return secrets === 1 ? "1 secret" : `${secrets} secrets`;
}

async function collect(from: string, options: SalvageOptions): Promise<{
  gathered: Awaited<ReturnType<typeof gather>>;
  assembled: ReturnType<typeof assemble>;
}> {
  const disk = DenoDisk.open(from, options);
  try {
    for (let attempt = 1;; attempt++) {
      const before = await withLock(disk, "shared", options, () => readSource(disk));
      const rings = await unlockSource(before, options);
      const gathered = await withLock(disk, "shared", options, async () => {
        // Read again: while the key was derived, somebody may have gone on writing.
        const now = await readSource(disk);
        const again = attempt < ATTEMPTS && await gotOtherKeys(now, before, rings);
        return again ? undefined : await gather(disk, now, rings, options);
      });
      if (gathered !== undefined) return { gathered, assembled: assemble(gathered.fragments, gathered.newest) };
    }
  } finally {
    disk.close();
  }
}
