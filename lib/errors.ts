/**
 * Every error that coffer throws on purpose, grouped by the moment it is thrown. Codes, exit codes and hints are in
 * `error_table.ts`.
 *
 * Messages say what happened to what, in sentence case, without a final period. No message, field or cause ever holds
 * a value, a passphrase or a key.
 *
 * @module
 */
import { ERROR_TABLE, type ErrorCode } from "./error_table.ts";

/** What any error may carry beside its message. */
export interface CofferErrorOptions {
  /** A hint more exact than the table's. */
  readonly hint?: string;
  /** The error underneath, where there is one. */
  readonly cause?: unknown;
}

/**
 * The base of every error that coffer throws on purpose.
 *
 * @example Branching on a code
 * ```ts
 * import { CofferError, Vault } from "@coffer/vault";
 *
 * try {
 *   await Vault.open("/nonexistent/app.coffer", { passphrase: "…" });
 * } catch (error) {
 *   if (!(error instanceof CofferError)) throw error;
 *   console.assert(error.code === "vault-not-found");
 * }
 * ```
 */
export class CofferError extends Error {
  /** Stable kebab-case name of the cause. */
  readonly code: ErrorCode;
  /** What to do about it. */
  readonly hint: string;

  /** Makes an error of the given code; the hint comes from the table unless the options bring one. */
  constructor(code: ErrorCode, message: string, options: CofferErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint ?? ERROR_TABLE[code].hint;
  }

  /** Exit code of the command line for this error. */
  get exitCode(): number {
    return ERROR_TABLE[this.code].exit;
  }
}

// ---- Files and the operating system ----

/** Thrown when reading, writing or syncing fails for a reason that has no class of its own. */
export class InputOutputError extends CofferError {
  /** Names the operation and the path; the system's error is the cause. */
  constructor(readonly operation: string, readonly path: string, options: CofferErrorOptions = {}) {
    super("io-error", `Cannot ${operation} "${path}"`, options);
  }
}

/** Thrown when the disk has no room for a change. */
export class DiskFullError extends CofferError {
  /** Names the operation and the path. */
  constructor(readonly operation: string, readonly path: string, options: CofferErrorOptions = {}) {
    super("disk-full", `Cannot ${operation} "${path}": no space left on the device`, options);
  }
}

/** Thrown when the operating system denies access to a file. */
export class PermissionDeniedError extends CofferError {
  /** Names the operation and the path. */
  constructor(readonly operation: string, readonly path: string, options: CofferErrorOptions = {}) {
    super("permission-denied", `Cannot ${operation} "${path}": the system denies it`, options);
  }
}

/** Thrown when the file system of a vault is mounted read-only. */
export class ReadOnlyFileSystemError extends CofferError {
  /** Names the operation and the path. */
  constructor(readonly operation: string, readonly path: string, options: CofferErrorOptions = {}) {
    super("read-only-file-system", `Cannot ${operation} "${path}": its file system is read-only`, options);
  }
}

/** Thrown when the Deno process was not given a permission that the operation needs. */
export class MissingPermissionError extends CofferError {
  /** Names the flag, such as `--allow-read`, and what it was needed for. */
  constructor(readonly flag: string, operation: string, options: CofferErrorOptions = {}) {
    super("missing-permission", `Cannot ${operation}: this process runs without ${flag}`, {
      hint: `Run deno with ${flag}`,
      ...options,
    });
  }
}

/** Thrown when group or others may read or write a vault or a credential file. */
export class InsecurePermissionsError extends CofferError {
  /** Mode bits, on systems that have them. */
  readonly mode: number | undefined;
  /** Names of accounts or groups that its access list lets in, on systems that have those. */
  readonly accounts: readonly string[];

  /** Names the path, and its mode bits or the accounts that an access list lets in. */
  constructor(readonly path: string, lets: number | readonly string[], options: CofferErrorOptions = {}) {
    const hint = typeof lets === "number"
      ? `Make it private: chmod 600 "${path}"`
      : "Make it private: `coffer doctor --fix` with --allow-run=icacls";
    super("insecure-permissions", `Refused "${path}": ${letsIn(lets)}`, { hint, ...options });
    this.mode = typeof lets === "number" ? lets : undefined;
    this.accounts = typeof lets === "number" ? [] : lets;
  }
}

function letsIn(lets: number | readonly string[]): string {
  if (typeof lets !== "number") return `its access list lets in ${lets.join(", ")}`;
  return `its mode ${(lets & 0o777).toString(8).padStart(4, "0")} lets other users in`;
}

/** Thrown when a file that was named, other than the vault, is not there. */
export class FileNotFoundError extends CofferError {
  /** Names what the file is for, and its path. */
  constructor(readonly purpose: string, readonly path: string, options: CofferErrorOptions = {}) {
    super("file-not-found", `Cannot read ${purpose} "${path}": no such file`, options);
  }
}

/** Thrown when the folder of a file that would be written is not there. */
export class FolderNotFoundError extends CofferError {
  /** Names the folder. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("folder-not-found", `The folder "${path}" is not there`, options);
  }
}

/** Thrown when a file that would be written is there already. */
export class FileExistsError extends CofferError {
  /** Names the path. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("file-exists", `Cannot write "${path}": it already exists`, options);
  }
}

// ---- Creating and opening a vault ----

/** Thrown when there is nothing at the vault's path. */
export class VaultNotFoundError extends CofferError {
  /** Names the path. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("vault-not-found", `No vault at "${path}"`, options);
  }
}

/** Thrown when a vault would be created where something already is. */
export class VaultExistsError extends CofferError {
  /** Names the path. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("vault-exists", `Cannot create a vault at "${path}": it already exists`, options);
  }
}

/** Thrown when the vault's path names a folder, a device or a socket. */
export class NotAFileError extends CofferError {
  /** Names the path. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("not-a-file", `Cannot open vault "${path}": it is not a regular file`, options);
  }
}

/** Thrown when the file at the vault's path is empty. */
export class EmptyFileError extends CofferError {
  /** Names the path. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("empty-file", `Cannot open vault "${path}": the file is empty`, options);
  }
}

/** Thrown when a file does not begin as a vault does. */
export class NotAVaultError extends CofferError {
  /** Names the path. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("not-a-vault", `Cannot open vault "${path}": this is not a coffer vault`, options);
  }
}

/** Thrown when a vault was written by a later version of the format. */
export class UnsupportedVersionError extends CofferError {
  /** Names the path and the version found. */
  constructor(readonly path: string, readonly version: number, options: CofferErrorOptions = {}) {
    super(
      "unsupported-version",
      `Cannot open vault "${path}": format version ${version} is not known, this coffer reads version 1`,
      options,
    );
  }
}

/** Thrown when a vault's file is shorter than its committed state. */
export class TruncatedVaultError extends CofferError {
  /** Names the path, its size and the size that it must have at least, in bytes. */
  constructor(
    readonly path: string,
    readonly size: number,
    readonly expected: number,
    options: CofferErrorOptions = {},
  ) {
    super(
      "truncated-vault",
      `Cannot open vault "${path}": the file is cut short, wanted at least ${expected} bytes, got ${size}`,
      options,
    );
  }
}

/** Thrown when bytes of a vault are damaged or fail authentication. */
export class CorruptVaultError extends CofferError {
  /** Number of the damaged page, where one is known. */
  readonly page: number | undefined;

  /** Says what is wrong, and in which page where that is known. */
  constructor(what: string, options: CofferErrorOptions & { readonly page?: number } = {}) {
    super(
      "corrupt-vault",
      `The vault is damaged: ${what}${options.page === undefined ? "" : ` (page ${options.page})`}`,
      options,
    );
    this.page = options.page;
  }
}

/** Thrown when the vault at the path is older than what was read from it before. */
export class RollbackDetectedError extends CofferError {
  /** Names the generation found and the one that was known. */
  constructor(readonly found: number, readonly known: number, options: CofferErrorOptions = {}) {
    super("rollback-detected", `The vault went back from generation ${known} to ${found}`, options);
  }
}

/** Thrown when the vault at the path is not the one that was read before, though it is as new. */
export class ForkDetectedError extends CofferError {
  /** Names the generation. */
  constructor(readonly generation: number, options: CofferErrorOptions = {}) {
    super("fork-detected", `Another vault, or another generation ${generation}, stands in the vault's place`, options);
  }
}

/** Thrown when a vault that has an anchor is opened without it. */
export class AnchorMissingError extends CofferError {
  /** Names the path of the anchor. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("anchor-missing", `The vault's anchor "${path}" is missing`, options);
  }
}

/** Thrown when an anchor is cut short, is not of its form, or was not made with the vault's key. */
export class AnchorDamagedError extends CofferError {
  /** Names the path of the anchor. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("anchor-damaged", `The anchor "${path}" is damaged`, options);
  }
}

/** Thrown when an anchor is of another vault. */
export class AnchorForeignError extends CofferError {
  /** Names the path of the anchor. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("anchor-foreign", `The anchor "${path}" belongs to another vault`, options);
  }
}

/** Thrown when the anchor of a vault is asked for that was made without one. */
export class NoAnchorError extends CofferError {
  /** Takes the usual options. */
  constructor(options: CofferErrorOptions = {}) {
    super("no-anchor", "The vault has no anchor", options);
  }
}

/** Thrown when a new vault's anchor would be written where something already is. */
export class AnchorExistsError extends CofferError {
  /** Names the path of the anchor. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("anchor-exists", `Cannot make an anchor at "${path}": something is there`, options);
  }
}

/** Thrown when another process gave the vault a new key while this one had it open. */
export class VaultRotatedError extends CofferError {
  /** Names the epoch of the new key. */
  constructor(readonly epoch: number, options: CofferErrorOptions = {}) {
    super("vault-rotated", `The vault has a new key, of epoch ${epoch}`, options);
  }
}

/** Thrown when a backup would be changed. */
export class BackupReadOnlyError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("backup-read-only", "This is a backup, which is not changed", options);
  }
}

/** Thrown when a backup is restored over another vault than its own. */
export class BackupForeignError extends CofferError {
  /** Names the path of the vault. */
  constructor(readonly path: string, options: CofferErrorOptions = {}) {
    super("backup-foreign", `The backup is not of the vault at "${path}"`, options);
  }
}

/** Thrown when the vault's own policy refuses what was asked. */
export class PolicyError extends CofferError {
  /** Names the policy, and says what it refuses. */
  constructor(readonly policy: string, code: "reason-required", what: string, options: CofferErrorOptions = {}) {
    super(code, what, options);
  }
}

/** Thrown when a vault key has sealed as often as one key may. */
export class SealLimitError extends CofferError {
  /** Names the number of seals. */
  constructor(readonly seals: number, options: CofferErrorOptions = {}) {
    super("seal-limit", `The vault key has sealed ${seals} times, which is all that one key may`, options);
  }
}

/** Thrown when another process, or another handle, keeps the vault locked past the time-out. */
export class BusyError extends CofferError {
  /** Says what could not be had, and after how many milliseconds. */
  constructor(what: string, readonly timeout: number, options: CofferErrorOptions = {}) {
    super("busy", `${what} after ${timeout} ms`, options);
  }
}

/** Thrown when a commit's base is no longer the newest committed state. */
export class ConflictError extends CofferError {
  /** Names the version that the commit stood on and the newest one. */
  constructor(readonly base: number, readonly newest: number, options: CofferErrorOptions = {}) {
    super("conflict", `Cannot commit on generation ${base}: the newest is ${newest}`, options);
  }
}

// ---- Credentials and key slots ----

/** Thrown when no slot opens with the credential; says the same whatever the reason. */
export class WrongCredentialError extends CofferError {
  /** Takes no facts on purpose: which slot was tried is nobody's business. */
  constructor(options: CofferErrorOptions = {}) {
    super("wrong-credential", "The credential does not open this vault", options);
  }
}

/** Thrown when credentials have failed so often that the next try has to wait; none was tried. */
export class TooManyAttemptsError extends CofferError {
  /** Says how long to wait, in milliseconds, and what for: to open the vault, unless it is something else. */
  constructor(
    readonly retryAfter: number,
    options: CofferErrorOptions & { readonly what?: string } = {},
  ) {
    const seconds = Math.ceil(retryAfter / 1000);
    const what = options.what ?? "open this vault";
    super("too-many-attempts", `Too many failed tries to ${what}: the next is possible in ${seconds} s`, {
      hint: `Try again in ${seconds} ${
        seconds === 1 ? "second" : "seconds"
      }; each further failure makes the wait longer`,
      ...options,
    });
  }
}

/** Thrown when a vault is opened or created without any credential. */
export class NoCredentialError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("no-credential", "No credential was given", options);
  }
}

/** Thrown when a credential is not of its form: a recovery code with a typing error, a certificate that is not hex. */
export class MalformedCredentialError extends CofferError {
  /** Says which form was expected, never what came. */
  constructor(what: string, options: CofferErrorOptions = {}) {
    super("malformed-credential", what, options);
  }
}

/** Thrown when more than one credential is given where one is wanted. */
export class ConflictingCredentialsError extends CofferError {
  /** Names the credentials that came together, such as two flags. */
  constructor(readonly given: readonly string[], options: CofferErrorOptions = {}) {
    super("conflicting-credentials", `Only one credential can be used at once, got ${given.join(" and ")}`, options);
  }
}

/** Thrown when a new credential is too short to protect anything. */
export class WeakCredentialError extends CofferError {
  /** Says what was expected. */
  constructor(what: string, options: CofferErrorOptions = {}) {
    super("weak-credential", what, options);
  }
}

/** Thrown when the parameters of a new slot are below the floor. */
export class WeakKdfError extends CofferError {
  /** Names the parameters: memory in KiB, and passes. */
  constructor(readonly memory: number, readonly passes: number, options: CofferErrorOptions = {}) {
    super(
      "weak-kdf",
      `Refused Argon2id with ${memory} KiB and ${passes} passes: below the floor of 19456 KiB and 2 passes`,
      options,
    );
  }
}

/** Thrown when a slot asks for more key derivation work than the ceiling, before any of it is done. */
export class KdfLimitError extends CofferError {
  /** Names the parameters: memory in KiB, passes and lanes. */
  constructor(
    readonly memory: number,
    readonly passes: number,
    readonly lanes: number,
    options: CofferErrorOptions = {},
  ) {
    super(
      "kdf-limit",
      `Refused Argon2id with ${memory} KiB, ${passes} passes and ${lanes} lanes: outside of what any slot may ask for`,
      options,
    );
  }
}

/** Thrown when a slot is named that the vault does not have. */
export class SlotNotFoundError extends CofferError {
  /** Says which slot was looked for. */
  constructor(what: string, options: CofferErrorOptions = {}) {
    super("slot-not-found", what, options);
  }
}

/** Thrown when a new slot does not open again with its own credential. It was not written. */
export class SlotVerificationError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("slot-unverified", "The new key slot does not open again, and was not written", options);
  }
}

/** Thrown when all sixteen slots are in use. */
export class SlotsFullError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("slots-full", "Cannot add a slot: all 16 are in use", options);
  }
}

/** Thrown when a new vault key would shut out slots whose credentials were not given. */
export class SlotsWouldDropError extends CofferError {
  /** Names the slots: number, kind and label. */
  constructor(
    readonly slots: readonly { readonly id: number; readonly kind: string; readonly label: string }[],
    options: CofferErrorOptions = {},
  ) {
    const named = slots.map(({ id, kind, label }) => `${id} (${kind}${label === "" ? "" : ` "${label}"`})`);
    super("slots-would-drop", `Without their credentials these slots would be dropped: ${named.join(", ")}`, options);
  }
}

/** Thrown when the only slot would be removed. */
export class LastSlotError extends CofferError {
  /** Names the slot. */
  constructor(readonly slot: number, options: CofferErrorOptions = {}) {
    super(
      "last-slot",
      `Cannot remove slot ${slot}: it is the last one, and nothing would open the vault again`,
      options,
    );
  }
}

// ---- Transactions and secrets ----

/** Thrown when a closed vault is used. */
export class VaultClosedError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("vault-closed", "The vault is closed", options);
  }
}

/** Thrown when a transaction is used after its callback returned. */
export class TransactionClosedError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("transaction-closed", "The transaction has ended", options);
  }
}

/** Thrown when a name breaks the rules for names. */
export class InvalidNameError extends CofferError {
  /** Says which rule was broken; the name itself stays out, it may be a value in the wrong place. */
  constructor(rule: string, options: CofferErrorOptions = {}) {
    super("invalid-name", `Invalid name: ${rule}`, options);
  }
}

/** Thrown when a note, a tag, a type or an expiry is not acceptable. */
export class InvalidMetadataError extends CofferError {
  /** Says which field, and which rule was broken. */
  constructor(readonly field: string, rule: string, options: CofferErrorOptions = {}) {
    super("invalid-metadata", `Invalid ${field}: ${rule}`, options);
  }
}

/** Thrown when a value is larger than 16 MiB. */
export class ValueTooLargeError extends CofferError {
  /** Names the size and the limit, in bytes. */
  constructor(readonly size: number, readonly limit: number, options: CofferErrorOptions = {}) {
    super("value-too-large", `The value has ${size} bytes, at most ${limit} are allowed`, options);
  }
}

/** Thrown when there is no secret of the name. */
export class SecretNotFoundError extends CofferError {
  /** Gives the name. */
  constructor(readonly secret: string, options: CofferErrorOptions = {}) {
    super("secret-not-found", `No secret named "${secret}"`, options);
  }
}

/** Thrown when a secret has no such version, or no longer. */
export class VersionNotFoundError extends CofferError {
  /** Gives the name and the version. */
  constructor(readonly secret: string, readonly version: number, options: CofferErrorOptions = {}) {
    super("version-not-found", `Secret "${secret}" has no version ${version}`, options);
  }
}

/** Thrown when a value is read as text and is not UTF-8. */
export class MalformedTextError extends CofferError {
  /** Gives the name. */
  constructor(readonly secret: string, options: CofferErrorOptions = {}) {
    super("malformed-text", `The value of "${secret}" is not UTF-8 text`, options);
  }
}

/** Thrown when a rename would replace another secret. */
export class SecretExistsError extends CofferError {
  /** Gives the name. */
  constructor(readonly secret: string, options: CofferErrorOptions = {}) {
    super("secret-exists", `A secret named "${secret}" already exists`, options);
  }
}

/** Thrown by the command line when arguments do not make sense. */
export class UsageError extends CofferError {
  /** Says what is wrong with the arguments. */
  constructor(message: string, options: CofferErrorOptions = {}) {
    super("usage", message, options);
  }
}

/** Thrown by the command line when it found problems that no other error names. */
export class ProblemsFoundError extends CofferError {
  /** Says how many. */
  constructor(what: string, options: CofferErrorOptions = {}) {
    super("problems-found", what, options);
  }
}

/** Thrown when the user gave up at a prompt. */
export class InterruptedError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("interrupted", "Interrupted", options);
  }
}

/** Thrown when the user was asked whether to go on, and said no. */
export class DeclinedError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("declined", "Not done, because the answer was no", options);
  }
}
