/**
 * Logging in with a password.
 *
 * @module
 */
import { encodeUtf8 } from "../bytes.ts";
import type { Engine } from "../engine.ts";
import { InvalidMetadataError } from "../errors.ts";
import { logFailure } from "../log.ts";
import { checkableHash } from "./foreign_hash.ts";
import { type LoginLimits, MAX_SOURCE_SIZE } from "./login_limits.ts";
import { hashPasswords } from "./login_secrets.ts";
import { checkPassword } from "./password_bytes.ts";
import { needsRehash, verifyPassword } from "./phc.ts";
import { scramFromJson, verifyScramPassword } from "./scram_verifier.ts";
import { toUserId, type UserId, type UserRef } from "./user_id.ts";
import { mayStillLogIn, putUser, readUser, type StoredUser } from "./user_record.ts";
import { describeUser, type UserInfo } from "./user_reader.ts";

/** Where a login comes from. */
export interface LoginOptions {
  /**
   * What failures are counted under beside the name: an address, or what tells clients apart. At most 256 bytes.
   * Without it only the name counts.
   */
  readonly source?: string | undefined;
}

/**
 * A hash that no password has, of the cost of a real one: who logs in under a name that is none waits as long as with a
 * wrong password.
 */
const NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$Y29mZmVyLW5vYm9keS4uLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** Logs a user in: see `Auth.login`. */
export async function login(
  engine: Engine,
  limits: LoginLimits,
  ref: UserRef,
  password: string,
  { source }: LoginOptions,
): Promise<UserInfo> {
  const id = toUserId(ref);
  checkPassword(password);
  checkSource(source);
  await engine.refresh();
  const attempt = await limits.begin(id, source);
  const user = readUser(engine.committed.state, id);
  const right = await isRight(user, password);
  // What others did while the password was hashed counts: they may have failed, or have shut the user out.
  await engine.refresh();
  const now = readUser(engine.committed.state, id);
  if (user === undefined || !right || !mayStillLogIn(user, now)) throw attempt.failed();
  attempt.succeeded();
  await rehash(engine, id, now, password);
  return describeUser(id, now);
}

/** @throws {InvalidMetadataError} when a source is too long */
export function checkSource(source: string | undefined): void {
  if (source === undefined) return;
  if (source.length > MAX_SOURCE_SIZE || encodeUtf8(source).length > MAX_SOURCE_SIZE) {
    throw new InvalidMetadataError("source", `it is longer than ${MAX_SOURCE_SIZE} bytes`);
  }
}

/**
 * Whether the password is the user's. It takes one Argon2id of today's cost whoever is asked for, so that its time tells
 * nothing; what is cheaper runs beside it.
 */
async function isRight(user: StoredUser | undefined, password: string): Promise<boolean> {
  if (user?.password !== undefined && !needsRehash(user.password)) return await verifyPassword(password, user.password);
  const [right] = await Promise.all([hasCheaper(user, password), verifyPassword(password, NOBODY)]);
  return right;
}

async function hasCheaper(user: StoredUser | undefined, password: string): Promise<boolean> {
  if (user?.password !== undefined) return await verifyPassword(password, user.password);
  if (user?.scram !== undefined) return await verifyScramPassword(password, scramFromJson(user.scram));
  const foreign = user?.foreignHash === undefined ? undefined : checkableHash(user.foreignHash);
  return foreign !== undefined && await verifyPassword(password, foreign);
}

/** Keeps the password under today's cost, and in the place of a hash of another system. */
async function rehash(engine: Engine, id: UserId, user: StoredUser, password: string): Promise<void> {
  const outdated = user.password === undefined || needsRehash(user.password);
  if ((!outdated && user.scram !== undefined) || engine.committed.generation.meta.backup) return;
  try {
    const hashed = await hashPasswords(password);
    await engine.transact((work) => {
      const now = readUser(work.records, id);
      // Somebody else may have set another password or other verifiers, or done the same, meanwhile.
      if (now === undefined || now.password !== user.password || now.updated !== user.updated) return;
      const { foreignHash: _, ...kept } = now;
      // A verifier that is there stays: clients may have remembered its salt.
      putUser(work.records, id, { ...kept, ...hashed, ...(user.scram === undefined ? {} : { scram: user.scram }) });
      work.audit({ operation: "user.rehash", name: describeUser(id, now).user });
    });
  } catch (error) {
    // The login is right all the same; the next one tries again.
    logFailure("auth", "keep a password under today's cost", error);
  }
}
