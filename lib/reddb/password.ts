/**
 * Password hashes as RedDB checks them: `argon2id$<salt hex>$<hash hex>`.
 *
 * @module
 */
import { encodeHex, encodeUtf8 } from "../bytes.ts";
import { argon2id, type Argon2Parameters } from "../crypto/argon2.ts";
import { randomBytes, wipe } from "../crypto/random.ts";

/** What RedDB takes for every password; the hash does not say, so no other can be checked. */
export const PASSWORD_KDF: Argon2Parameters = { memory: 4 * 1024, passes: 3, lanes: 1 };
const SALT_SIZE = 16;

/**
 * Hashes a password for {@linkcode User.passwordHash}, under a fresh salt. RedDB's parameters are light, 4 MiB and 3
 * passes, so the password itself must be a strong one.
 */
export async function newPasswordHash(password: string): Promise<string> {
  const bytes = encodeUtf8(password);
  const salt = randomBytes(SALT_SIZE);
  const hash = await argon2id(bytes, salt, PASSWORD_KDF);
  wipe(bytes);
  return `argon2id$${encodeHex(salt)}$${encodeHex(hash)}`;
}
