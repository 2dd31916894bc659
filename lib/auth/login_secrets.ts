/**
 * What a user logs in with, and what the vault keeps of it.
 *
 * @module
 */
import { MAX_FOREIGN_HASH } from "./foreign_hash.ts";
import { checkPassword } from "./password_bytes.ts";
import { hashPassword, parsePhc } from "./phc.ts";
import {
  checkScramVerifier,
  decodePostgresVerifier,
  newScramVerifier,
  scramToJson,
  type ScramVerifier,
} from "./scram_verifier.ts";
import type { StoredUser } from "./user_record.ts";

/** What a user logs in with: a password, or verifiers of one that are ready. */
export interface LoginSecrets {
  /** A password of 1 to 1024 bytes of UTF-8. */
  readonly password?: string | undefined;
  /** PHC string of Argon2id (`$argon2id$v=19$m=…`), in the place of a password. */
  readonly passwordHash?: string | undefined;
  /** Verifier for SCRAM-SHA-256, or PostgreSQL's text of one. */
  readonly scram?: ScramVerifier | string | undefined;
  /**
   * Hash of another system, which goes with the first login with the password. It is checked where it is one of RedDB's
   * and there is nothing else to check.
   */
  readonly foreignHash?: string | undefined;
}

/** What the vault keeps of it. */
export type StoredSecrets = Pick<StoredUser, "password" | "scram" | "foreignHash">;

/**
 * What is kept of verifiers that are ready.
 *
 * @throws {MalformedVerifierError} @throws {WeakPasswordParametersError}
 * @throws {TypeError} @throws {RangeError} when a hash of another system is no text, or too long
 */
function readySecrets({ passwordHash, scram, foreignHash }: LoginSecrets): StoredSecrets {
  if (passwordHash !== undefined) parsePhc(passwordHash);
  const verifier = typeof scram === "string" ? decodePostgresVerifier(scram) : scram && checkScramVerifier(scram);
  if (foreignHash !== undefined && typeof foreignHash !== "string") {
    throw new TypeError("A hash of another system is a text");
  }
  if (foreignHash !== undefined && foreignHash.length > MAX_FOREIGN_HASH) {
    throw new RangeError(`A hash of another system has at most ${MAX_FOREIGN_HASH} characters`);
  }
  return {
    ...(passwordHash === undefined ? {} : { password: passwordHash }),
    ...(verifier === undefined ? {} : { scram: scramToJson(verifier) }),
    ...(foreignHash === undefined ? {} : { foreignHash }),
  };
}

/** Hashes a password for both ways in which a user may log in. */
export async function hashPasswords(password: string): Promise<StoredSecrets> {
  return readySecrets(await withHashes({ password }));
}

/**
 * What is kept of what is ready, when a password that is not could be kept too.
 *
 * @throws {InvalidPasswordError} and what {@linkcode readySecrets} throws
 */
export function checkSecrets(secrets: LoginSecrets): StoredSecrets {
  if (secrets.password !== undefined) checkPassword(secrets.password);
  return readySecrets(secrets);
}

/** The same with a password hashed, so that it can be kept without any work. */
export async function withHashes(secrets: LoginSecrets): Promise<LoginSecrets> {
  checkSecrets(secrets);
  const { password, ...ready } = secrets;
  if (password === undefined) return ready;
  const [passwordHash, scram] = await Promise.all([hashPassword(password), newScramVerifier(password)]);
  return { ...ready, passwordHash: ready.passwordHash ?? passwordHash, scram: ready.scram ?? scram };
}
