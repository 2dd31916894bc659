/**
 * RedDB's auth vault: the encrypted pages of an `.rdb` file, and its exports.
 *
 * {@linkcode RedDbVault} opens a file and loads and saves its {@linkcode VaultState}. {@linkcode KeyPair} makes the
 * certificate that opens a vault. {@linkcode sealLogicalExport} and {@linkcode unsealLogicalExport} are for states that
 * travel as text, {@linkcode checkRedDbFile} looks over a file without a key.
 *
 * RedDB itself must not have the file open while it is saved here: it keeps pages in memory and takes no lock.
 *
 * @example A new vault, and its certificate
 * ```ts
 * import { KeyPair, RedDbVault, VaultState } from "@coffer/vault/reddb";
 *
 * const path = `${await Deno.makeTempDir()}/app.rdb`;
 * const pair = await KeyPair.generate();
 * await using vault = await RedDbVault.create(path, { certificate: pair.certificate });
 * const state = VaultState.empty();
 * state.masterSecret = pair.masterSecret;
 * state.kv.set("red.secret.greeting", "hello");
 * await vault.save(state);
 * const loaded = await vault.load();
 * console.assert(loaded?.kv.get("red.secret.greeting") === "hello");
 * ```
 *
 * @module
 */
export type { Bytes } from "../bytes.ts";
export { CofferError, type CofferErrorOptions } from "../errors.ts";
export { ERROR_TABLE, type ErrorCode, type ErrorEntry } from "../error_table.ts";
export {
  RedDbCorruptError,
  RedDbDecryptionError,
  RedDbEncryptionError,
  RedDbLegacyError,
  RedDbNoKeyError,
  RedDbPageFileError,
  RedDbUnsupportedError,
} from "./errors.ts";
export { type Disk, type Lock, type LockMode, type LockOptions } from "../storage/disk.ts";
export { type Bootstrapped, bootstrapState } from "./bootstrap.ts";
export { checkRedDbFile, type RedDbCheckReport, type RedDbProblem, type RedDbProblemKind } from "./check.ts";
export type { CredentialInput, RedDbCredential } from "./credential.ts";
export { type EnvironmentReader, resolveRedDbCredential } from "./environment.ts";
export { KeyPair } from "./key_pair.ts";
export { sealLogicalExport, unsealLogicalExport } from "./logical_export.ts";
export { newPasswordHash } from "./password.ts";
export {
  type ApiKey,
  DEFAULT_SCRAM_ITERATIONS,
  isSameUser,
  type KeptLine,
  MIN_SCRAM_ITERATIONS,
  type Role,
  ROLES,
  type ScramVerifier,
  type User,
  type UserId,
} from "./records.ts";
export { newScramVerifier, type ScramOptions } from "./scram.ts";
export type { Sidecar } from "./sidecar.ts";
export { VaultState } from "./state.ts";
export { type RedDbOpenOptions, RedDbVault } from "./vault.ts";
export type { WhereOptions } from "./where.ts";
