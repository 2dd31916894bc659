/**
 * The master secret of a vault as a record (`docs/format.md`, section 12).
 *
 * @module
 */
import { type Bytes, decodeBase64, encodeBase64 } from "../bytes.ts";
import { randomBytes } from "../crypto/random.ts";
import { CorruptVaultError } from "../errors.ts";
import type { RecordReader, RecordWriter } from "../state/records.ts";

/** Where the master secret is, of which certificates and signatures are made. */
export const MASTER = { kind: "keypair", key: "master" } as const;

const MASTER_SIZE = 32;

/** What a vault keeps of its key pair. */
export interface StoredKeyPair {
  /** 32 random bytes; the caller wipes them. */
  readonly secret: Bytes;
  /** How many certificates were made of it. */
  readonly certificates: number;
  /** Where the secret came from, when it was not drawn here. */
  readonly origin?: "reddb";
}

/** The key pair of a vault; undefined before it was first needed. @throws {CorruptVaultError} */
export function readKeyPair(records: RecordReader): StoredKeyPair | undefined {
  const json = records.get(MASTER.kind, MASTER.key);
  if (json === undefined) return undefined;
  try {
    const { secret, certificates, origin } = JSON.parse(json);
    const bytes = decodeBase64(secret);
    if (!Number.isSafeInteger(certificates) || certificates < 0 || bytes.length !== MASTER_SIZE) throw new RangeError();
    return { secret: bytes, certificates, ...(origin === "reddb" ? { origin } : {}) };
  } catch {
    throw new CorruptVaultError("the record of the master secret is not of its form");
  }
}

/** A fresh key pair, without a certificate so far. */
export function newKeyPair(): StoredKeyPair {
  return { secret: randomBytes(MASTER_SIZE), certificates: 0 };
}

/** Writes a key pair. */
export function putKeyPair(records: RecordWriter, { secret, certificates, origin }: StoredKeyPair): void {
  records.put(MASTER.kind, MASTER.key, JSON.stringify({ secret: encodeBase64(secret), certificates, origin }));
}
