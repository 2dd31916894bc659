/**
 * A client of SCRAM-SHA-256 that says exactly what a test wants it to say; made of `node:crypto` alone, so that it shares
 * nothing with what it is held against.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** What a client says at the end, and what it expects to hear. */
export interface ClientAnswer {
  readonly clientFinal: string;
  readonly withoutProof: string;
  readonly serverFinal: string;
}

/** What may differ from an honest client. */
export interface ClientOptions {
  /** @default {"n,,"} */
  readonly gs2Header?: string;
  /** What is sent as `c=`. @default {the base64 of gs2Header} */
  readonly channelBinding?: string;
  /** What is sent as `r=`. @default {the server's} */
  readonly nonce?: string;
  /** Stands between nonce and proof, with its comma. */
  readonly extensions?: string;
}

/** Answers a server's first message as one who knows the password. The password is taken as it is. */
export function answer(bare: string, serverFirst: string, password: string, options: ClientOptions = {}): ClientAnswer {
  const fields = Object.fromEntries(serverFirst.split(",").map((field) => [field[0]!, field.slice(2)]));
  const gs2Header = options.gs2Header ?? "n,,";
  const channelBinding = options.channelBinding ?? Buffer.from(gs2Header).toString("base64");
  const withoutProof = `c=${channelBinding},r=${options.nonce ?? fields.r}${options.extensions ?? ""}`;
  const signed = `${bare},${serverFirst},${withoutProof}`;

  const salted = pbkdf2Sync(password, Buffer.from(fields.s!, "base64"), Number(fields.i), 32, "sha256");
  const sign = (key: Uint8Array, text: string) => createHmac("sha256", key).update(text).digest();
  const clientKey = sign(salted, "Client Key");
  const signature = sign(createHash("sha256").update(clientKey).digest(), signed);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!));
  return {
    clientFinal: `${withoutProof},p=${proof.toString("base64")}`,
    withoutProof,
    serverFinal: `v=${sign(sign(salted, "Server Key"), signed).toString("base64")}`,
  };
}
