/**
 * Reading users.
 *
 * @module
 */
import type { RecordReader } from "../state/records.ts";
import { TenantNotFoundError } from "./errors.ts";
import type { Role } from "./role.ts";
import { scramFromJson, type ScramVerifier } from "./scram_verifier.ts";
import { checkTenant, formatUserId, toUserId, type UserId, userOfKey, type UserRef } from "./user_id.ts";
import { decodeUser, getUser, readUser, type StoredUser, USER } from "./user_record.ts";

/** What is known of a user. */
export interface UserInfo extends UserId {
  /** The user as text: `tenant/name`, or the name alone. */
  readonly user: string;
  /** What the user may do. */
  readonly role: Role;
  /** Whether the user may log in. */
  readonly enabled: boolean;
  /** When the user came to be. */
  readonly createdAt: Date;
  /** When anything of the user last changed. */
  readonly updatedAt: Date;
  /** Whether the user can log in with a password. */
  readonly hasPassword: boolean;
  /** Whether the user can log in by SCRAM. */
  readonly hasScram: boolean;
  /** Whether the password's hash is one of another system, which the next login replaces. */
  readonly hasForeignHash: boolean;
}

/** Which users to list; all by default. */
export interface ListUsersOptions {
  /** Only those of one tenant, or with null those of the platform itself. */
  readonly tenant?: string | null | undefined;
}

/** The users among some records. */
export class UserReader {
  readonly #records: RecordReader;

  /** Reads users among records. */
  constructor(records: RecordReader) {
    this.#records = records;
  }

  /** What is known of a user. @throws {UserNotFoundError} */
  get(user: UserRef): UserInfo {
    const id = toUserId(user);
    return describeUser(id, getUser(this.#records, id));
  }

  /** Whether there is such a user. */
  has(user: UserRef): boolean {
    return readUser(this.#records, toUserId(user)) !== undefined;
  }

  /** Users, by tenant and name, those of the platform first. @throws {TenantNotFoundError} */
  list({ tenant }: ListUsersOptions = {}): UserInfo[] {
    const prefix = tenant === undefined ? "" : `${tenant === null ? "" : checkTenant(tenant)}/`;
    const keys = [...this.#records.keys(USER)].filter((key) => key.startsWith(prefix)).sort();
    if (typeof tenant === "string" && keys.length === 0) throw new TenantNotFoundError(tenant);
    return keys.map((key) => describeUser(userOfKey(key), decodeUser(this.#records.get(USER, key)!)));
  }

  /** Tenants that have users, sorted. */
  tenants(): string[] {
    const all = new Set([...this.#records.keys(USER)].map((key) => userOfKey(key).tenant));
    return [...all].filter((tenant) => tenant !== null).sort();
  }

  /** The verifier with which the user logs in by SCRAM; undefined when there is none. @throws {UserNotFoundError} */
  scramVerifier(user: UserRef): ScramVerifier | undefined {
    const { scram } = getUser(this.#records, toUserId(user));
    return scram === undefined ? undefined : scramFromJson(scram);
  }
}

/** What may be shown of a user. */
export function describeUser(id: UserId, user: StoredUser): UserInfo {
  return {
    ...id,
    user: formatUserId(id),
    role: user.role,
    enabled: user.enabled,
    createdAt: new Date(user.created),
    updatedAt: new Date(user.updated),
    hasPassword: user.password !== undefined,
    hasScram: user.scram !== undefined,
    hasForeignHash: user.foreignHash !== undefined,
  };
}
