/**
 * Verifiers of passwords for SCRAM-SHA-256 (RFC 5802, RFC 7677), and the texts that hold them: PostgreSQL's, RedDB's and
 * a JSON form.
 *
 * A verifier does not hold the password, but whoever reads one can try passwords against it: it is kept as a secret.
 *
 * @module
 */
import { type Bytes, decodeBase64, decodeHex, encodeBase64, encodeHex } from "../bytes.ts";
import { constantTimeEqual } from "../crypto/constant_time.ts";
import { PBKDF2_SIZE } from "../crypto/pbkdf2.ts";
import { randomBytes, wipe } from "../crypto/random.ts";
import { deriveScramKeys, type ScramKeys } from "../crypto/scram_keys.ts";
import { MalformedVerifierError, type VerifierFormat, WeakPasswordParametersError } from "./errors.ts";
import { passwordFits, withPassword } from "./password_bytes.ts";

/** Iterations of new verifiers. */
export const DEFAULT_SCRAM_ITERATIONS = 16_384;
/** Fewest iterations (RFC 7677, section 4). */
export const MIN_SCRAM_ITERATIONS = 4096;
/** Most iterations: a few seconds of work. */
export const MAX_SCRAM_ITERATIONS = 10_000_000;
/** Fewest and most bytes of a salt. */
export const SCRAM_SALT_SIZES = { least: 8, most: 64 } as const;

/** Size of new salts, in bytes: what PostgreSQL takes. */
const SALT_SIZE = 16;
const KEY_SIZE = PBKDF2_SIZE;
/** Longer than any text of a verifier within the bounds. */
const MAX_TEXT_SIZE = 512;

/** What a server keeps of a password. */
export interface ScramVerifier extends ScramKeys {
  /** Tells equal passwords apart; 8 to 64 bytes. */
  readonly salt: Bytes;
  /** How often the password is hashed; 4096 to 10,000,000. */
  readonly iterations: number;
}

/** A verifier as JSON holds it; the bytes in base64. */
export interface ScramVerifierJson {
  /** How often the password is hashed. */
  readonly iterations: number;
  /** Tells equal passwords apart. */
  readonly salt: string;
  /** What a client's proof is held against. */
  readonly stored: string;
  /** What the server proves itself with. */
  readonly server: string;
}

/** What may differ from verifier to verifier. */
export interface NewScramVerifierOptions {
  /** 4096 to 10,000,000. @default {16384} */
  readonly iterations?: number;
  /** 8 to 64 bytes, random and never used twice. @default {16 fresh ones} */
  readonly salt?: Uint8Array;
}

/**
 * Makes the verifier of a password, which is prepared as {@linkcode withPassword} says.
 *
 * @throws {InvalidPasswordError}
 * @throws {WeakPasswordParametersError} when there are too few iterations, or too many
 * @throws {RangeError} when the salt is too short or too long
 */
export async function newScramVerifier(
  password: string,
  options: NewScramVerifierOptions = {},
): Promise<ScramVerifier> {
  const { iterations = DEFAULT_SCRAM_ITERATIONS } = options;
  checkIterations(iterations);
  const salt = new Uint8Array(options.salt ?? randomBytes(SALT_SIZE));
  if (!isSaltSize(salt.length)) throw new RangeError(`A salt has ${SALT_RULE}, got ${salt.length}`);
  return {
    salt,
    iterations,
    ...await withPassword(password, (bytes) => deriveScramKeys(bytes, salt, iterations)),
  };
}

/**
 * Whether the password is the verifier's, prepared or as it was typed. The comparison takes the same time wherever the
 * keys differ.
 *
 * @throws {InvalidPasswordError} when no password could be this text
 * @throws {WeakPasswordParametersError} when the verifier has too few iterations, or too many
 */
export async function verifyScramPassword(password: string, verifier: ScramVerifier): Promise<boolean> {
  checkIterations(verifier.iterations);
  return await passwordFits(password, async (bytes) => {
    const { storedKey, serverKey } = await deriveScramKeys(bytes, verifier.salt, verifier.iterations);
    const fits = constantTimeEqual(storedKey, verifier.storedKey);
    wipe(storedKey, serverKey);
    return fits;
  });
}

/** The verifier as PostgreSQL keeps it (`pg_authid.rolpassword`): `SCRAM-SHA-256$iterations:salt$stored:server`. */
export function encodePostgresVerifier(verifier: ScramVerifier): string {
  const { iterations, salt, stored, server } = scramToJson(verifier);
  return `SCRAM-SHA-256$${iterations}:${salt}$${stored}:${server}`;
}

/**
 * Decodes PostgreSQL's text, strictly: what comes back encodes to the same text.
 *
 * @throws {MalformedVerifierError}
 * @throws {WeakPasswordParametersError} when there are too few iterations, or too many
 */
export function decodePostgresVerifier(text: string): ScramVerifier {
  const [iterations, salt, stored, server] = fields(
    "postgres",
    text,
    /^SCRAM-SHA-256\$([0-9]+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/,
  );
  return decodeVerifier("postgres", parseIterations("postgres", iterations), [salt, stored, server], decodeBase64);
}

/** The verifier as RedDB keeps it, in hex: `salt:iterations:stored:server`. */
export function encodeRedDbVerifier({ iterations, salt, storedKey, serverKey }: ScramVerifier): string {
  return `${encodeHex(salt)}:${iterations}:${encodeHex(storedKey)}:${encodeHex(serverKey)}`;
}

/**
 * Decodes RedDB's text, strictly: what comes back encodes to the same text.
 *
 * @throws {MalformedVerifierError}
 * @throws {WeakPasswordParametersError} when there are too few iterations, or too many
 */
export function decodeRedDbVerifier(text: string): ScramVerifier {
  const [salt, iterations, stored, server] = fields(
    "reddb",
    text,
    /^([0-9a-f]+):([0-9]+):([0-9a-f]+):([0-9a-f]+)$/,
  );
  return decodeVerifier("reddb", parseIterations("reddb", iterations), [salt, stored, server], decodeHex);
}

/** The verifier as JSON. */
export function scramToJson({ iterations, salt, storedKey, serverKey }: ScramVerifier): ScramVerifierJson {
  return {
    iterations,
    salt: encodeBase64(salt),
    stored: encodeBase64(storedKey),
    server: encodeBase64(serverKey),
  };
}

/**
 * Reads the JSON form, strictly: these four fields and no others.
 *
 * @throws {MalformedVerifierError}
 * @throws {WeakPasswordParametersError} when there are too few iterations, or too many
 */
export function scramFromJson(json: unknown): ScramVerifier {
  if (!isVerifierJson(json)) throw new MalformedVerifierError("scram", "it is not of its form");
  return decodeVerifier("scram", json.iterations, [json.salt, json.stored, json.server], decodeBase64);
}

function isVerifierJson(json: unknown): json is ScramVerifierJson {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return false;
  if (Object.keys(json).sort().join() !== "iterations,salt,server,stored") return false;
  const { iterations, salt, stored, server } = json as Record<string, unknown>;
  return typeof iterations === "number" &&
    [salt, stored, server].every((field) => typeof field === "string" && field.length <= MAX_TEXT_SIZE);
}

const SALT_RULE = `${SCRAM_SALT_SIZES.least} to ${SCRAM_SALT_SIZES.most} bytes`;

function isSaltSize(size: number): boolean {
  return size >= SCRAM_SALT_SIZES.least && size <= SCRAM_SALT_SIZES.most;
}

function fields(format: VerifierFormat, text: string, form: RegExp): [string, string, string, string] {
  // The size comes first: nothing is searched in a text that cannot be a verifier.
  const match = text.length > MAX_TEXT_SIZE ? null : form.exec(text);
  if (match === null) throw new MalformedVerifierError(format, "it is not of its form");
  return [match[1]!, match[2]!, match[3]!, match[4]!];
}

function parseIterations(format: VerifierFormat, digits: string): number {
  const iterations = Number(digits);
  // A leading zero, or more digits than a number holds, would come back as another text.
  if (String(iterations) !== digits) throw new MalformedVerifierError(format, "its iterations are no plain number");
  return iterations;
}

function checkIterations(iterations: number): void {
  if (Number.isInteger(iterations) && iterations >= MIN_SCRAM_ITERATIONS && iterations <= MAX_SCRAM_ITERATIONS) return;
  throw new WeakPasswordParametersError(
    `SCRAM takes ${MIN_SCRAM_ITERATIONS} to ${MAX_SCRAM_ITERATIONS} iterations, got ${iterations}`,
  );
}

function decodeVerifier(
  format: VerifierFormat,
  iterations: number,
  texts: readonly [salt: string, stored: string, server: string],
  decode: (text: string) => Bytes,
): ScramVerifier {
  checkIterations(iterations);
  let parts: Bytes[];
  try {
    parts = texts.map(decode);
  } catch (error) {
    // The platform's error may quote what it could not decode, so it is not kept as the cause.
    if (error instanceof SyntaxError) {
      throw new MalformedVerifierError(format, "its bytes are not encoded as they must be");
    }
    throw error;
  }
  const [salt, storedKey, serverKey] = parts as [Bytes, Bytes, Bytes];
  return checkScramVerifier({ salt, iterations, storedKey, serverKey }, format);
}

/**
 * Returns a verifier, from wherever it came, when all of it is within bounds.
 *
 * @throws {MalformedVerifierError} @throws {WeakPasswordParametersError}
 */
export function checkScramVerifier(verifier: ScramVerifier, format: VerifierFormat = "scram"): ScramVerifier {
  const { salt, iterations, storedKey, serverKey } = verifier;
  checkIterations(iterations);
  if (!isSaltSize(salt.length)) throw new MalformedVerifierError(format, `its salt has not ${SALT_RULE}`);
  if (storedKey.length !== KEY_SIZE || serverKey.length !== KEY_SIZE) {
    throw new MalformedVerifierError(format, `its keys have not ${KEY_SIZE} bytes`);
  }
  return verifier;
}
