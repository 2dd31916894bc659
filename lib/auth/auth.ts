/**
 * Logging in to an application that keeps its users in a vault.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import type { BootstrapOptions } from "./bootstrap.ts";
import type { LoginOptions } from "./login.ts";
import type { LoginLimits } from "./login_limits.ts";
import type { ScramLogin, ScramLoginOptions } from "./scram_login.ts";
import type { NewSessionOptions, Session, SessionKey, Sessions, VerifySessionOptions } from "./sessions.ts";
import type { UserRef } from "./user_id.ts";
import type { UserInfo } from "./user_reader.ts";

let engineIn: (auth: Auth) => Engine;

/** The engine of an open vault, for what is built on users and more. */
export function engineOf(auth: Auth): Engine {
  return engineIn(auth);
}

/**
 * Logins and sessions of the users of an open vault.
 *
 * No answer, and no answer's time, tells whether there is a user. Failed logins count per name and per source: after five
 * in a row a wait begins, of 1 s first and twice as long after each further one, up to 15 min. A success ends the name's
 * wait, and takes that name's failures from the source's. They are committed in batches, about a second later and when the
 * vault closes.
 *
 * Besides what its description says, every method throws `InvalidUserNameError` for what can be no user's name,
 * `BusyError` when the lock is not had in time and `VaultClosedError` once the vault is closed.
 *
 * @example
 * ```ts
 * import { MemoryMedium, newKeyFile, Vault } from "@coffer/vault";
 *
 * await using vault = await Vault.create(new MemoryMedium(), { keyFile: newKeyFile() });
 * await vault.users.create({ name: "alice", role: "write", password: "correct horse" });
 *
 * const alice = await vault.auth.login("alice", "correct horse", { source: "203.0.113.7" });
 * const token = await vault.auth.createSession(alice.user, { lifetime: 900 });
 * const { user } = await vault.auth.verifySession(token);
 * console.assert(user.name === "alice" && user.role === "write");
 * ```
 */
export class Auth {
  static {
    engineIn = (auth) => auth.#engine;
  }

  readonly #engine: Engine;
  #limits: Promise<LoginLimits> | undefined;
  #sessions: Promise<Sessions> | undefined;
  /** What the promise gave: sessions are checked by the thousand. */
  #opened: Sessions | undefined;

  /** Made by `Vault`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Logs a user in with a password. Where the password is kept under less than today's cost, or as a verifier alone, it
   * is kept anew.
   *
   * @throws {WrongLoginError} when the password is wrong, there is no such user, or the user is disabled
   * @throws {TooManyAttemptsError} when so many logins failed that the next has to wait
   * @throws {InvalidPasswordError} when the password is empty or too long to be anybody's
   * @throws {InvalidMetadataError} when the source is too long
   */
  async login(user: UserRef, password: string, options: LoginOptions = {}): Promise<UserInfo> {
    const { login } = await import("./login.ts");
    return await login(this.#engine, await this.#limit(), user, password, options);
  }

  /**
   * Begins an exchange of SCRAM-SHA-256 as the server (RFC 5802, RFC 7677), without channel binding.
   *
   * @throws {InvalidMetadataError} when the source is too long
   */
  async scram(options: ScramLoginOptions = {}): Promise<ScramLogin> {
    const { ScramLogin } = await import("./scram_login.ts");
    return new ScramLogin(this.#engine, await this.#limit(), options);
  }

  /**
   * Makes a token for a user who has logged in. Nothing is written to the vault.
   *
   * @throws {UserNotFoundError} @throws {UserDisabledError}
   * @throws {RangeError} when the lifetime or the audience is out of bounds
   */
  async createSession(user: UserRef, options: NewSessionOptions = {}): Promise<string> {
    return await (await this.#session()).create(user, options);
  }

  /**
   * Whom a token is of. It looks in memory, which is a second behind other processes at most, and writes nothing.
   *
   * @throws {InvalidSessionError} when the token does not count
   * @throws {RangeError} when the audience is out of bounds
   */
  async verifySession(token: string, options: VerifySessionOptions = {}): Promise<Session> {
    return await (this.#opened ?? await this.#session()).verify(token, options);
  }

  /** Ends every session of a user, or of all users, that was begun up to now. @throws {UserNotFoundError} */
  async revokeSessions(user?: UserRef): Promise<void> {
    const [{ TransactionUsers }, { endAllSessions }] = await Promise.all([
      import("./transaction_users.ts"),
      import("./session_tag.ts"),
    ]);
    await this.#engine.transact((work) => {
      if (user !== undefined) return void new TransactionUsers(work).revokeSessions(user);
      endAllSessions(work.records);
      work.audit({ operation: "session.revoke" });
    });
  }

  /**
   * The key under which tokens are made now, for a program that checks them without the vault. Who has it can make
   * tokens for anybody. `coffer rotate` makes a new one.
   */
  async exportSessionKey(): Promise<SessionKey> {
    return await (await this.#session()).exportKey();
  }

  /**
   * Makes the first admin of the platform, and a certificate that opens the vault; works once.
   *
   * @throws {AlreadyBootstrappedError} when it was done before, or there is an admin of the platform
   * @throws {UserExistsError} @throws {InvalidPasswordError} @throws {SlotsFullError} when there are 16 key slots
   */
  async bootstrap(options: BootstrapOptions): Promise<UserInfo> {
    const { bootstrap } = await import("./bootstrap.ts");
    return await bootstrap(this.#engine, options);
  }

  /** Whether the vault was bootstrapped. */
  async isBootstrapped(): Promise<boolean> {
    const { isBootstrapped } = await import("./bootstrap.ts");
    await this.#engine.refresh();
    return isBootstrapped(this.#engine.committed.state);
  }

  #limit(): Promise<LoginLimits> {
    return this.#limits ??= import("./login_limits.ts").then(({ LoginLimits }) => new LoginLimits(this.#engine));
  }

  #session(): Promise<Sessions> {
    return this.#sessions ??= import("./sessions.ts").then(({ Sessions }) => this.#opened = new Sessions(this.#engine));
  }
}
