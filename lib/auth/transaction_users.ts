/**
 * Users as one transaction sees and changes them.
 *
 * @module
 */
import type { Work } from "../engine.ts";
import { removeKeysOf } from "./api_key_record.ts";
import { LastAdminError, UserExistsError } from "./errors.ts";
import { checkSecrets, hashPasswords, type LoginSecrets, type StoredSecrets } from "./login_secrets.ts";
import { checkRole, type Role } from "./role.ts";
import { ensureAuthSecret } from "./secret.ts";
import { newSessionTag } from "./session_tag.ts";
import { formatUserId, toUserId, type UserId, userKey, userOfKey, type UserRef } from "./user_id.ts";
import { describeUser, type ListUsersOptions, type UserInfo, UserReader } from "./user_reader.ts";
import { getUser, putUser, readUser, type StoredUser, USER } from "./user_record.ts";

/** A user to be created: who, and what the user logs in with. */
export type NewUser = Exclude<UserRef, string> & LoginSecrets & {
  /** What the user may do. */
  readonly role: Role;
  /** Whether the user may log in. @default {true} */
  readonly enabled?: boolean;
};

/** A user who may be created, as far as that can be said without looking at those there are. */
interface CheckedUser {
  readonly id: UserId;
  readonly role: Role;
  readonly enabled: boolean;
  readonly ready: StoredSecrets;
}

/** Fails where creating the user would, whatever users there are. */
export function checkNewUser(user: NewUser): CheckedUser {
  const id = toUserId(user);
  const role = checkRole(user.role);
  const { enabled = true } = user;
  if (typeof enabled !== "boolean") throw new TypeError("A user is enabled, or not: true or false");
  return { id, role, enabled, ready: checkSecrets(user) };
}

/**
 * The users as one transaction sees and changes them. Nothing is kept unless the transaction commits.
 *
 * Hashing a password takes its time: the transaction waits for it before it commits, whether or not the callback does.
 * Besides what its description says, every method throws `InvalidUserNameError` for what can be no user's name,
 * `TransactionClosedError` once the transaction has ended, and `CorruptVaultError` when what is read is damaged.
 */
export class TransactionUsers {
  readonly #work: Work;
  /** What is written beside the hash that is being made of a password, by key of the user's record. */
  readonly #hashing = new Map<string, StoredSecrets>();

  /** Made by `Vault.transaction`. */
  constructor(work: Work) {
    this.#work = work;
  }

  /**
   * Creates a user. Without a password or verifiers the user can only be given API keys.
   *
   * @throws {UserExistsError}
   * @throws {TypeError} when the role is none @throws {InvalidPasswordError} when the password is empty or too long
   * @throws {MalformedVerifierError} @throws {WeakPasswordParametersError}
   */
  create(user: NewUser): UserInfo {
    const { id, role, enabled, ready } = checkNewUser(user);
    if (readUser(this.#records, id) !== undefined) throw new UserExistsError(formatUserId(id));
    const { now } = this.#work;
    ensureAuthSecret(this.#records);
    this.#work.audit({ operation: "user.create", name: formatUserId(id), to: role });
    const stored = { role, enabled, created: now, updated: now, sessions: newSessionTag(), ...ready };
    return this.#putWith(id, stored, user.password, ready);
  }

  /** What is known of a user. @throws {UserNotFoundError} */
  get(user: UserRef): UserInfo {
    return new UserReader(this.#records).get(user);
  }

  /** Whether there is such a user. */
  has(user: UserRef): boolean {
    return new UserReader(this.#records).has(user);
  }

  /** Users, by tenant and name. @throws {TenantNotFoundError} when a tenant is named that has none */
  list(options: ListUsersOptions = {}): UserInfo[] {
    return new UserReader(this.#records).list(options);
  }

  /** Tenants that have users, sorted. */
  tenants(): string[] {
    return new UserReader(this.#records).tenants();
  }

  /** Lets a user log in again. @throws {UserNotFoundError} */
  enable(user: UserRef): UserInfo {
    return this.#change(toUserId(user), "user.enable", { enabled: true });
  }

  /**
   * Keeps a user from logging in; keys and sessions of the user count no longer.
   *
   * @throws {UserNotFoundError} @throws {LastAdminError}
   */
  disable(user: UserRef): UserInfo {
    const id = toUserId(user);
    this.#keepAnAdmin(id);
    return this.#change(id, "user.disable", { enabled: false, sessions: newSessionTag() });
  }

  /**
   * Gives a user another role. Keys of the user allow no more than the user does, whatever role they have.
   *
   * @throws {UserNotFoundError} @throws {LastAdminError} @throws {TypeError} when the role is none
   */
  setRole(user: UserRef, role: Role): UserInfo {
    const id = toUserId(user);
    checkRole(role);
    if (role !== "admin") this.#keepAnAdmin(id);
    return this.#change(id, "user.role", { role }, role);
  }

  /**
   * Gives a user another password, or verifiers that are ready. Sessions that were begun before count no longer.
   *
   * @throws {UserNotFoundError} @throws {InvalidPasswordError}
   * @throws {MalformedVerifierError} @throws {WeakPasswordParametersError}
   */
  setPassword(user: UserRef, password: string | LoginSecrets): UserInfo {
    const id = toUserId(user);
    const secrets = typeof password === "string" ? { password } : password;
    const ready = checkSecrets(secrets);
    const { password: _, scram: __, foreignHash: ___, ...stored } = getUser(this.#records, id);
    this.#work.audit({ operation: "user.password", name: formatUserId(id) });
    const next = { ...stored, updated: this.#work.now, sessions: newSessionTag(), ...ready };
    return this.#putWith(id, next, secrets.password, ready);
  }

  /** Ends every session of a user that was begun up to now. @throws {UserNotFoundError} */
  revokeSessions(user: UserRef): UserInfo {
    return this.#change(toUserId(user), "session.revoke", { sessions: newSessionTag() });
  }

  /**
   * Removes a user, with the user's API keys and sessions.
   *
   * @throws {UserNotFoundError} @throws {LastAdminError}
   */
  delete(user: UserRef): void {
    const id = toUserId(user);
    this.#keepAnAdmin(id);
    getUser(this.#records, id);
    this.#records.remove(USER, userKey(id));
    this.#hashing.delete(userKey(id));
    const count = removeKeysOf(this.#records, id);
    this.#work.audit({ operation: "user.delete", name: formatUserId(id), ...(count > 0 ? { count } : {}) });
  }

  #change(
    id: UserId,
    operation: "user.enable" | "user.disable" | "user.role" | "session.revoke",
    change: Partial<StoredUser>,
    to?: string,
  ): UserInfo {
    const user = { ...getUser(this.#records, id), ...change, updated: this.#work.now };
    this.#work.audit({ operation, name: formatUserId(id), ...(to === undefined ? {} : { to }) });
    putUser(this.#records, id, user);
    return describeUser(id, user);
  }

  /** Writes a user at once, and what a password becomes as soon as it is hashed. */
  #putWith(id: UserId, user: StoredUser, password: string | undefined, ready: StoredSecrets): UserInfo {
    putUser(this.#records, id, user);
    // Only what was set last counts: a hash that is still being made for what was before is not written.
    this.#hashing.delete(userKey(id));
    const info = describeUser(id, user);
    if (password === undefined) return info;
    this.#hashing.set(userKey(id), ready);
    this.#work.wait(this.#hash(id, password, ready));
    return { ...info, hasPassword: true, hasScram: true };
  }

  async #hash(id: UserId, password: string, ready: StoredSecrets): Promise<void> {
    const hashed = await hashPasswords(password);
    const records = this.#records;
    if (this.#hashing.get(userKey(id)) !== ready) return;
    putUser(records, id, { ...getUser(records, id), ...hashed, ...ready });
  }

  /** @throws {LastAdminError} when there would be no enabled admin of the platform without this user */
  #keepAnAdmin(id: UserId): void {
    if (!isPlatformAdmin(id, readUser(this.#records, id))) return;
    for (const key of this.#records.keys(USER)) {
      const other = userOfKey(key);
      if (other.tenant !== null || other.name === id.name) continue;
      if (isPlatformAdmin(other, readUser(this.#records, other))) return;
    }
    throw new LastAdminError(formatUserId(id));
  }

  get #records(): Work["records"] {
    this.#work.check();
    return this.#work.records;
  }
}

/** Whether a user may do everything, and log in. */
export function isPlatformAdmin({ tenant }: UserId, user: StoredUser | undefined): boolean {
  return tenant === null && user !== undefined && user.enabled && user.role === "admin";
}
