/**
 * Hashes of passwords that came from another system: those among them that can be checked.
 *
 * RedDB writes `argon2id$<salt hex>$<hash hex>`, without parameters since it has but one set of them. Where salt and hash
 * have the sizes of real ones, that is Argon2id as RFC 9106 has it, in another spelling.
 *
 * @module
 */
import { type Bytes, decodeHex } from "../bytes.ts";
import { PASSWORD_KDF } from "../reddb/password.ts";
import { type Phc, PHC_HASH_SIZES, PHC_SALT_SIZES } from "./phc.ts";

/** Longest hash of another system, in characters. */
export const MAX_FOREIGN_HASH = 1024;

const REDDB_FORM = /^argon2id\$([0-9a-fA-F]+)\$([0-9a-fA-F]+)$/;

/** The hash as one that can be checked; undefined when it cannot be. */
export function checkableHash(text: string): Phc | undefined {
  const match = text.length > MAX_FOREIGN_HASH ? null : REDDB_FORM.exec(text);
  if (match === null) return undefined;
  const salt = decoded(match[1]!, PHC_SALT_SIZES);
  const hash = decoded(match[2]!, PHC_HASH_SIZES);
  return salt === undefined || hash === undefined ? undefined : { ...PASSWORD_KDF, salt, hash };
}

function decoded(hex: string, { least, most }: typeof PHC_SALT_SIZES | typeof PHC_HASH_SIZES): Bytes | undefined {
  const size = hex.length / 2;
  return Number.isInteger(size) && size >= least && size <= most ? decodeHex(hex) : undefined;
}
