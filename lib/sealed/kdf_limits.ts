/**
 * What a passphrase slot may cost: a floor for new slots, a ceiling for those that a file brings.
 *
 * @module
 */
import type { Argon2Parameters } from "../crypto/argon2.ts";
import { KdfLimitError, WeakKdfError } from "../errors.ts";

/** Parameters of a new slot when none are given: 256 MiB, 3 passes, 1 lane. */
export const DEFAULT_KDF: Argon2Parameters = { memory: 256 * 1024, passes: 3, lanes: 1 };
/** Least memory of a new slot in KiB, and least passes, unless weak ones are allowed. */
export const KDF_FLOOR = { memory: 19 * 1024, passes: 2 } as const;
/** Most that any slot may ask for: 2 GiB, 64 passes, 16 lanes. */
export const KDF_CEILING: Argon2Parameters = { memory: 2 * 1024 * 1024, passes: 64, lanes: 16 };

/** Cost of a new passphrase slot, as users give it. */
export interface KdfOptions {
  /** Memory in KiB. @default {262144} */
  readonly memory?: number;
  /** Passes. @default {3} */
  readonly passes?: number;
  /** Lanes. The runtime works them off one after another. @default {1} */
  readonly lanes?: number;
  /** Allows parameters below 19 MiB and 2 passes. For tests. @default {false} */
  readonly allowWeakKdf?: boolean;
}

/**
 * The parameters of a new slot.
 *
 * @throws {WeakKdfError} below the floor
 * @throws {KdfLimitError} above the ceiling, or where Argon2 is not defined
 */
export function newKdf(options: KdfOptions): Argon2Parameters {
  const { memory = DEFAULT_KDF.memory, passes = DEFAULT_KDF.passes, lanes = DEFAULT_KDF.lanes } = options;
  const parameters = checkKdf({ memory, passes, lanes });
  if (!options.allowWeakKdf && (memory < KDF_FLOOR.memory || passes < KDF_FLOOR.passes)) {
    throw new WeakKdfError(memory, passes);
  }
  return parameters;
}

/**
 * Returns the parameters when they are defined (RFC 9106, section 3.1) and not above the ceiling. Nothing is computed
 * or allocated for those that are refused.
 *
 * @throws {KdfLimitError}
 */
export function checkKdf(parameters: Argon2Parameters): Argon2Parameters {
  const { memory, passes, lanes } = parameters;
  const sound = [memory, passes, lanes].every((value) => Number.isSafeInteger(value) && value >= 1) &&
    memory <= KDF_CEILING.memory && passes <= KDF_CEILING.passes && lanes <= KDF_CEILING.lanes && memory >= 8 * lanes;
  if (!sound) throw new KdfLimitError(memory, passes, lanes);
  return parameters;
}
