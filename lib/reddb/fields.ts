/**
 * The fields of a line of the payload: text that cannot forge a record, numbers of 128 bits, roles, verifiers.
 *
 * @module
 */
import { decodeHex, encodeHex } from "../bytes.ts";
import { InvalidMetadataError } from "../errors.ts";
import { RedDbCorruptError } from "./errors.ts";
import { MIN_SCRAM_ITERATIONS, type Role, ROLES, SCRAM_KEY_SIZE, type ScramVerifier } from "./records.ts";

const MAX_TIME = 2n ** 128n - 1n;
const MAX_ITERATIONS = 2 ** 32 - 1;
/** What RedDB trims: the characters that Unicode calls white space, all of them of one code unit. */
const SPACE = /^\p{White_Space}$/u;

/**
 * A text as a field. A tab would begin another field, a line end another record, so neither may be in it; a lone
 * surrogate would come back as another character.
 *
 * @throws {InvalidMetadataError} naming the field
 */
export function encodeText(text: string, field: string): string {
  if (/[\t\n\r]/.test(text)) throw new InvalidMetadataError(field, "it may not hold a tab or a line end");
  if (!text.isWellFormed()) throw new InvalidMetadataError(field, "it is no valid Unicode text");
  return text;
}

/**
 * A tenant as a field. Readers trim it and take nothing for the platform, so a tenant of spaces would give its users the
 * platform's place: only what comes back as it was is written.
 *
 * @throws {InvalidMetadataError}
 */
export function encodeTenant(tenant: string | null): string {
  if (tenant === null) return "";
  if (tenant === "" || trimmed(tenant) !== tenant) {
    throw new InvalidMetadataError("tenant", "it may not be empty, nor begin or end with white space");
  }
  return encodeText(tenant, "tenant");
}

/** The tenant of a field; null for the platform, and where lines had no such field yet. */
export function decodeTenant(field: string | undefined): string | null {
  return trimmed(field ?? "") || null;
}

/** @throws {InvalidMetadataError} when it is none of the three */
export function encodeRole(role: Role): string {
  if (!ROLES.includes(role)) throw new InvalidMetadataError("role", "it is read, write or admin");
  return role;
}

/** @throws {RedDbCorruptError} when it is none of the three */
export function decodeRole(field: string, where: string): Role {
  const role = ROLES.find((known) => known === field);
  if (role === undefined) throw new RedDbCorruptError(`${where} has an unknown role`);
  return role;
}

/** @throws {InvalidMetadataError} when it is negative or has more than 128 bits */
export function encodeTime(time: bigint, field: string): string {
  if (time < 0n || time > MAX_TIME) throw new InvalidMetadataError(field, "it is a number of at most 128 bits");
  return time.toString();
}

/** @throws {RedDbCorruptError} when it is no whole number of at most 128 bits */
export function decodeTime(field: string, where: string): bigint {
  // The length is bounded first: making a number of a megabyte of digits takes long.
  const digits = /^\+?0*([0-9]{1,39})$/.exec(field)?.[1];
  const time = digits === undefined ? undefined : BigInt(digits);
  if (time === undefined || time > MAX_TIME) throw new RedDbCorruptError(`${where} has a malformed time`);
  return time;
}

/** @throws {InvalidMetadataError} when the iterations or the sizes are not what a reader takes */
export function encodeScram(verifier: ScramVerifier | null): string {
  if (verifier === null) return "";
  const { salt, iterations, storedKey, serverKey } = verifier;
  if (!Number.isInteger(iterations) || iterations < MIN_SCRAM_ITERATIONS || iterations > MAX_ITERATIONS) {
    throw new InvalidMetadataError("SCRAM verifier", `it has at least ${MIN_SCRAM_ITERATIONS} iterations`);
  }
  if (storedKey.length !== SCRAM_KEY_SIZE || serverKey.length !== SCRAM_KEY_SIZE) {
    throw new InvalidMetadataError("SCRAM verifier", `its keys have ${SCRAM_KEY_SIZE} bytes`);
  }
  return `${encodeHex(salt)}:${iterations}:${encodeHex(storedKey)}:${encodeHex(serverKey)}`;
}

/** @throws {RedDbCorruptError} when it is not of its form, or below the floor of iterations */
export function decodeScram(field: string, where: string): ScramVerifier | null {
  const text = trimmed(field);
  if (text === "") return null;
  const [salt, iterations, storedKey, serverKey, ...more] = text.split(":");
  if (serverKey === undefined || more.length > 0 || !/^\+?0*[0-9]{1,10}$/.test(iterations!)) {
    throw new RedDbCorruptError(`${where} has a malformed SCRAM verifier`);
  }
  const count = Number(iterations);
  if (count < MIN_SCRAM_ITERATIONS || count > MAX_ITERATIONS) {
    throw new RedDbCorruptError(`${where} has a SCRAM verifier of too few or too many iterations`);
  }
  try {
    const verifier = {
      salt: decodeHex(salt!),
      iterations: count,
      storedKey: decodeHex(storedKey!),
      serverKey: decodeHex(serverKey),
    };
    if (verifier.storedKey.length === SCRAM_KEY_SIZE && verifier.serverKey.length === SCRAM_KEY_SIZE) return verifier;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new RedDbCorruptError(`${where} has a malformed SCRAM verifier`);
}

function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text[start]!)) start++;
  while (end > start && SPACE.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}
