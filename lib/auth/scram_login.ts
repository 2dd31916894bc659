/**
 * Logging in by SCRAM-SHA-256 (RFC 5802, RFC 7677): the server's side, with the vault's users and limits.
 *
 * @module
 */
import { randomBytes } from "../crypto/random.ts";
import type { Engine } from "../engine.ts";
import { CofferError } from "../errors.ts";
import type { LoginOptions } from "./login.ts";
import { checkSource } from "./login.ts";
import type { LoginLimits, LoginTry } from "./login_limits.ts";
import { decoyVerifier, INVALID_PROOF, ScramServer } from "./scram_server.ts";
import { DEFAULT_SCRAM_ITERATIONS, scramFromJson, type ScramVerifier } from "./scram_verifier.ts";
import { authKeys } from "./secret.ts";
import { toUserId, type UserId, type UserRef } from "./user_id.ts";
import { mayStillLogIn, readUser, type StoredUser } from "./user_record.ts";
import { describeUser, type UserInfo } from "./user_reader.ts";

/** How to log in by SCRAM. */
export interface ScramLoginOptions extends LoginOptions {
  /**
   * Who logs in, where that is known from elsewhere, as in PostgreSQL's protocol; the name in the message is then passed
   * over. By default the message says it, as `tenant/name` or as the name alone.
   */
  readonly user?: UserRef | undefined;
  /** The tenant of the name in the message, where the message holds the name alone. */
  readonly tenant?: string | null | undefined;
}

/** How an exchange ended. */
export interface ScramOutcome {
  /** The message to send to the client, whichever way it went. */
  readonly serverFinal: string;
  /** Who is logged in; null when nobody is. */
  readonly user: UserInfo | null;
}

/**
 * One exchange: the client's first message, then its final one.
 *
 * A user who is not there, is disabled, or has no verifier gets a challenge like any other, the same one each time, and
 * fails at the end.
 */
export class ScramLogin {
  readonly #engine: Engine;
  readonly #limits: LoginLimits;
  readonly #options: ScramLoginOptions;
  readonly #decoy: Uint8Array<ArrayBuffer>;
  readonly #server: ScramServer;
  #id: UserId | undefined;
  /** The user as of the first message. */
  #user: StoredUser | undefined;
  #attempt: LoginTry | undefined;

  /** Made by `Auth.scram`. */
  constructor(engine: Engine, limits: LoginLimits, options: ScramLoginOptions) {
    this.#engine = engine;
    this.#limits = limits;
    this.#options = options;
    checkSource(options.source);
    const user = options.user === undefined ? undefined : toUserId(options.user);
    this.#id = user;
    this.#decoy = randomBytes(32);
    this.#server = new ScramServer({
      lookup: (name) => this.#find(name),
      ...(user === undefined ? {} : { username: user.name }),
    });
  }

  /**
   * Takes the client's first message, and gives the server's.
   *
   * @throws {ScramProtocolError} when the message is not of its form @throws {TooManyAttemptsError} when there is a wait
   * @throws {BusyError} @throws {VaultClosedError}
   */
  async first(clientFirst: string | Uint8Array): Promise<string> {
    await this.#engine.refresh();
    return await this.#server.first(clientFirst);
  }

  /**
   * Takes the client's final message. When the proof is wrong, or the user must not log in, there is a message for the
   * client and no user.
   *
   * @throws {ScramProtocolError} when the message is not of its form, or comes at the wrong time
   * @throws {TooManyAttemptsError} when others have failed meanwhile so often that there is a wait
   */
  async final(clientFinal: string | Uint8Array): Promise<ScramOutcome> {
    let outcome: Awaited<ReturnType<ScramServer["final"]>>;
    try {
      outcome = await this.#server.final(clientFinal);
    } catch (error) {
      // A message that breaks the rules is a try that failed, or breaking them would be the way to try for nothing.
      this.#attempt?.failed();
      throw error;
    }
    const attempt = this.#attempt!;
    // How long this message takes is up to the client: what was right when the exchange began may be so no longer.
    await this.#engine.refresh();
    const { serverFinal, authenticated } = outcome;
    const user = authenticated ? readUser(this.#engine.committed.state, this.#id!) : undefined;
    if (this.#user === undefined || !mayStillLogIn(this.#user, user)) {
      const error = attempt.failed();
      if (error.code === "too-many-attempts") throw error;
      return { serverFinal: INVALID_PROOF, user: null };
    }
    attempt.succeeded();
    return { serverFinal, user: describeUser(this.#id!, user) };
  }

  async #find(name: string): Promise<{ verifier: ScramVerifier; found: boolean }> {
    const id = this.#id ?? this.#parse(name);
    this.#attempt = await this.#limits.begin(id ?? { tenant: null, name }, this.#options.source);
    const { state } = this.#engine.committed;
    const user = id === undefined ? undefined : readUser(state, id);
    this.#id = id;
    this.#user = user;
    if (user?.scram !== undefined) return { verifier: scramFromJson(user.scram), found: user.enabled };
    const decoy = (await authKeys(this.#engine, state))?.decoy ?? this.#decoy;
    const told = id === undefined ? name : `${id.tenant ?? ""}/${id.name}`;
    return { verifier: await decoyVerifier(decoy, told, DEFAULT_SCRAM_ITERATIONS), found: false };
  }

  /** Who a name in a message means; undefined when it can be no user's. */
  #parse(name: string): UserId | undefined {
    try {
      const { tenant } = this.#options;
      return toUserId(tenant === undefined ? name : { tenant, name });
    } catch (error) {
      if (error instanceof CofferError && error.code === "invalid-user-name") return undefined;
      throw error;
    }
  }
}
