/**
 * The policies of an open vault.
 *
 * @module
 */
import { wipe } from "./crypto/random.ts";
import type { Engine } from "./engine.ts";
import { ConflictError, NoCredentialError } from "./errors.ts";
import { type CredentialOptions, resolveCredential } from "./sealed/credential.ts";
import { unwrapVaultKey } from "./sealed/key_slot.ts";
import type { Slot } from "./sealed/slot.ts";
import {
  checkPolicy,
  lifts,
  overdueSecrets,
  POLICY_NAMES,
  type PolicyName,
  type PolicyValues,
  readPolicies,
  readPolicy,
  writePolicy,
} from "./state/policies.ts";

/** What setting a policy may need. */
export interface SetPolicyOptions {
  /** Exactly one credential that opens the vault: asked for when the change takes a restriction away. */
  readonly credential?: CredentialOptions | undefined;
}

/**
 * The policies: what the vault asks of those who use it.
 *
 * They bind programs that go through this library. Whoever holds a credential can read the vault with a program of his
 * own. Every method throws `BusyError` when the lock is not had in time and `VaultClosedError` once the vault is
 * closed.
 */
export class Policies {
  readonly #engine: Engine;

  /** Made by `Vault`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The value of a policy. @throws {TypeError} when there is no such policy */
  async get<NAME extends PolicyName>(name: NAME): Promise<PolicyValues[NAME]> {
    return (await this.list())[checkPolicyName(name)];
  }

  /** All policies; where nothing was set, what holds then. */
  async list(): Promise<PolicyValues> {
    await this.#engine.refresh();
    return readPolicies(this.#engine.committed.state);
  }

  /**
   * Sets a policy; the log says to what. One that takes a restriction away (`audit-reads` or `require-reason` to false,
   * `plaintext-export` to `allow`) needs a credential once more, so that an open vault that was left alone is not
   * enough.
   *
   * @throws {TypeError} when there is no such policy, or it can not have the value
   * @throws {NoCredentialError} when a restriction would go and no credential is given
   * @throws {WrongCredentialError} when the credential does not open the vault @throws {MalformedCredentialError}
   * @throws {ConflictError} when the policy or the slot changed meanwhile
   * @throws {PolicyError} when the vault's policy asks for a reason and none was given
   */
  async set<NAME extends PolicyName>(
    name: NAME,
    value: PolicyValues[NAME],
    options: SetPolicyOptions = {},
  ): Promise<void> {
    checkPolicy(name, value);
    const before = await this.get(name);
    // Deriving a key takes its time: nobody is kept waiting by the lock meanwhile.
    const proof = lifts(name, before, value) ? await this.#prove(options.credential) : undefined;
    const { generation } = this.#engine.committed;
    await this.#engine.transact((work) => {
      if (lifts(name, readPolicy(work.records, name), value) && !work.slots.some((slot) => sameSlot(slot, proof))) {
        throw new ConflictError(generation.meta.generation, work.generation.meta.generation);
      }
      writePolicy(work.records, name, value);
      work.audit({ operation: "policy.set", name, to: String(value) });
    });
  }

  /** Names of the secrets whose value is older than `max-secret-age` wants, sorted. */
  async overdue(): Promise<string[]> {
    await this.#engine.refresh();
    return overdueSecrets(this.#engine.committed.state, Date.now());
  }

  /** The slot that a credential opens. */
  async #prove(credential: CredentialOptions | undefined): Promise<Slot> {
    if (credential === undefined) {
      throw new NoCredentialError({ hint: "Taking a restriction away needs the credential once more" });
    }
    const resolved = await resolveCredential(credential);
    try {
      await this.#engine.refresh();
      const { meta } = this.#engine.committed.generation;
      const { vaultKey, slot } = await unwrapVaultKey(meta, resolved);
      wipe(vaultKey);
      return meta.slots.find(({ id }) => id === slot)!;
    } finally {
      wipe(resolved.secret);
    }
  }
}

function checkPolicyName<NAME extends PolicyName>(name: NAME): NAME {
  if (!POLICY_NAMES.includes(name)) checkPolicy(name, undefined);
  return name;
}

/** A slot whose passphrase was changed has its number still, but another salt. */
function sameSlot(slot: Slot, proof: Slot | undefined): boolean {
  return proof !== undefined && slot.id === proof.id && slot.salt.toHex() === proof.salt.toHex();
}
