/**
 * The master secret of a RedDB vault, and the certificate that comes from it.
 *
 * The secret lives inside the vault. The certificate is what the operator keeps: it opens the vault, and the secret
 * cannot be computed from it.
 *
 * @module
 */
import { type Bytes, encodeHex, encodeUtf8 } from "../bytes.ts";
import { hmac, type HmacKey, importHmacKey, verifyHmac } from "../crypto/hmac.ts";
import { randomBytes } from "../crypto/random.ts";

/** Size of a master secret, in bytes. */
export const MASTER_SECRET_SIZE = 32;
/** Size of a certificate, in bytes. */
export const CERTIFICATE_SIZE = 32;

const CERTIFICATE_LABEL = encodeUtf8("reddb-certificate-v1");

/** A master secret with its certificate. */
export class KeyPair {
  /** 32 secret bytes; whoever has them can sign, and make the certificate. */
  readonly masterSecret: Bytes;
  /** 32 bytes that open the vault. */
  readonly certificate: Bytes;
  readonly #key: HmacKey;

  private constructor(masterSecret: Bytes, certificate: Bytes, key: HmacKey) {
    this.masterSecret = masterSecret;
    this.certificate = certificate;
    this.#key = key;
  }

  /** A pair with a fresh random master secret. */
  static async generate(): Promise<KeyPair> {
    return await KeyPair.fromMasterSecret(randomBytes(MASTER_SECRET_SIZE));
  }

  /**
   * The pair of a master secret, which is copied.
   *
   * @throws {RangeError} when it has not 32 bytes
   */
  static async fromMasterSecret(secret: Uint8Array): Promise<KeyPair> {
    if (secret.length !== MASTER_SECRET_SIZE) {
      throw new RangeError(`A master secret has ${MASTER_SECRET_SIZE} bytes, got ${secret.length}`);
    }
    const copy = new Uint8Array(secret);
    const key = await importHmacKey(copy);
    return new KeyPair(copy, await hmac(key, CERTIFICATE_LABEL), key);
  }

  /** The certificate as 64 hex digits, which is how it is shown and typed. */
  get certificateHex(): string {
    return encodeHex(this.certificate);
  }

  /** HMAC-SHA256 of the data under the master secret. */
  async sign(data: Uint8Array): Promise<Bytes> {
    return await hmac(this.#key, data);
  }

  /** Whether a signature belongs to the data; compared in constant time. */
  async verify(data: Uint8Array, signature: Uint8Array): Promise<boolean> {
    return await verifyHmac(this.#key, data, signature);
  }
}
