/**
 * Credentials that are wanted twice and can be read once: from stdin, or from a person.
 *
 * @module
 */
import { type CredentialOptions, provided } from "./credential.ts";

/** The same credentials, each read or asked for once, when it is first wanted. */
export function remembered(options: CredentialOptions): CredentialOptions {
  const { passphrase, keyFile, recoveryCode, certificate } = options;
  return {
    ...(passphrase === undefined ? {} : { passphrase: once(() => provided(passphrase)) }),
    ...(recoveryCode === undefined ? {} : { recoveryCode: once(() => provided(recoveryCode)) }),
    ...(certificate === undefined ? {} : { certificate: once(() => provided(certificate)) }),
    ...(keyFile === undefined ? {} : { keyFile: onceBytes(() => provided(keyFile)) }),
  };
}

function once<T>(get: () => Promise<T>): () => Promise<T> {
  let got: Promise<T> | undefined;
  return () => got ??= get();
}

/** Whoever gets bytes may wipe them: each gets their own. */
function onceBytes(get: () => Promise<Uint8Array>): () => Promise<Uint8Array> {
  const first = once(get);
  return async () => new Uint8Array(await first());
}
