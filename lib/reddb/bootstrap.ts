/**
 * The first state of a RedDB vault, as RedDB makes it.
 *
 * @module
 */
import { encodeHex } from "../bytes.ts";
import { randomBytes } from "../crypto/random.ts";
import { KeyPair } from "./key_pair.ts";
import { newPasswordHash } from "./password.ts";
import { newScramVerifier } from "./scram.ts";
import { VaultState } from "./state.ts";

const API_KEY_SIZE = 32;
/** The entry that holds the key RedDB encrypts secret values with. */
const SECRET_KEY_ENTRY = "red.secret.aes_key";
const SECRET_KEY_SIZE = 32;

/** A new vault's state, and what must be shown once. */
export interface Bootstrapped {
  /** To be saved. */
  readonly state: VaultState;
  /** Its certificate seals the vault. */
  readonly pair: KeyPair;
  /** The administrator's API key. */
  readonly apiKey: string;
}

/**
 * Makes the state of a new vault: a master secret, an administrator with a password hash and a SCRAM verifier, an API
 * key for them, and the key that RedDB encrypts secret values with.
 */
export async function bootstrapState(username: string, password: string): Promise<Bootstrapped> {
  const pair = await KeyPair.generate();
  const now = BigInt(Date.now());
  const apiKey = `rk_${encodeHex(randomBytes(API_KEY_SIZE))}`;
  const state = VaultState.empty();
  state.bootstrapped = true;
  state.masterSecret = pair.masterSecret;
  state.users.push({
    username,
    tenant: null,
    passwordHash: await newPasswordHash(password),
    role: "admin",
    enabled: true,
    createdAt: now,
    updatedAt: now,
    scram: await newScramVerifier(password),
  });
  state.apiKeys.push({
    owner: { tenant: null, username },
    key: apiKey,
    name: "bootstrap",
    role: "admin",
    createdAt: now,
  });
  state.kv.set(SECRET_KEY_ENTRY, encodeHex(randomBytes(SECRET_KEY_SIZE)));
  return { state, pair, apiKey };
}
