/**
 * Verifiers of passwords for SCRAM-SHA-256 (RFC 5802, RFC 7677).
 *
 * @module
 */
import { encodeUtf8 } from "../bytes.ts";
import { randomBytes, wipe } from "../crypto/random.ts";
import { deriveScramKeys } from "../crypto/scram_keys.ts";
import { DEFAULT_SCRAM_ITERATIONS, MIN_SCRAM_ITERATIONS, type ScramVerifier } from "./records.ts";

const SALT_SIZE = 16;

/** What may differ from verifier to verifier. */
export interface ScramOptions {
  /** At least {@linkcode MIN_SCRAM_ITERATIONS}. @default {DEFAULT_SCRAM_ITERATIONS} */
  readonly iterations?: number;
  /** Random bytes that tell equal passwords apart. @default {16 fresh ones} */
  readonly salt?: Uint8Array;
}

/**
 * Makes the verifier of a password. The password is taken as it is, as UTF-8: RedDB does not normalise it.
 *
 * @throws {RangeError} when there are too few iterations
 */
export async function newScramVerifier(password: string, options: ScramOptions = {}): Promise<ScramVerifier> {
  const { iterations = DEFAULT_SCRAM_ITERATIONS } = options;
  if (iterations < MIN_SCRAM_ITERATIONS) {
    throw new RangeError(`A verifier has at least ${MIN_SCRAM_ITERATIONS} iterations, got ${iterations}`);
  }
  const salt = new Uint8Array(options.salt ?? randomBytes(SALT_SIZE));
  const bytes = encodeUtf8(password);
  const verifier = { salt, iterations, ...await deriveScramKeys(bytes, salt, iterations) };
  wipe(bytes);
  return verifier;
}
