/**
 * The vault: create, open, change, read, close.
 *
 * @module
 */
import { Attempts, type AttemptsStatus } from "./attempts.ts";
import { encodeHex } from "./bytes.ts";
import { randomBytes, wipe } from "./crypto/random.ts";
import { Engine, type Work } from "./engine.ts";
import {
  CofferError,
  CorruptVaultError,
  SlotNotFoundError,
  VaultNotFoundError,
  WrongCredentialError,
} from "./errors.ts";
import {
  checkCredentialOptions,
  checkNewCredential,
  type CredentialOptions,
  type Provide,
  resolveCredential,
} from "./sealed/credential.ts";
import { type KdfOptions, newKdf } from "./sealed/kdf_limits.ts";
import { prepareSlot, type Unwrapped, unwrapVaultKey, wrapSlot } from "./sealed/key_slot.ts";
import { deriveKeys, newVaultKey } from "./sealed/keys.ts";
import { decodeMeta, ID_SIZE, type Meta } from "./sealed/meta.ts";
import { checkLabel } from "./sealed/slot.ts";
import { openLive, sealFirst } from "./sealed/store.ts";
import { Secrets, TransactionSecrets } from "./secrets.ts";
import { prepareNewSlot, type SlotInfo, slotInfo, Slots } from "./slots.ts";
import { readChanges, readSnapshot } from "./state/changes.ts";
import type { State } from "./state/records.ts";
import { getSecret, SECRET, VALUE } from "./state/secret.ts";
import type { StructureReport } from "./storage/check.ts";
import type { LockOptions } from "./storage/disk.ts";
import { withLock } from "./storage/locking.ts";
import type { Committed, Medium, MediumUsage } from "./storage/medium.ts";

/** How to reach a vault's file. */
export interface FileOptions extends LockOptions {
  /** Accepts a file that group or others may read or write. @default {false} */
  readonly allowInsecurePermissions?: boolean;
}

/** Whether failed tries to open a vault count. */
export interface AttemptsOptions {
  /**
   * Counts failures in a file beside the vault, `NAME.attempts`, and refuses to try while there is a wait. `false` is
   * for callers that keep limits of their own. A vault on a medium has no such file. @default {true}
   */
  readonly attempts?: boolean;
}

/** How to open a vault: exactly one credential. */
export interface OpenOptions extends CredentialOptions, FileOptions, AttemptsOptions {}

/** How to create a vault: exactly one credential, a passphrase or a key file, for its first slot. */
export interface CreateOptions extends Pick<CredentialOptions, "passphrase" | "keyFile">, KdfOptions, FileOptions {
  /** Label of the first slot, at most 32 bytes. */
  readonly label?: string;
  /**
   * Asks for a recovery slot: gets its 24 words once, before the vault exists. When it throws, no vault is made.
   */
  readonly onRecoveryCode?: (code: string) => void | Promise<void>;
}

/** What the file itself says, to anyone who can read it. Nothing of it is authenticated. */
export interface VaultSummary {
  /** Random id, in hex. */
  readonly vaultId: string;
  /** Counts commits, from 1. */
  readonly generation: number;
  /** Counts vault keys, from 1. */
  readonly epoch: number;
  /** When the vault was made. */
  readonly createdAt: Date;
  /** When it was last committed to. */
  readonly updatedAt: Date;
  /** The key slots, without their keys. */
  readonly slots: readonly SlotInfo[];
  /** How often the vault key has sealed; past 2^31 it is time for a new one. */
  readonly seals: number;
  /** Bytes in use. */
  readonly usage: MediumUsage;
  /** Whether a torn newer commit was passed over: a crash, or somebody's doing. */
  readonly recovered: boolean;
  /** Failed tries to open it; absent where they do not count, as on a medium. */
  readonly attempts?: AttemptsStatus;
}

/** What an open vault says of itself. */
export interface VaultStatus extends VaultSummary {
  /** How many secrets there are. */
  readonly secrets: number;
  /** Number of the slot that opened it. */
  readonly openedWith: number;
}

/** What a check of every seal found. */
export interface CheckReport {
  /** The generation that was checked. */
  readonly generation: number;
  /** How many segments were opened. */
  readonly segments: number;
  /** How many records they hold, all segments together. */
  readonly records: number;
  /** How many secrets there are. */
  readonly secrets: number;
  /** Bytes that were authenticated. */
  readonly bytes: number;
  /** What is damaged; empty when all is well. */
  readonly problems: readonly { readonly what: string; readonly page?: number }[];
}

/** A private view on the vault for the time of a callback. */
export interface Transaction {
  /** The secrets, as this transaction sees and changes them. */
  readonly secrets: TransactionSecrets;
}

/**
 * An open vault.
 *
 * Several vaults, in one process or in many, may share a file: transactions take turns, and reads see what was
 * committed before them. Close it, or bind it with `await using`.
 *
 * @example
 * ```ts
 * import { Vault } from "@coffer/vault";
 *
 * const path = `${await Deno.makeTempDir()}/app.coffer`;
 * const weak = { memory: 1024, passes: 1, allowWeakKdf: true }; // for this example only
 * await using vault = await Vault.create(path, { passphrase: "correct horse battery staple", ...weak });
 * await vault.transaction((tx) => {
 *   tx.secrets.set("db/url", "postgres://localhost/app", { tags: ["prod"] });
 *   tx.secrets.set("db/password", "hunter2");
 * });
 * console.assert(await vault.secrets.getText("db/password") === "hunter2");
 * ```
 */
export class Vault implements AsyncDisposable {
  /** The secrets. */
  readonly secrets: Secrets;
  /** The key slots. */
  readonly slots: Slots;
  readonly #engine: Engine;
  readonly #slot: number;
  readonly #attempts: Attempts | undefined;

  private constructor(engine: Engine, slot: number, attempts: Attempts | undefined) {
    this.#engine = engine;
    this.#slot = slot;
    this.#attempts = attempts;
    this.secrets = new Secrets(engine);
    this.slots = new Slots(engine);
  }

  /**
   * Makes a new vault at a path, or on a medium that holds nothing yet, and opens it.
   *
   * The file appears under its name only when it is complete and on the disk; where the file system has no hard links a
   * crash may leave a part of it. Of two that are made at one path at the same time exactly one comes to be.
   *
   * @throws {VaultExistsError} when something is at the path
   * @throws {NoCredentialError} @throws {ConflictingCredentialsError} unless there is exactly one credential
   * @throws {InvalidMetadataError} when the label is too long
   * @throws {WeakKdfError} @throws {KdfLimitError} @throws {WeakCredentialError} @throws {MalformedCredentialError}
   * @throws {SlotVerificationError} when a new slot does not open again
   * @throws {PermissionDeniedError} @throws {MissingPermissionError} @throws {ReadOnlyFileSystemError}
   * @throws {DiskFullError} @throws {InputOutputError} when the file cannot be written
   */
  static async create(where: string | Medium, options: CreateOptions): Promise<Vault> {
    const name = checkCredentialOptions(options);
    const kdf = name === "passphrase" ? newKdf(options) : undefined;
    const label = checkLabel(options.label ?? "");
    if (typeof where === "string") await (await fileMedium()).assertFree(where);
    const credential = checkNewCredential(await resolveCredential(options));
    const prepared = [await prepareSlot(credential, label, kdf)];
    const { onRecoveryCode } = options;
    if (onRecoveryCode !== undefined) {
      prepared.push(await prepareNewSlot({ kind: "recovery" }, "", { onSecret: onRecoveryCode }));
    }
    const vaultKey = newVaultKey();
    try {
      const vault = { vaultId: randomBytes(ID_SIZE), epoch: 1 };
      const now = Date.now();
      const slots = await Promise.all(prepared.map((slot, index) => wrapSlot(slot, vaultKey, vault, index + 1, now)));
      const keys = await deriveKeys(vaultKey, vault.vaultId);
      const first = { ...vault, nextSlotId: slots.length + 1, created: now, updated: now, slots };
      const commit = await sealFirst(keys, first);
      const medium = typeof where === "string" ? await (await fileMedium()).create(where, commit, options) : where;
      return await closingOnError(medium, async () => {
        if (medium === where) await withLock(medium, "exclusive", options, () => medium.commit(0, commit));
        if (typeof where === "string") await forgetAttempts(where);
        return new Vault(await Engine.load(medium, keys, options), 1, await attemptsOf(where, vault.vaultId));
      });
    } finally {
      wipe(vaultKey);
    }
  }

  /**
   * Opens a vault with exactly one credential.
   *
   * The key derivation of a passphrase runs without a lock: others may go on meanwhile.
   *
   * A credential that does not open a vault at a path counts as a failure, in a file beside the vault. After five in a
   * row a wait begins, of 1 s first and twice as long after each further failure, up to 15 min; until it is over no try
   * is made, by any process. A success ends it. A process that may not write the file is not counted: the error for the
   * wrong credential then has the reason as its `cause`. Who may not write there may still copy the vault and guess
   * elsewhere, so take the vault's own permissions for the limit, and this for what slows down honest interfaces.
   *
   * @throws {VaultNotFoundError} @throws {NotAFileError} when there is none
   * @throws {EmptyFileError} @throws {NotAVaultError} @throws {UnsupportedVersionError} when the file is something else
   * @throws {TruncatedVaultError} @throws {CorruptVaultError} when it is damaged
   * @throws {InsecurePermissionsError} @throws {PermissionDeniedError} @throws {MissingPermissionError}
   * @throws {NoCredentialError} @throws {ConflictingCredentialsError} @throws {MalformedCredentialError}
   * @throws {WrongCredentialError} when no slot opens
   * @throws {TooManyAttemptsError} when so many tries failed that the next has to wait
   * @throws {KdfLimitError} when a slot asks for more work than any may
   * @throws {BusyError} when the lock is not had in time
   */
  static async open(where: string | Medium, options: OpenOptions): Promise<Vault> {
    checkCredentialOptions(options);
    const medium = await reach(where, options);
    return await closingOnError(medium, async () => {
      const meta = decodeMeta((await readNewest(medium, options)).meta);
      const attempts = await attemptsOf(where, meta.vaultId, options);
      const { vaultKey, slot, failedUnlocks } = await unlock(meta, options, attempts);
      try {
        const keys = await deriveKeys(vaultKey, meta.vaultId);
        const engine = await Engine.load(medium, keys, options);
        engine.failedUnlocks = failedUnlocks;
        return new Vault(engine, slot, attempts);
      } finally {
        wipe(vaultKey);
      }
    });
  }

  /**
   * What a vault's file says without any credential. None of it is authenticated.
   *
   * @throws {VaultNotFoundError} @throws {CorruptVaultError} and what else {@linkcode Vault.open} says of a file
   */
  static async inspect(where: string | Medium, options: FileOptions & AttemptsOptions = {}): Promise<VaultSummary> {
    const medium = await reach(where, options);
    try {
      const committed = await readNewest(medium, options);
      const meta = decodeMeta(committed.meta);
      const attempts = await attemptsOf(where, meta.vaultId, options);
      return await summarize(meta, medium, committed.recovered, await attempts?.status(options));
    } finally {
      medium.close();
    }
  }

  /**
   * Reads every page that the newest version of a vault file reaches, without any credential. Damage is reported, not
   * thrown, unless no version can be made out at all.
   *
   * @throws {VaultNotFoundError} @throws {NotAVaultError} @throws {TruncatedVaultError} @throws {CorruptVaultError}
   * @throws {BusyError} when the lock is not had in time
   */
  static async checkStructure(path: string, options: FileOptions = {}): Promise<StructureReport> {
    const [{ DenoDisk }, { checkStructure }] = await Promise.all([
      import("./storage/disk_deno.ts"),
      import("./storage/check.ts"),
    ]);
    const disk = DenoDisk.open(path, options);
    try {
      return await withLock(disk, "shared", options, () => checkStructure(disk));
    } finally {
      disk.close();
    }
  }

  /**
   * Runs a callback against a private view and commits what it changed, all or nothing.
   *
   * It holds the vault's lock, and sees everything that other processes committed before. It resolves with the
   * callback's result once the change is durable; when the callback throws, nothing has changed. Transactions that are
   * started together share one commit. Do not await another transaction of the same vault inside: it waits for this one.
   *
   * @throws {BusyError} when the lock, or its turn, is not had in time
   * @throws {VaultClosedError}
   * @throws {DiskFullError} @throws {InputOutputError} @throws {PermissionDeniedError} when it could not be written
   * @throws {RollbackDetectedError} @throws {ForkDetectedError} when another file took the vault's place
   * @throws {SealLimitError} when the vault key has sealed as often as one key may
   */
  async transaction<T>(run: (tx: Transaction) => T | Promise<T>, options: LockOptions = {}): Promise<T> {
    return await this.#engine.transact((work: Work) => run({ secrets: new TransactionSecrets(work) }), options);
  }

  /**
   * Whether the newest commit was found torn, and the one before it stands: a crash in the middle of it, or somebody's
   * doing. It stays so until the next commit.
   */
  get recovered(): boolean {
    return this.#engine.committed.generation.recovered;
  }

  /**
   * What the vault says of itself, authenticated.
   *
   * @throws {BusyError} when the lock is not had in time @throws {VaultClosedError}
   * @throws {PermissionDeniedError} @throws {InputOutputError} when the count of failed tries cannot be read
   */
  async status(): Promise<VaultStatus> {
    await this.#engine.refresh();
    const { generation, state } = this.#engine.committed;
    const attempts = await this.#attempts?.status();
    const summary = await summarize(generation.meta, this.#engine.medium, generation.recovered, attempts);
    return { ...summary, secrets: state.count(SECRET), openedWith: this.#slot };
  }

  /**
   * Reads and authenticates every live byte again. Damage is reported, not thrown.
   *
   * @throws {BusyError} when the lock, or its turn after transactions of this process, is not had in time
   */
  async check(options: LockOptions = {}): Promise<CheckReport> {
    return await this.#engine.reading(async ({ meta, segments }) => {
      const problems: { what: string; page?: number }[] = [];
      let [records, bytes] = [0, 0];
      for (const segment of segments) {
        try {
          const chunks = openLive(this.#engine.keys, meta.vaultId, segment);
          if (segment.header.kind === "snapshot") records += [...(await readSnapshot(chunks)).records()].length;
          else records += [...(await readChanges(chunks)).values()].reduce((sum, changes) => sum + changes.size, 0);
          bytes += segment.stored.length;
        } catch (error) {
          if (!(error instanceof CorruptVaultError)) throw error;
          problems.push({ what: error.message, ...(error.page === undefined ? {} : { page: error.page }) });
        }
      }
      const { state } = this.#engine.committed;
      problems.push(...missingValues(state));
      const secrets = state.count(SECRET);
      return { generation: meta.generation, segments: segments.length, records, secrets, bytes, problems };
    }, options);
  }

  /**
   * Changes a passphrase: the vault key is wrapped anew, in the place of the old slot, in one commit.
   *
   * The slot is the one named, else the one that opened the vault, else the only one of a passphrase. The cost stays
   * as it was unless options say otherwise. Older copies of the file still open with the old passphrase.
   *
   * @throws {SlotNotFoundError} when there is no such slot, or more than one it could be
   * @throws {WeakCredentialError} @throws {MalformedCredentialError} @throws {WeakKdfError} @throws {KdfLimitError}
   * @throws {SlotVerificationError} @throws {BusyError}
   */
  async changePassphrase(
    next: Provide<string>,
    options: KdfOptions & { readonly slot?: number } = {},
  ): Promise<SlotInfo> {
    const { slot, ...kdf } = options;
    return await this.slots.replacePassphrase((slots) => choosePassphrase(slots, slot, this.#slot), next, kdf);
  }

  /**
   * Closes the vault: what runs is finished, what waits fails.
   *
   * @throws {BusyError} when a transaction does not end, as one that awaits this; the vault is closed all the same
   */
  async close(): Promise<void> {
    await this.#engine.close();
  }

  /** Closes the vault at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Versions whose value has no record. Which secret it is stays out: a report may be shown to anyone. */
function missingValues(state: State): { what: string }[] {
  const missing: { what: string }[] = [];
  for (const name of state.keys(SECRET)) {
    const { versions } = getSecret(state, name);
    const lost = versions.some(({ ref }) => ref !== undefined && state.get(VALUE, ref) === undefined);
    if (lost) missing.push({ what: "The vault is damaged: a value is missing" });
  }
  return missing;
}

/** The vault key, and how many tries failed that the audit log does not tell of yet. */
async function unlock(
  meta: Meta,
  options: OpenOptions,
  attempts: Attempts | undefined,
): Promise<Unwrapped & { readonly failedUnlocks: number }> {
  // Before anything is asked for or derived: while there is a wait, guessing right is no help.
  await attempts?.assertMayTry(options);
  const unwrapped = await unwrap(meta, options, attempts);
  try {
    return { ...unwrapped, failedUnlocks: await attempts?.succeeded(options) ?? 0 };
  } catch (error) {
    wipe(unwrapped.vaultKey);
    throw error;
  }
}

async function unwrap(meta: Meta, options: OpenOptions, attempts: Attempts | undefined): Promise<Unwrapped> {
  const credential = await resolveCredential(options);
  try {
    return await unwrapVaultKey(meta, credential, options.signal);
  } catch (error) {
    throw error instanceof WrongCredentialError && attempts !== undefined ? await attempts.failed(error) : error;
  } finally {
    wipe(credential.secret);
  }
}

/** The tries to open the vault at a path, where they count. */
async function attemptsOf(
  where: string | Medium,
  vaultId: Uint8Array,
  { attempts = true }: AttemptsOptions = {},
): Promise<Attempts | undefined> {
  if (typeof where !== "string" || !attempts) return undefined;
  return new Attempts(new (await attemptsFile())(where), vaultId);
}

/** Takes away what an earlier vault at the path has left, which would count as failures of the new one. */
async function forgetAttempts(path: string): Promise<void> {
  try {
    new (await attemptsFile())(path).remove();
  } catch (error) {
    // The new vault is there and open. At worst whoever opens it next is told to wait, which is the safe side.
    if (!(error instanceof CofferError)) throw error;
  }
}

function choosePassphrase(slots: readonly SlotInfo[], wanted: number | undefined, opened: number): SlotInfo {
  const passphrases = slots.filter((slot) => slot.kind === "passphrase");
  const found = passphrases.find((slot) => slot.id === (wanted ?? opened)) ??
    (wanted === undefined && passphrases.length === 1 ? passphrases[0] : undefined);
  if (found !== undefined) return found;
  throw new SlotNotFoundError(
    wanted === undefined ? `There are ${passphrases.length} passphrase slots` : `There is no passphrase slot ${wanted}`,
    { hint: passphrases.length > 1 ? "Say which slot to change" : "Add one with `coffer slot add --kind passphrase`" },
  );
}

async function summarize(
  meta: Meta,
  medium: Medium,
  recovered: boolean,
  attempts: AttemptsStatus | undefined,
): Promise<VaultSummary> {
  return {
    vaultId: encodeHex(meta.vaultId),
    generation: meta.generation,
    epoch: meta.epoch,
    createdAt: new Date(meta.created),
    updatedAt: new Date(meta.updated),
    slots: meta.slots.map(slotInfo),
    seals: meta.seals,
    usage: await medium.usage(),
    recovered,
    ...(attempts === undefined ? {} : { attempts }),
  };
}

async function readNewest(medium: Medium, options: LockOptions): Promise<Committed> {
  const committed = await withLock(medium, "shared", options, () => medium.read());
  if (committed === null) throw new VaultNotFoundError(medium.name);
  return committed;
}

async function closingOnError<T>(medium: Medium, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    medium.close();
    throw error;
  }
}

async function reach(where: string | Medium, options: FileOptions): Promise<Medium> {
  return typeof where === "string" ? await (await fileMedium()).open(where, options) : where;
}

/** Files need Deno; the rest of the library does not, so they are loaded when a path is given. */
async function fileMedium(): Promise<typeof import("./storage/file.ts").FileMedium> {
  return (await import("./storage/file.ts")).FileMedium;
}

async function attemptsFile(): Promise<typeof import("./storage/attempts_file.ts").AttemptsFile> {
  return (await import("./storage/attempts_file.ts")).AttemptsFile;
}
