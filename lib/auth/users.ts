/**
 * The users of an open vault.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import type { LoginSecrets } from "./login_secrets.ts";
import type { Role } from "./role.ts";
import type { ScramVerifier } from "./scram_verifier.ts";
import type { NewUser, TransactionUsers } from "./transaction_users.ts";
import type { UserRef } from "./user_id.ts";
import type { ListUsersOptions, UserInfo, UserReader } from "./user_reader.ts";

/**
 * The users of an open vault. Each change is a transaction of its own; each read sees what was committed before it.
 *
 * A user is a name within a tenant, or within none: a user of the platform itself. `acme/alice` and `alice` are two. A
 * tenant is there as long as it has a user. Passwords are hashed before the lock is asked for.
 *
 * Besides what its description says, every method throws `InvalidUserNameError` for what can be no user's name,
 * `BusyError` when the lock is not had in time and `VaultClosedError` once the vault is closed; every change throws what
 * {@linkcode Vault.transaction} does.
 *
 * @example
 * ```ts
 * import { MemoryMedium, newKeyFile, Vault } from "@coffer/vault";
 *
 * await using vault = await Vault.create(new MemoryMedium(), { keyFile: newKeyFile() });
 * await vault.users.create({ tenant: "acme", name: "alice", role: "write", password: "correct horse" });
 * const user = await vault.auth.login("acme/alice", "correct horse");
 * console.assert(user.role === "write");
 * ```
 */
export class Users {
  readonly #engine: Engine;

  /** Made by `Vault`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Creates a user. Without a password or verifiers the user can only be given API keys.
   *
   * @throws {UserExistsError} @throws {TypeError} when the role is none
   * @throws {InvalidPasswordError} when the password is empty or too long
   * @throws {MalformedVerifierError} @throws {WeakPasswordParametersError}
   */
  async create(user: NewUser): Promise<UserInfo> {
    const [{ checkNewUser }, { withHashes }] = await Promise.all([load(), import("./login_secrets.ts")]);
    checkNewUser(user);
    const ready = { ...user, ...await withHashes(user), password: undefined };
    return await this.#change((users) => users.create(ready));
  }

  /** What is known of a user. @throws {UserNotFoundError} */
  async get(user: UserRef): Promise<UserInfo> {
    return await this.#read((users) => users.get(user));
  }

  /** Whether there is such a user. */
  async has(user: UserRef): Promise<boolean> {
    return await this.#read((users) => users.has(user));
  }

  /** Users, by tenant and name. @throws {TenantNotFoundError} when a tenant is named that has none */
  async list(options: ListUsersOptions = {}): Promise<UserInfo[]> {
    return await this.#read((users) => users.list(options));
  }

  /** Tenants that have users, sorted. */
  async tenants(): Promise<string[]> {
    return await this.#read((users) => users.tenants());
  }

  /** Lets a user log in again. @throws {UserNotFoundError} */
  async enable(user: UserRef): Promise<UserInfo> {
    return await this.#change((users) => users.enable(user));
  }

  /**
   * Keeps a user from logging in; keys and sessions of the user count no longer.
   *
   * @throws {UserNotFoundError} @throws {LastAdminError}
   */
  async disable(user: UserRef): Promise<UserInfo> {
    return await this.#change((users) => users.disable(user));
  }

  /** Gives a user another role. @throws {UserNotFoundError} @throws {LastAdminError} @throws {TypeError} */
  async setRole(user: UserRef, role: Role): Promise<UserInfo> {
    return await this.#change((users) => users.setRole(user, role));
  }

  /**
   * Gives a user another password, or verifiers that are ready. Sessions that were begun before count no longer.
   *
   * @throws {UserNotFoundError} @throws {InvalidPasswordError}
   * @throws {MalformedVerifierError} @throws {WeakPasswordParametersError}
   */
  async setPassword(user: UserRef, password: string | LoginSecrets): Promise<UserInfo> {
    const { withHashes } = await import("./login_secrets.ts");
    const secrets = typeof password === "string" ? { password } : password;
    const ready = { ...await withHashes(secrets), password: undefined };
    return await this.#change((users) => users.setPassword(user, ready));
  }

  /** Removes a user, with the user's API keys and sessions. @throws {UserNotFoundError} @throws {LastAdminError} */
  async delete(user: UserRef): Promise<void> {
    return await this.#change((users) => users.delete(user));
  }

  /**
   * The verifier with which a server lets the user log in by SCRAM-SHA-256; undefined when there is none. Who has it
   * can try passwords, and pass for the server: guard it like a hash.
   *
   * @throws {UserNotFoundError}
   */
  async scramVerifier(user: UserRef): Promise<ScramVerifier | undefined> {
    return await this.#read((users) => users.scramVerifier(user));
  }

  async #change<T>(change: (users: TransactionUsers) => T): Promise<T> {
    const { TransactionUsers } = await load();
    return await this.#engine.transact((work) => change(new TransactionUsers(work)));
  }

  async #read<T>(read: (users: UserReader) => T): Promise<T> {
    const { UserReader } = await import("./user_reader.ts");
    await this.#engine.refresh();
    return read(new UserReader(this.#engine.committed.state));
  }
}

function load(): Promise<typeof import("./transaction_users.ts")> {
  return import("./transaction_users.ts");
}
