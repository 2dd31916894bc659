/**
 * Taking a RedDB vault over: its users, API keys, master secret and entries.
 *
 * @module
 */
import type { VaultState } from "../reddb/state.ts";
import { type Auth, engineOf } from "./auth.ts";
import type { RefusedRecord } from "./errors.ts";
import type { Role } from "./role.ts";

/** How to take a RedDB vault over. */
export interface RedDbImportOptions {
  /** Put before the name of every entry. @default {""} */
  readonly prefix?: string | undefined;
  /**
   * What to do with what is there already and differs: fail, keep what is there, or put the imported in its place. The
   * last takes a user's password and sessions away, and a master secret's signatures. @default {"fail"}
   */
  readonly onConflict?: "fail" | "skip" | "overwrite" | undefined;
  /** Whether users, API keys, master secret and the bootstrapped flag are taken over too. @default {true} */
  readonly users?: boolean | undefined;
  /** Whether RedDB's certificate will open the vault too. @default {false} */
  readonly keepCertificate?: boolean | undefined;
  /** Whether records that cannot be taken over are left out, instead of failing the whole. @default {false} */
  readonly skipInvalid?: boolean | undefined;
  /** Whether to find out only what would be done. It fails where the import would. @default {false} */
  readonly dryRun?: boolean | undefined;
}

/** What became of the records of one kind. */
export interface RedDbImportOutcome<T> {
  /** Were not there, and are now. */
  readonly imported: readonly T[];
  /** Differed, and were replaced. */
  readonly overwritten: readonly T[];
  /** Were there already, the same. */
  readonly unchanged: readonly T[];
  /** Differ, and stay as they were; with an API key, its owner may be what differs. */
  readonly skipped: readonly T[];
}

/** What became of something there is one of at most; `none` where there is none, or it was not asked for. */
export type RedDbImportPart = keyof RedDbImportOutcome<never> | "none";

/** An API key without the key. */
export interface RedDbImportedKey {
  /** Whose key it is, as `tenant/name`. */
  readonly owner: string;
  /** What people call it. */
  readonly name: string;
}

/**
 * What was taken over not quite as it was. `needs-password`: the user has nothing to log in with that can be checked.
 * `verifier-left-out`: the user's SCRAM verifier is out of bounds. `time-clamped`: a time was later than any date, and
 * became the latest there is. `role-lowered`: the API key's role was above its owner's, and became that.
 */
export interface RedDbImportNotice {
  /** What it is about. */
  readonly kind: "needs-password" | "verifier-left-out" | "time-clamped" | "role-lowered";
  /** The user, or the owner of the API key, as `tenant/name`. */
  readonly user: string;
  /** Name of the API key, where it is about one. */
  readonly key?: string;
  /** The role that the API key has now. */
  readonly role?: Role;
}

/** What an import did, or would do. It holds names, and no secret. */
export interface RedDbImportReport {
  /** Whether nothing was done. */
  readonly dryRun: boolean;
  /** Names of secrets, with the prefix. */
  readonly secrets: RedDbImportOutcome<string>;
  /** Users, as `tenant/name`. */
  readonly users: RedDbImportOutcome<string>;
  /** API keys. */
  readonly apiKeys: RedDbImportOutcome<RedDbImportedKey>;
  /** The master secret, which checks signatures. */
  readonly masterSecret: RedDbImportPart;
  /** Whether the vault counts as bootstrapped. */
  readonly bootstrapped: RedDbImportPart;
  /** The slot of RedDB's certificate. */
  readonly certificate: RedDbImportPart;
  /** What could not be taken over. */
  readonly refused: readonly RefusedRecord[];
  /** What was taken over not quite as it was. */
  readonly notices: readonly RedDbImportNotice[];
  /** What was not looked at: with `users: false` those, and lines that are not understood. */
  readonly leftOut: {
    /** How many users. */
    readonly users: number;
    /** How many API keys. */
    readonly apiKeys: number;
    /** Whether there is a master secret. */
    readonly masterSecret: boolean;
    /** How many lines. */
    readonly lines: number;
  };
}

/**
 * Takes the state of a RedDB vault over into an open vault, in one commit: all of it, or nothing. What is there already in
 * the same form stays as it is, so a second import changes nothing.
 *
 * Users keep their roles and times, and log in with the passwords they have: by SCRAM where they have a verifier, else by
 * RedDB's hash where it can be checked; the first login writes a standard hash. API keys keep working, hashed, and allow
 * no more than their owners may. Signatures that RedDB made are verified by `vault.keyPair`. Entries become secrets.
 *
 * Whoever can open the RedDB vault, or an old copy of it, knows its master secret, and with it can sign as this vault and
 * compute the certificates that are made of it from then on.
 *
 * @example
 * ```ts
 * import { importRedDbState, MemoryMedium, newKeyFile, Vault } from "@coffer/vault";
 * import { bootstrapState } from "@coffer/vault/reddb";
 *
 * const { state, apiKey } = await bootstrapState("root", "correct horse"); // or what RedDbVault.load() gives
 * await using vault = await Vault.create(new MemoryMedium(), { keyFile: newKeyFile() });
 * const report = await importRedDbState(vault, state);
 * console.assert(report.users.imported.includes("root"));
 * console.assert((await vault.auth.login("root", "correct horse")).role === "admin");
 * console.assert((await vault.apiKeys.check(apiKey)).user === "root");
 * ```
 *
 * @param vault an open vault
 * @param state is read only; the caller may drop it afterwards
 * @throws {ImportRefusedError} when records cannot be taken over: names that are none here, API keys without an owner
 * @throws {SecretExistsError} @throws {UserExistsError} @throws {ApiKeyExistsError} @throws {KeyPairExistsError} when
 * something is there already and differs, unless `onConflict` says what to do
 * @throws {LastAdminError} when overwriting would leave the platform without an admin who can log in
 * @throws {SlotsFullError} when there is no slot left for the certificate
 * @throws {BusyError} and what else `Vault.transaction` throws
 */
export async function importRedDbState(
  vault: { readonly auth: Auth },
  state: VaultState,
  options: RedDbImportOptions = {},
): Promise<RedDbImportReport> {
  const [{ judgeRedDbState }, { takeOver }] = await Promise.all([
    import("./judge_reddb.ts"),
    import("./take_over_reddb.ts"),
  ]);
  return await takeOver(engineOf(vault.auth), judgeRedDbState(state, options), options);
}
