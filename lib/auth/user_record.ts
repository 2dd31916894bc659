/**
 * A user as a record of the state (`docs/format.md`, section 12).
 *
 * @module
 */
import { CorruptVaultError } from "../errors.ts";
import type { RecordReader, RecordWriter } from "../state/records.ts";
import { isTime } from "../time.ts";
import { UserNotFoundError } from "./errors.ts";
import { isRole, type Role } from "./role.ts";
import type { ScramVerifierJson } from "./scram_verifier.ts";
import { formatUserId, type UserId, userKey } from "./user_id.ts";

/** Kind of the records that hold users; their keys are `tenant/name`, with nothing before the slash for the platform. */
export const USER = "user";

/** What the vault keeps of a user. */
export interface StoredUser {
  /** What the user may do. */
  readonly role: Role;
  /** Whether the user may log in, and the user's keys and sessions count. */
  readonly enabled: boolean;
  /** In milliseconds since 1970. */
  readonly created: number;
  /** In milliseconds since 1970. */
  readonly updated: number;
  /** Tag of the sessions that count: see `session_tag.ts`. */
  readonly sessions: string;
  /** PHC string of Argon2id. */
  readonly password?: string;
  /** Verifier for SCRAM-SHA-256. */
  readonly scram?: ScramVerifierJson;
  /** A hash of another system: see `foreign_hash.ts`. It goes once a standard one can be written. */
  readonly foreignHash?: string;
}

/** The user of an id, or undefined. @throws {CorruptVaultError} when the record is not of its form */
export function readUser(records: RecordReader, id: UserId): StoredUser | undefined {
  const json = records.get(USER, userKey(id));
  return json === undefined ? undefined : decodeUser(json);
}

/** The user of an id. @throws {UserNotFoundError} @throws {CorruptVaultError} */
export function getUser(records: RecordReader, id: UserId): StoredUser {
  const user = readUser(records, id);
  if (user === undefined) throw new UserNotFoundError(formatUserId(id));
  return user;
}

/**
 * Whether a password that was right for the user still lets the user in: who is there now is enabled, the same user, and
 * has no other password. A password that was only kept anew meanwhile is the same one, which the tag of sessions tells.
 */
export function mayStillLogIn(then: StoredUser, now: StoredUser | undefined): now is StoredUser {
  return now !== undefined && now.enabled && (now.sessions === then.sessions || hasSameSecrets(then, now));
}

function hasSameSecrets(a: StoredUser, b: StoredUser): boolean {
  const secrets = ({ password, scram, foreignHash }: StoredUser) => JSON.stringify([password, scram, foreignHash]);
  return secrets(a) === secrets(b);
}

/** Writes a user. */
export function putUser(records: RecordWriter, id: UserId, user: StoredUser): void {
  records.put(USER, userKey(id), JSON.stringify(user));
}

/** Reads the JSON text of a user. @throws {CorruptVaultError} when it is not of its form */
export function decodeUser(json: string): StoredUser {
  let user: StoredUser;
  try {
    user = JSON.parse(json);
  } catch {
    throw new CorruptVaultError("the record of a user is not JSON");
  }
  const sound = typeof user === "object" && user !== null && isRole(user.role) && typeof user.enabled === "boolean" &&
    [user.created, user.updated].every(isTime) &&
    typeof user.sessions === "string" &&
    [user.password, user.foreignHash].every((text) => text === undefined || typeof text === "string") &&
    (user.scram === undefined || (typeof user.scram === "object" && user.scram !== null));
  if (!sound) throw new CorruptVaultError("the record of a user is not of its form");
  return user;
}
