/**
 * The key pair of an open vault: a master secret inside, which signs, and certificates outside, which open the vault.
 *
 * @module
 */
import { type Bytes, encodeUtf8 } from "../bytes.ts";
import { hkdf } from "../crypto/hkdf.ts";
import { hmac, type HmacKey, importHmacKey, verifyHmac } from "../crypto/hmac.ts";
import { wipe } from "../crypto/random.ts";
import type { Engine } from "../engine.ts";
import { CERTIFICATE_LABEL, SIGN_LABEL } from "../sealed/labels.ts";
import type { RecordReader } from "../state/records.ts";
import { newKeyPair, putKeyPair, readKeyPair } from "./key_pair_record.ts";

/**
 * Signs data with the vault's master secret, and checks such signatures. Certificates, which are made of the same secret,
 * are key slots: `Slots.add` and `Slots.rotateCertificate`.
 *
 * A signature is an HMAC-SHA256 under a key of its own, so that no data that is signed gives a certificate. Who can check
 * one can make one: this is for a program that wants its own words back unchanged, not for strangers.
 *
 * Every method throws `BusyError` when the lock is not had in time and `VaultClosedError` once the vault is closed.
 *
 * @example
 * ```ts
 * import { MemoryMedium, newKeyFile, Vault } from "@coffer/vault";
 *
 * await using vault = await Vault.create(new MemoryMedium(), { keyFile: newKeyFile() });
 * const order = new TextEncoder().encode("order 17, paid");
 * const signature = await vault.keyPair.sign(order);
 * console.assert(await vault.keyPair.verify(order, signature));
 * ```
 */
export class KeyPair {
  readonly #engine: Engine;

  /** Made by `Vault`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Signs data: 32 bytes. The first signature of a vault draws the master secret, in a commit of its own. */
  async sign(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    await this.#engine.refresh();
    const signing = await signingKey(this.#engine.committed.state) ?? await this.#create();
    return await hmac(signing, data);
  }

  /** Whether a signature is one that this vault made of the data. */
  async verify(data: Uint8Array, signature: Uint8Array): Promise<boolean> {
    await this.#engine.refresh();
    const { state } = this.#engine.committed;
    const signing = await signingKey(state);
    if (signing === undefined) return false;
    if (await verifyHmac(signing, data, signature)) return true;
    return await verifyForeign(state, data, signature);
  }

  async #create(): Promise<HmacKey> {
    return await this.#engine.transact(async (work) => {
      if (readKeyPair(work.records) === undefined) {
        const pair = newKeyPair();
        putKeyPair(work.records, pair);
        wipe(pair.secret);
        work.audit({ operation: "keypair.create" });
      }
      return (await signingKey(work.records))!;
    });
  }
}

async function signingKey(records: RecordReader): Promise<HmacKey | undefined> {
  const pair = readKeyPair(records);
  if (pair === undefined) return undefined;
  const key = await hkdf(pair.secret, new Uint8Array(0), SIGN_LABEL);
  wipe(pair.secret);
  try {
    return await importHmacKey(key);
  } finally {
    wipe(key);
  }
}

/**
 * Signatures that RedDB made with a master secret that came from there: an HMAC under the secret itself. None is ever made
 * here, since the HMAC of a certificate's label is a certificate.
 */
async function verifyForeign(records: RecordReader, data: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const { secret, origin } = readKeyPair(records)!;
  const key: Bytes = secret;
  try {
    if (origin !== "reddb" || startsWith(data, CERTIFICATE_LABEL)) return false;
    return await verifyHmac(await importHmacKey(key), data, signature);
  } finally {
    wipe(key);
  }
}

function startsWith(data: Uint8Array, label: string): boolean {
  const start = encodeUtf8(label);
  return start.every((byte, index) => data[index] === byte);
}
