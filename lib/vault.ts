/**
 * The vault: create, open, change, read, close.
 *
 * @module
 */
import { AuditLog } from "./audit_log.ts";
import type { Attempts } from "./attempts.ts";
import { ApiKeys } from "./auth/api_keys.ts";
import { Auth } from "./auth/auth.ts";
import { KeyPair } from "./auth/key_pair.ts";
import type { TransactionApiKeys } from "./auth/transaction_api_keys.ts";
import type { TransactionUsers } from "./auth/transaction_users.ts";
import { Users } from "./auth/users.ts";
import type { Backup } from "./backup/backup.ts";
import type { RestoreOptions, RestoreReport } from "./backup/restore.ts";
import type { CheckOptions, CheckReport } from "./check_seals.ts";
import { wipe } from "./crypto/random.ts";
import { Engine, type Work } from "./engine.ts";
import { NoCredentialError, SlotNotFoundError } from "./errors.ts";
import { logger, logRecovered } from "./log.ts";
import { Anchor } from "./sealed/anchor.ts";
import { checkCredentialOptions, type Provide } from "./sealed/credential.ts";
import type { KdfOptions } from "./sealed/kdf_limits.ts";
import { deriveKeys } from "./sealed/keys.ts";
import { decodeMeta } from "./sealed/meta.ts";
import { remembered } from "./sealed/remembered.ts";
import type { RotateOptions, RotateReport } from "./rotate.ts";
import type { ImportEntry } from "./exchange/entry.ts";
import type { ExportOptions } from "./exchange/export_secrets.ts";
import type { ExportedSecret } from "./exchange/exported.ts";
import type { ImportOptions, ImportReport } from "./exchange/import_secrets.ts";
import {
  attemptsOf,
  type AttemptsOptions,
  checkOrigin,
  type CreateOptions,
  type FileOptions,
  findAnchor,
  lockOptions,
  makeAnchor,
  openingUnderOneKey,
  type OpenOptions,
  reach,
  readNewest,
  unlock,
  unlocking,
} from "./opening.ts";
import { Policies } from "./policies.ts";
import { Secrets, TransactionSecrets } from "./secrets.ts";
import { type SlotInfo, Slots } from "./slots.ts";
import { SECRET } from "./state/secret.ts";
import type { StructureReport } from "./storage/check.ts";
import type { LockOptions } from "./storage/disk.ts";
import { withLock } from "./storage/locking.ts";
import type { Medium } from "./storage/medium.ts";
import type { VaultSummary } from "./summary.ts";

export type { CheckOptions, CheckReport } from "./check_seals.ts";
export type { AttemptsOptions, AuditOptions, CreateOptions, FileOptions, OpenOptions } from "./opening.ts";
export type { VaultSummary } from "./summary.ts";

/** What an open vault says of itself. */
export interface VaultStatus extends VaultSummary {
  /** How many secrets there are. */
  readonly secrets: number;
  /** Number of the slot that opened it. */
  readonly openedWith: number;
}

/** A private view on the vault for the time of a callback. */
export interface Transaction {
  /** The secrets, as this transaction sees and changes them. */
  readonly secrets: TransactionSecrets;
  /** The users, as this transaction sees and changes them. */
  readonly users: TransactionUsers;
  /** The API keys, as this transaction sees and changes them. */
  readonly apiKeys: TransactionApiKeys;
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
  /** The audit log. */
  readonly audit: AuditLog;
  /** What the vault asks of those who use it. */
  readonly policies: Policies;
  /** The users of an application that keeps them here. */
  readonly users: Users;
  /** Their API keys. */
  readonly apiKeys: ApiKeys;
  /** Their logins and sessions. */
  readonly auth: Auth;
  /** Signatures under the vault's master secret. */
  readonly keyPair: KeyPair;
  readonly #engine: Engine;
  readonly #attempts: Attempts | undefined;

  private constructor(engine: Engine, attempts: Attempts | undefined) {
    this.#engine = engine;
    this.#attempts = attempts;
    this.secrets = new Secrets(engine);
    this.slots = new Slots(engine);
    this.audit = new AuditLog(engine);
    this.policies = new Policies(engine);
    this.users = new Users(engine);
    this.apiKeys = new ApiKeys(engine);
    this.auth = new Auth(engine);
    this.keyPair = new KeyPair(engine);
    this.#logOpened();
  }

  /** The slot that opened the vault: a restore may have brought others. */
  get #slot(): number {
    return this.#engine.origin.slot!;
  }

  #logOpened(): void {
    const { recovered, meta: { generation } } = this.#engine.committed.generation;
    const path = this.#engine.medium.name;
    logger("vault", "info")?.("Opened {path} at generation {generation} with slot {slot}", {
      path,
      generation,
      slot: this.#slot,
    });
    if (recovered) logRecovered(generation, path);
  }

  /**
   * Makes a new vault at a path, or on a medium that holds nothing yet, and opens it.
   *
   * The file appears under its name only when it is complete and on the disk; where the file system has no hard links a
   * crash may leave a part of it. Of two that are made at one path at the same time exactly one comes to be.
   *
   * @throws {VaultExistsError} when something is at the path
   * @throws {NoCredentialError} @throws {ConflictingCredentialsError} unless there is exactly one credential
   * @throws {InvalidMetadataError} when the label is too long @throws {TypeError} when a policy cannot have its value
   * @throws {WeakKdfError} @throws {KdfLimitError} @throws {WeakCredentialError} @throws {MalformedCredentialError}
   * @throws {SlotVerificationError} when a new slot does not open again
   * @throws {PermissionDeniedError} @throws {MissingPermissionError} @throws {ReadOnlyFileSystemError}
   * @throws {DiskFullError} @throws {InputOutputError} when the file cannot be written
   */
  static async create(where: string | Medium, options: CreateOptions): Promise<Vault> {
    const { createVault } = await import("./creation.ts");
    const { engine, attempts } = await createVault(where, options);
    return new Vault(engine, attempts);
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
   * @throws {AnchorForeignError} when another vault's anchor would be written over for `trustAnchor`
   * @throws {BusyError} when the lock is not had in time
   */
  static async open(where: string | Medium, options: OpenOptions): Promise<Vault> {
    checkCredentialOptions(options);
    const given = checkOrigin(options);
    const medium = await reach(where, options);
    const asked = remembered(options);
    return await openingUnderOneKey(medium, options, async (meta) => {
      const anchor = await findAnchor(where, options.anchor, meta);
      const attempts = await attemptsOf(where, meta.vaultId, options);
      const { vaultKey, slot, failedUnlocks } = await unlock(meta, { ...options, ...asked }, attempts);
      try {
        const keys = await deriveKeys(vaultKey, meta.vaultId);
        const onLogged = (failures: number) => attempts?.logged(failures);
        const follows = options.followRotations ? { unlock: unlocking({ ...options, ...asked }, attempts) } : {};
        const all = {
          ...lockOptions(options),
          origin: { slot, ...given },
          anchor,
          failedUnlocks,
          onLogged,
          ...follows,
        };
        if (options.trustAnchor) {
          await withLock(medium, "exclusive", options, () => makeAnchor(medium, keys, anchor, options));
        }
        const engine = await Engine.load(medium, keys, all);
        if (options.trustAnchor) await engine.transact((work) => work.audit({ operation: "anchor.trust" }));
        return new Vault(engine, attempts);
      } catch (error) {
        anchor?.release();
        throw error;
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
      const { summarize } = await import("./summary.ts");
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
    const disk = await DenoDisk.openPrivate(path, options);
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
    const view = await transactionView();
    return await this.#engine.transact((work: Work) => run(view(work, this.#engine)), options);
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
    const { summarize } = await import("./summary.ts");
    const summary = await summarize(generation.meta, this.#engine.medium, generation.recovered, attempts);
    return { ...summary, secrets: state.count(SECRET), openedWith: this.#slot };
  }

  /**
   * Reads and authenticates every live byte again. Damage is reported, not thrown.
   *
   * @throws {BusyError} when the lock, or its turn after transactions of this process, is not had in time
   */
  async check(options: CheckOptions = {}): Promise<CheckReport> {
    const { checkSeals } = await import("./check_seals.ts");
    return await this.#engine.reading(
      () => checkSeals(this.#engine.keys, this.#engine.live, options),
      lockOptions(options),
    );
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
   * Gives the vault a new key: everything is sealed anew in one commit, and the slots are wrapped anew whose credentials are
   * given. Passphrases stay as they are. A crash leaves the old key or the new one, wholly. Other open vaults on the file
   * must be opened again. Older copies still open with the old key.
   *
   * @throws {WrongCredentialError} when one of the credentials opens no slot
   * @throws {SlotsWouldDropError} when slots would go that were not named, and `dropOthers` is not set
   * @throws {ConflictError} when slots changed meanwhile @throws {BusyError} @throws {BackupReadOnlyError}
   */
  async rotate(options: RotateOptions): Promise<RotateReport> {
    if (options.credentials.length === 0) throw new NoCredentialError();
    options.credentials.forEach(checkCredentialOptions);
    const { rotate } = await import("./rotate.ts");
    return await rotate(this.#engine, options);
  }

  /**
   * Copies the vault as it is now into bytes that are a vault file themselves: it opens with the same credentials, can be
   * read and checked, and restored with {@linkcode Vault.restoreTo}. Others may go on writing meanwhile.
   *
   * @throws {BusyError} when the lock is not had in time
   */
  async backup(): Promise<Backup> {
    const { backUp } = await import("./backup/backup.ts");
    await this.#noteBackup();
    return await backUp(this.#engine);
  }

  /** A backup carries every value away: where reads are noted in the log, so is this, before it is made. */
  async #noteBackup(): Promise<void> {
    const audited = await this.policies.get("audit-reads");
    if (!audited || this.#engine.live.generation.meta.backup) return;
    await this.#engine.transact((work) => work.audit({ operation: "vault.backup" }));
  }

  /**
   * Gives secrets, with all that is known of them, to be kept elsewhere. The log tells of it before they are given, and
   * where reads are noted of each one that is.
   *
   * @throws {ExportRefusedError} when they are not to be encrypted and the vault's policy `plaintext-export` forbids that
   * @throws {ExchangeLimitError} when they have more than 256 MiB @throws {InvalidNameError} for a pattern that is none
   * @throws {BusyError} and what else {@linkcode Vault.transaction} throws
   */
  async exportSecrets(options: ExportOptions): Promise<ExportedSecret[]> {
    const { exportSecrets } = await import("./exchange/export_secrets.ts");
    return await exportSecrets(this.#engine, options);
  }

  /**
   * Takes secrets over, all in one commit or none. Whether a name is taken by the same value or another one is found out
   * under the vault's lock.
   *
   * @throws {ImportConflictError} when names are taken by something else, unless options say what to do with those
   * @throws {InvalidNameError} @throws {InvalidMetadataError} @throws {ValueTooLargeError}
   * @throws {BusyError} and what else {@linkcode Vault.transaction} throws
   */
  async importSecrets(entries: readonly ImportEntry[], options: ImportOptions = {}): Promise<ImportReport> {
    const { importSecrets } = await import("./exchange/import_secrets.ts");
    return await importSecrets(this.#engine, entries, options);
  }

  /**
   * Puts this vault, a backup, in the place of the one at a path, which is kept under another name beside it. The generation
   * goes on above every one that there was, and the log says what happened.
   *
   * @throws {RollbackDetectedError} when the vault or its anchor is newer, and `rollback` is not set
   * @throws {BackupForeignError} when another vault is there @throws {AnchorForeignError} when another vault's anchor is
   * @throws {AnchorMissingError} when the vault that is there has lost its anchor, and `rollback` is not set
   * @throws {PolicyError} when the backup's policy asks for a reason and none was given
   */
  async restoreTo(path: string, options: RestoreOptions = {}): Promise<RestoreReport> {
    const { restoreTo } = await import("./backup/restore.ts");
    return await restoreTo(this.#engine, path, this.#engine.origin, options);
  }

  /**
   * Moves the anchor to another path, another disk being better, durably and under the vault's lock; the log says so. From
   * then on the vault is opened with the option `anchor`.
   *
   * @throws {AnchorExistsError} when something is at the path
   * @throws {NoAnchorError} when the vault was made without an anchor
   * @throws {BusyError} @throws {PermissionDeniedError} @throws {InputOutputError}
   */
  async moveAnchor(path: string): Promise<void> {
    const { FileAnchor } = await import("./storage/anchor_file.ts");
    await this.#engine.moveAnchor(() => {
      FileAnchor.assertFree(path);
      return new Anchor(new FileAnchor(path));
    });
    await this.#engine.transact((work) => work.audit({ operation: "anchor.move", to: path }));
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

type View = (work: Work, engine: Engine) => Transaction;

let loadedView: View | undefined;
let loadingView: Promise<View> | undefined;

/** Makes what a transaction's callback gets. Users and keys are loaded with the first one: many programs have none. */
function transactionView(): View | Promise<View> {
  // Transactions that are begun together all wait for the same loading, and so still stand in line together.
  return loadedView ?? (loadingView ??= loadView());
}

async function loadView(): Promise<View> {
  const [{ TransactionUsers }, { TransactionApiKeys }] = await Promise.all([
    import("./auth/transaction_users.ts"),
    import("./auth/transaction_api_keys.ts"),
  ]);
  return loadedView = (work, engine) => ({
    secrets: new TransactionSecrets(work),
    users: new TransactionUsers(work),
    apiKeys: new TransactionApiKeys(work, engine),
  });
}
