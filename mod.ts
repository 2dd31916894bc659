/**
 * An encrypted vault in one crash-safe file, for an application's secrets.
 *
 * A vault holds secrets by name: bytes or text, with a note, tags, an expiry and the last ten versions. Everything is
 * sealed with AES-256-GCM under a random vault key; key slots wrap that key for each credential: a passphrase
 * (Argon2id), a recovery code, a key file, a certificate. A commit is one write that is on the disk when the call
 * returns; a crash leaves the state before or the state after it, and several processes may share one file.
 *
 * Most programs need two calls: {@linkcode Vault.open} (once, {@linkcode Vault.create}) and, on what it gives,
 * `vault.secrets.get` or `vault.secrets.set`. Changes that belong together go into {@linkcode Vault.transaction}.
 *
 * Names, sizes and metadata are sealed like values, but the file's size, the time of its last change and the labels of
 * its key slots can be seen by anyone who can read it: keep secrets in values, not in labels. Names show up in errors,
 * values never do. A credential belongs neither into the program nor beside the vault: pass a function that asks for it,
 * or reads it from where the platform keeps such things.
 *
 * A vault that this version writes stays readable by every later version of the library; one that a later version wrote
 * is refused with `unsupported-version` rather than misread. Error codes are stable, messages are not.
 *
 * @example Make a vault, use it, open it again
 * ```ts
 * import assert from "node:assert/strict";
 * import { newKeyFile, Vault } from "@coffer/vault";
 *
 * const folder = await Deno.makeTempDir();
 * const path = `${folder}/app.coffer`;
 * const keyFile = newKeyFile(); // store these bytes away from the vault
 *
 * {
 *   await using vault = await Vault.create(path, { keyFile });
 *   await vault.secrets.set("db/password", "hunter2", { tags: ["prod"] });
 * }
 *
 * await using vault = await Vault.open(path, { keyFile: () => keyFile });
 * assert.equal(await vault.secrets.getText("db/password"), "hunter2");
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @module
 */

export type { AttemptsStatus } from "./lib/attempts.ts";

export {
  type AttemptsOptions,
  type AuditOptions,
  type CheckOptions,
  type CheckReport,
  type CreateOptions,
  type FileOptions,
  type OpenOptions,
  type Transaction,
  Vault,
  type VaultStatus,
  type VaultSummary,
} from "./lib/vault.ts";

export { repairVault } from "./lib/backup/repair.ts";
export type { RepairOptions, RepairReport } from "./lib/backup/repair.ts";
export type { LostSecret, RepairLoss } from "./lib/backup/plan.ts";
export { salvageVault } from "./lib/backup/salvage.ts";
export type { SalvageOptions, SalvageReport } from "./lib/backup/salvage.ts";
export type { SalvageFailure } from "./lib/backup/fragment.ts";
export type { GatherOptions } from "./lib/backup/gather.ts";
export type { MissingGenerations } from "./lib/backup/assemble.ts";
export type { Backup } from "./lib/backup/backup.ts";
export type { RestoreOptions, RestoreReport } from "./lib/backup/restore.ts";
export type { ImportEntry, KeptSecret, KeptVersion } from "./lib/exchange/entry.ts";
export type { ExportOptions } from "./lib/exchange/export_secrets.ts";
export type { ExportedSecret } from "./lib/exchange/exported.ts";
export type { ImportOptions, ImportReport } from "./lib/exchange/import_secrets.ts";
export type { OnConflict } from "./lib/exchange/plan.ts";
export { ExchangeLimitError, ExportRefusedError, ImportConflictError } from "./lib/exchange/errors.ts";
export type { RotateOptions, RotateReport } from "./lib/rotate.ts";
export { BackupForeignError, BackupReadOnlyError, SlotsWouldDropError, VaultRotatedError } from "./lib/errors.ts";

export {
  type ListOptions,
  type RenameOptions,
  type SecretInfo,
  Secrets,
  type SecretVersion,
  TransactionSecrets,
  type VersionOptions,
} from "./lib/secrets.ts";

export { type AuditFilter, AuditLog, type AuditReport, type PruneOptions } from "./lib/audit_log.ts";
export {
  AUDIT_OPERATIONS,
  type AuditEntry,
  type AuditEvent,
  type AuditOperation,
  type AuditOrigin,
} from "./lib/audit/entry.ts";
export { Policies, type SetPolicyOptions } from "./lib/policies.ts";
export type { PolicyName, PolicyValues } from "./lib/state/policies.ts";

export { type NewSlot, type NewSlotOptions, type SlotInfo, Slots } from "./lib/slots.ts";

export { Users } from "./lib/auth/users.ts";
export type { ListUsersOptions, UserInfo } from "./lib/auth/user_reader.ts";
export type { NewUser, TransactionUsers } from "./lib/auth/transaction_users.ts";
export type { UserId, UserRef } from "./lib/auth/user_id.ts";
export { type Role, ROLES } from "./lib/auth/role.ts";
export type { LoginSecrets } from "./lib/auth/login_secrets.ts";
export { ApiKeys } from "./lib/auth/api_keys.ts";
export type { ApiKeyHolder, FreshnessOptions } from "./lib/auth/check_api_key.ts";
export type {
  ApiKeyInfo,
  ForeignApiKey,
  ListApiKeysOptions,
  NewApiKey,
  NewApiKeyOptions,
  TransactionApiKeys,
} from "./lib/auth/transaction_api_keys.ts";
export { isApiKey } from "./lib/auth/api_key.ts";
export { Auth } from "./lib/auth/auth.ts";
export type { BootstrapOptions } from "./lib/auth/bootstrap.ts";
export {
  importRedDbState,
  type RedDbImportedKey,
  type RedDbImportNotice,
  type RedDbImportOptions,
  type RedDbImportOutcome,
  type RedDbImportPart,
  type RedDbImportReport,
} from "./lib/auth/import_reddb.ts";
export type { LoginOptions } from "./lib/auth/login.ts";
export type { ScramLogin, ScramLoginOptions, ScramOutcome } from "./lib/auth/scram_login.ts";
export type { NewSessionOptions, Session, SessionKey, VerifySessionOptions } from "./lib/auth/sessions.ts";
export type { ScramKeys } from "./lib/crypto/scram_keys.ts";
export { KeyPair } from "./lib/auth/key_pair.ts";
export {
  decodePostgresVerifier,
  encodePostgresVerifier,
  newScramVerifier,
  type NewScramVerifierOptions,
  type ScramVerifier,
} from "./lib/auth/scram_verifier.ts";
export {
  AlreadyBootstrappedError,
  ApiKeyExistsError,
  ApiKeyNotFoundError,
  ImportRefusedError,
  InvalidApiKeyError,
  InvalidPasswordError,
  InvalidSessionError,
  InvalidUserNameError,
  KeyPairExistsError,
  LastAdminError,
  MalformedVerifierError,
  type RefusedRecord,
  RoleAboveOwnerError,
  ScramProtocolError,
  type ScramReason,
  type SessionProblem,
  TenantNotFoundError,
  UserDisabledError,
  UserExistsError,
  UserNotFoundError,
  type VerifierFormat,
  WeakPasswordParametersError,
  WrongLoginError,
} from "./lib/auth/errors.ts";

export type { SecretMetadata } from "./lib/state/metadata.ts";

export type { CredentialOptions, Provide } from "./lib/sealed/credential.ts";
export type { KdfOptions } from "./lib/sealed/kdf_limits.ts";
export { newKeyFile } from "./lib/sealed/keyfile.ts";
export { SLOT_KINDS, type SlotKind } from "./lib/sealed/slot.ts";
export type { Bytes } from "./lib/bytes.ts";

export type { AnchorStore, WaitingAnchor } from "./lib/storage/anchor_store.ts";
export type { Lock, LockMode, LockOptions } from "./lib/storage/disk.ts";
export type { Commit, Committed, Medium, MediumUsage, StoredSegment } from "./lib/storage/medium.ts";
export { MemoryMedium, MemoryStore } from "./lib/storage/memory.ts";

export {
  AnchorDamagedError,
  AnchorExistsError,
  AnchorForeignError,
  AnchorMissingError,
  BusyError,
  CofferError,
  type CofferErrorOptions,
  ConflictError,
  ConflictingCredentialsError,
  CorruptVaultError,
  DeclinedError,
  DiskFullError,
  EmptyFileError,
  FileExistsError,
  FileNotFoundError,
  FolderNotFoundError,
  ForkDetectedError,
  InputOutputError,
  InsecurePermissionsError,
  InterruptedError,
  InvalidMetadataError,
  InvalidNameError,
  KdfLimitError,
  LastSlotError,
  MalformedCredentialError,
  MalformedTextError,
  MissingPermissionError,
  NoAnchorError,
  NoCredentialError,
  NotAFileError,
  NotAVaultError,
  PermissionDeniedError,
  PolicyError,
  ReadOnlyFileSystemError,
  RollbackDetectedError,
  SealLimitError,
  SecretExistsError,
  SecretNotFoundError,
  SlotNotFoundError,
  SlotsFullError,
  SlotVerificationError,
  TooManyAttemptsError,
  TransactionClosedError,
  TruncatedVaultError,
  UnsupportedVersionError,
  UsageError,
  ValueTooLargeError,
  VaultClosedError,
  VaultExistsError,
  VaultNotFoundError,
  VersionNotFoundError,
  WeakCredentialError,
  WeakKdfError,
  WrongCredentialError,
} from "./lib/errors.ts";
export { ERROR_TABLE, type ErrorCode, type ErrorEntry } from "./lib/error_table.ts";
