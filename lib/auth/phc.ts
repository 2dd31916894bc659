/**
 * Password hashes as PHC strings of Argon2id: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, salt and hash in base64
 * without padding. The `argon2` program and most libraries write and read the same.
 *
 * @module
 */
import { type Bytes, decodeBase64, encodeBase64 } from "../bytes.ts";
import { argon2id, type Argon2Parameters } from "../crypto/argon2.ts";
import { constantTimeEqual } from "../crypto/constant_time.ts";
import { randomBytes, wipe } from "../crypto/random.ts";
import { KDF_CEILING, KDF_FLOOR } from "../sealed/kdf_limits.ts";
import { MalformedVerifierError, WeakPasswordParametersError } from "./errors.ts";
import { passwordFits, withPassword } from "./password_bytes.ts";

/** Parameters of new hashes when none are given: 19 MiB, 2 passes, 1 lane. */
export const DEFAULT_PHC: Argon2Parameters = { memory: 19 * 1024, passes: 2, lanes: 1 };
/** Longest string, in characters. */
export const MAX_PHC_SIZE = 512;
/** Fewest and most bytes of a salt (RFC 9106, section 3.1 has the same least). */
export const PHC_SALT_SIZES = { least: 8, most: 64 } as const;
/** Fewest and most bytes of a hash. */
export const PHC_HASH_SIZES = { least: 16, most: 64 } as const;

/** Sizes of new salts and hashes, in bytes. */
const SALT_SIZE = 16;
const HASH_SIZE = 32;
/** Argon2 is not defined for less memory than this for each lane, in KiB (RFC 9106, section 3.1). */
const LEAST_MEMORY_OF_LANE = 8;

/** A PHC string, taken apart. */
export interface Phc extends Argon2Parameters {
  /** Tells equal passwords apart. */
  readonly salt: Bytes;
  /** What a password is held against. */
  readonly hash: Bytes;
}

/** What may differ from hash to hash. */
export interface HashPasswordOptions {
  /** Memory in KiB. @default {19456} */
  readonly memory?: number;
  /** Passes. @default {2} */
  readonly passes?: number;
  /** Lanes. The runtime works them off one after another. @default {1} */
  readonly lanes?: number;
  /** 8 to 64 bytes, random and never used twice. @default {16 fresh ones} */
  readonly salt?: Uint8Array;
  /** Allows parameters below 19 MiB and 2 passes. For tests. @default {false} */
  readonly allowWeakKdf?: boolean;
}

/**
 * Hashes a password, which is prepared as {@linkcode withPassword} says.
 *
 * @throws {InvalidPasswordError}
 * @throws {WeakPasswordParametersError} below the floor, above the ceiling, or where Argon2 is not defined
 * @throws {RangeError} when the salt is too short or too long
 */
export async function hashPassword(password: string, options: HashPasswordOptions = {}): Promise<string> {
  const parameters = newParameters(options);
  const salt = new Uint8Array(options.salt ?? randomBytes(SALT_SIZE));
  if (!isWithin(salt.length, PHC_SALT_SIZES)) {
    throw new RangeError(`A salt has ${PHC_SALT_SIZES.least} to ${PHC_SALT_SIZES.most} bytes, got ${salt.length}`);
  }
  const hash = await withPassword(password, (bytes) => argon2id(bytes, salt, parameters, HASH_SIZE));
  return encodePhc({ ...parameters, salt, hash });
}

/**
 * Whether the password is the hash's, prepared or as it was typed. The comparison takes the same time wherever the
 * hashes differ.
 *
 * @throws {InvalidPasswordError} when no password could be this text
 * @throws {MalformedVerifierError} @throws {WeakPasswordParametersError} when a string is none, before any work
 */
export async function verifyPassword(password: string, phc: Phc | string): Promise<boolean> {
  const { salt, hash, ...parameters } = typeof phc === "string" ? parsePhc(phc) : checkPhc(phc);
  return await passwordFits(password, async (bytes) => {
    const derived = await argon2id(bytes, salt, parameters, hash.length);
    const fits = constantTimeEqual(derived, hash);
    wipe(derived);
    return fits;
  });
}

/** Whether a hash is weaker than wanted, so that the password should be hashed anew when it is next known. */
export function needsRehash(phc: Phc | string, wanted: Partial<Argon2Parameters> = {}): boolean {
  const { memory, passes, salt, hash } = typeof phc === "string" ? parsePhc(phc) : phc;
  const { memory: wantedMemory = DEFAULT_PHC.memory, passes: wantedPasses = DEFAULT_PHC.passes } = wanted;
  return memory < wantedMemory || passes < wantedPasses || salt.length < SALT_SIZE || hash.length < HASH_SIZE;
}

/** Puts a PHC string together. */
export function encodePhc({ memory, passes, lanes, salt, hash }: Phc): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${lanes}$${encodeUnpadded(salt)}$${encodeUnpadded(hash)}`;
}

const FORM = /^\$argon2id\$v=19\$m=([1-9][0-9]*),t=([1-9][0-9]*),p=([1-9][0-9]*)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/**
 * Takes a PHC string apart, strictly: Argon2id of version 19 only, and what comes back encodes to the same text.
 *
 * @throws {MalformedVerifierError}
 * @throws {WeakPasswordParametersError} above the ceiling, or where Argon2 is not defined
 */
export function parsePhc(text: string): Phc {
  if (text.length > MAX_PHC_SIZE) {
    throw new MalformedVerifierError("phc", `it is longer than ${MAX_PHC_SIZE} characters`);
  }
  const match = FORM.exec(text);
  if (match === null) throw new MalformedVerifierError("phc", "it is not of its form");
  const parameters = checkParameters({ memory: Number(match[1]), passes: Number(match[2]), lanes: Number(match[3]) });
  return checkPhc({ ...parameters, salt: decodeUnpadded(match[4]!), hash: decodeUnpadded(match[5]!) });
}

/** Returns what was taken apart, or put together by a caller, when all of it is within bounds. */
function checkPhc(phc: Phc): Phc {
  checkParameters(phc);
  if (!isWithin(phc.salt.length, PHC_SALT_SIZES)) {
    throw new MalformedVerifierError("phc", `its salt has not ${PHC_SALT_SIZES.least} to ${PHC_SALT_SIZES.most} bytes`);
  }
  // A hash of no bytes would equal that of every password.
  if (!isWithin(phc.hash.length, PHC_HASH_SIZES)) {
    throw new MalformedVerifierError("phc", `its hash has not ${PHC_HASH_SIZES.least} to ${PHC_HASH_SIZES.most} bytes`);
  }
  return phc;
}

function newParameters(options: HashPasswordOptions): Argon2Parameters {
  const { memory = DEFAULT_PHC.memory, passes = DEFAULT_PHC.passes, lanes = DEFAULT_PHC.lanes } = options;
  if (!options.allowWeakKdf && (memory < KDF_FLOOR.memory || passes < KDF_FLOOR.passes)) {
    throw new WeakPasswordParametersError(
      `Argon2id with ${memory} KiB and ${passes} passes is below the floor of ${KDF_FLOOR.memory} KiB and ${KDF_FLOOR.passes} passes`,
    );
  }
  return checkParameters({ memory, passes, lanes });
}

/** Returns the parameters when they are bounded. Nothing is computed or allocated for those that are refused. */
function checkParameters(parameters: Argon2Parameters): Argon2Parameters {
  const { memory, passes, lanes } = parameters;
  const sound = [memory, passes, lanes].every((value) => Number.isSafeInteger(value) && value >= 1) &&
    memory <= KDF_CEILING.memory && passes <= KDF_CEILING.passes && lanes <= KDF_CEILING.lanes &&
    memory >= LEAST_MEMORY_OF_LANE * lanes;
  if (sound) return parameters;
  throw new WeakPasswordParametersError(
    `Argon2id with ${memory} KiB, ${passes} passes and ${lanes} lanes is outside of what any hash may ask for`,
  );
}

function isWithin(size: number, { least, most }: { readonly least: number; readonly most: number }): boolean {
  return size >= least && size <= most;
}

function encodeUnpadded(bytes: Uint8Array): string {
  return encodeBase64(bytes).replace(/=+$/, "");
}

function decodeUnpadded(text: string): Bytes {
  try {
    return decodeBase64(text + "=".repeat(-text.length & 3));
  } catch (error) {
    // The platform's error may quote what it could not decode, so it is not kept as the cause.
    if (error instanceof SyntaxError) {
      throw new MalformedVerifierError("phc", "its bytes are not encoded as they must be");
    }
    throw error;
  }
}
