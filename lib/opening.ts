/**
 * How a vault is reached, opened and unlocked.
 *
 * @module
 */
import { type AuditOrigin, MAX_TEXT_SIZE } from "./audit/entry.ts";
import { Attempts } from "./attempts.ts";
import { encodeUtf8, equalBytes } from "./bytes.ts";
import { wipe } from "./crypto/random.ts";
import {
  AnchorMissingError,
  CofferError,
  CorruptVaultError,
  InvalidMetadataError,
  VaultExistsError,
  VaultNotFoundError,
  VaultRotatedError,
  WrongCredentialError,
} from "./errors.ts";
import { logFailure, prepareLog } from "./log.ts";
import { Anchor } from "./sealed/anchor.ts";
import { type CredentialOptions, resolveCredential } from "./sealed/credential.ts";
import type { KdfOptions } from "./sealed/kdf_limits.ts";
import { type Unwrapped, unwrapVaultKey } from "./sealed/key_slot.ts";
import { deriveKeys, type VaultKeys } from "./sealed/keys.ts";
import { decodeMeta, type Meta } from "./sealed/meta.ts";
import { readGeneration } from "./sealed/store.ts";
import type { PolicyValues } from "./state/policies.ts";
import type { AnchorStore } from "./storage/anchor_store.ts";
import type { LockOptions } from "./storage/disk.ts";
import { withLock } from "./storage/locking.ts";
import type { Commit, Committed, Medium } from "./storage/medium.ts";

/** How often a vault is opened anew that gets another key each time. Where many rotate at once eight were too few. */
const MAX_ATTEMPTS = 50;

/** How to reach a vault's file. */
export interface FileOptions extends LockOptions {
  /**
   * Where the anchor is that tells an older copy of the vault from the newest: a path, by default the vault's with
   * `.anchor` at its end, or a store of your own. Another disk is better. A vault on a medium of your own has none unless
   * you give a store.
   */
  readonly anchor?: string | AnchorStore | undefined;
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

/** What the log of a vault says of who opened it, in the caller's words; at most 512 bytes each. */
export interface AuditOptions {
  /** A person or a program. */
  readonly actor?: string | undefined;
  /** Why the vault is opened. */
  readonly reason?: string | undefined;
}

/** How to open a vault: exactly one credential. */
export interface OpenOptions extends CredentialOptions, FileOptions, AttemptsOptions, AuditOptions {
  /**
   * Takes the vault as it is for the newest, and makes its anchor anew: for an anchor that is lost, or a copy that was put
   * back on purpose. The log says so. @default {false}
   */
  readonly trustAnchor?: boolean;
  /**
   * With `trustAnchor`: writes over the anchor of another vault, which is refused otherwise; that vault then lacks its own.
   *
   * @default {false}
   */
  readonly replaceForeignAnchor?: boolean;
  /**
   * Goes on when another process gives the vault a new key, or puts a backup from before one back, in place of failing with
   * `VaultRotatedError`. For that the credential stays in memory for as long as the vault is open. @default {false}
   */
  readonly followRotations?: boolean;
}

/** How to create a vault: exactly one credential, a passphrase or a key file, for its first slot. */
export interface CreateOptions
  extends Pick<CredentialOptions, "passphrase" | "keyFile">, KdfOptions, Omit<FileOptions, "anchor">, AuditOptions {
  /** As for opening; null for a vault that has no anchor, and so takes an older copy for the newest. */
  readonly anchor?: string | AnchorStore | null | undefined;
  /** Label of the first slot, at most 32 bytes. */
  readonly label?: string;
  /** Policies that hold from the start; those that are left out have their default. */
  readonly policies?: Partial<PolicyValues> | undefined;
  /**
   * Asks for a recovery slot: gets its 24 words once, before the vault exists. When it throws, no vault is made.
   */
  readonly onRecoveryCode?: (code: string) => void | Promise<void>;
}

/** @throws {InvalidMetadataError} when an actor or a reason is too long, or no plain text */
export function checkOrigin({ actor, reason }: AuditOptions): AuditOrigin {
  for (const [field, text] of [["actor", actor], ["reason", reason]] as const) {
    if (text === undefined) continue;
    if (!text.isWellFormed() || /\p{Cc}/u.test(text)) throw new InvalidMetadataError(field, "it is not plain text");
    if (encodeUtf8(text).length > MAX_TEXT_SIZE) {
      throw new InvalidMetadataError(field, `it is longer than ${MAX_TEXT_SIZE} bytes`);
    }
  }
  return { ...(actor === undefined ? {} : { actor }), ...(reason === undefined ? {} : { reason }) };
}

/** The anchor of a vault that is to be made; its place must be free. */
export async function newAnchor(where: string | Medium, given: CreateOptions["anchor"]): Promise<Anchor | undefined> {
  if (given === null || (given === undefined && typeof where !== "string")) return undefined;
  const { anchorPath, FileAnchor } = await import("./storage/anchor_file.ts");
  if (typeof given === "object") return new Anchor(given);
  const path = given ?? anchorPath(where as string);
  FileAnchor.assertFree(path);
  return new Anchor(new FileAnchor(path));
}

/**
 * The anchor of a vault; one that is made without may stand in the place of one that has one. Undefined for a medium where
 * nobody says where it is.
 *
 * @throws {AnchorMissingError} when the vault has one all the same
 */
export async function findAnchor(
  where: string | Medium,
  given: FileOptions["anchor"],
  { anchored }: Pick<Meta, "anchored">,
): Promise<Anchor | undefined> {
  if (typeof given === "object") return new Anchor(given);
  if (given === undefined && typeof where !== "string") {
    if (anchored) throw new AnchorMissingError("(no store was given)");
    return undefined;
  }
  const { anchorPath, FileAnchor } = await import("./storage/anchor_file.ts");
  return new Anchor(new FileAnchor(given ?? anchorPath(where as string)));
}

/** Makes the anchor anew for the newest generation. The caller holds the exclusive lock. */
export async function makeAnchor(
  medium: Medium,
  keys: VaultKeys,
  anchor: Anchor | undefined,
  { replaceForeignAnchor }: Pick<OpenOptions, "replaceForeignAnchor"> = {},
): Promise<void> {
  const generation = await readGeneration(medium, keys);
  if (anchor !== undefined && generation?.meta.anchored) {
    await anchor.replace(generation, keys.anchor, replaceForeignAnchor);
  }
}

/**
 * Puts a new vault where it is to be: its anchor is there before it, waiting, so that whoever finds the vault finds an
 * anchor. When the vault can not be put there, the anchor goes again; not when it is there all the same, as when its folder
 * can not be synced.
 */
export async function besideAnchor<T>(
  where: string | Medium,
  anchor: Anchor | undefined,
  keys: VaultKeys,
  { meta: sealed }: Pick<Commit, "meta">,
  create: () => Promise<T>,
): Promise<T> {
  const meta = decodeMeta(sealed);
  const committed = { version: meta.generation, meta: new Uint8Array(sealed), segments: [], recovered: false };
  await anchor?.prepare({ meta, committed }, keys.anchor);
  try {
    return await create();
  } catch (error) {
    if (error instanceof VaultExistsError || !await isThere(where)) anchor?.discard(meta);
    throw error;
  }
}

/** Whether there is something at a path, or it can not be told. */
async function isThere(where: string | Medium): Promise<boolean> {
  if (typeof where !== "string") return false;
  try {
    (await fileMedium()).assertFree(where);
    return false;
  } catch {
    return true;
  }
}

/** The options of the lock alone: an open vault does not keep its credential. */
export function lockOptions({ timeout, signal }: LockOptions): LockOptions {
  return { ...(timeout === undefined ? {} : { timeout }), ...(signal === undefined ? {} : { signal }) };
}

/** The vault key, and how many tries failed that the audit log does not tell of yet. */
export async function unlock(
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

/** Opens the slots of a key that a vault gets while it is open. */
export function unlocking(
  options: OpenOptions,
  attempts: Attempts | undefined,
): (meta: Meta) => Promise<{ readonly keys: VaultKeys; readonly slot: number }> {
  return async (meta) => {
    const { vaultKey, slot } = await unlock(meta, options, attempts);
    try {
      return { keys: await deriveKeys(vaultKey, meta.vaultId), slot };
    } finally {
      wipe(vaultKey);
    }
  };
}

async function unwrap(meta: Meta, options: OpenOptions, attempts: Attempts | undefined): Promise<Unwrapped> {
  const credential = await resolveCredential(options);
  try {
    return await unwrapVaultKey(meta, credential, options.signal);
  } catch (error) {
    logFailure("auth", "unlock", error);
    throw error instanceof WrongCredentialError && attempts !== undefined ? await attempts.failed(error) : error;
  } finally {
    wipe(credential.secret);
  }
}

/** The tries to open the vault at a path, where they count. */
export async function attemptsOf(
  where: string | Medium,
  vaultId: Uint8Array,
  { attempts = true }: AttemptsOptions = {},
): Promise<Attempts | undefined> {
  if (typeof where !== "string" || !attempts) return undefined;
  return new Attempts(new (await attemptsFile())(where), vaultId);
}

/** Takes away what an earlier vault at the path has left, which would count as failures of the new one. */
export async function forgetAttempts(path: string): Promise<void> {
  try {
    new (await attemptsFile())(path).remove();
  } catch (error) {
    // The new vault is there and open. At worst whoever opens it next is told to wait, which is the safe side.
    if (!(error instanceof CofferError)) throw error;
  }
}

/** The newest version, read under a shared lock of its own. @throws {VaultNotFoundError} when there is none */
export async function readNewest(medium: Medium, options: LockOptions): Promise<Committed> {
  const committed = await withLock(medium, "shared", options, () => medium.read());
  if (committed === null) throw new VaultNotFoundError(medium.name);
  return committed;
}

/** Runs work on a medium, and closes the medium when it fails. */
export async function closingOnError<T>(medium: Medium, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    logFailure("vault", "open", error);
    medium.close();
    throw error;
  }
}

/**
 * Runs what opens a vault, and runs it again when the vault got another key between its slots and its state were read: what
 * the slots gave opens nothing then, though nothing is damaged.
 *
 * @throws {VaultRotatedError} when that happened at each of many tries
 */
export async function openingUnderOneKey<T>(
  medium: Medium,
  options: LockOptions,
  open: (meta: Meta) => Promise<T>,
): Promise<T> {
  return await closingOnError(medium, () => underOneKey(medium, options, open));
}

/** The same for a medium that stays open when it fails. */
export async function underOneKey<T>(
  medium: Medium,
  options: LockOptions,
  open: (meta: Meta) => Promise<T>,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    const { meta } = await readNewest(medium, options);
    try {
      return await open(decodeMeta(meta));
    } catch (error) {
      if (!(error instanceof CorruptVaultError)) throw error;
      // Not only other slots count: a restore may have brought the very same ones back by now.
      const newest = (await readNewest(medium, options)).meta;
      if (equalBytes(meta, newest)) throw error;
      if (attempt < MAX_ATTEMPTS) continue;
      const { epoch } = decodeMeta(newest);
      // A vault whose key changed under the last try as well is not damaged, and nobody must be told to restore it.
      throw epoch === decodeMeta(meta).epoch ? error : new VaultRotatedError(epoch);
    }
  }
}

/** The medium of a path, or the one that was given. */
export async function reach(where: string | Medium, options: FileOptions): Promise<Medium> {
  await prepareLog();
  if (typeof where !== "string") return where;
  try {
    return await (await fileMedium()).open(where, options);
  } catch (error) {
    logFailure("vault", "open", error);
    throw error;
  }
}

/** Files need Deno; the rest of the library does not, so they are loaded when a path is given. */
export async function fileMedium(): Promise<typeof import("./storage/file.ts").FileMedium> {
  return (await import("./storage/file.ts")).FileMedium;
}

async function attemptsFile(): Promise<typeof import("./storage/attempts_file.ts").AttemptsFile> {
  return (await import("./storage/attempts_file.ts")).AttemptsFile;
}
