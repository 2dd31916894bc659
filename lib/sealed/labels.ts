/**
 * Every label that keeps one use of a key apart from another. No two are alike, and none is a prefix of another's use.
 *
 * @module
 */

/** Keys derived from the vault key by HKDF. */
export const KEY_LABELS = {
  data: "coffer/v1/key/data",
  meta: "coffer/v1/key/meta",
  anchor: "coffer/v1/key/anchor",
} as const;

/** Keys derived from a credential by HKDF, by kind of slot. */
export const SLOT_LABELS = {
  passphrase: "coffer/v1/slot/passphrase",
  certificate: "coffer/v1/slot/certificate",
  recovery: "coffer/v1/slot/recovery",
  keyfile: "coffer/v1/slot/keyfile",
} as const;

/** First bytes of the additional data of a wrapped vault key. */
export const WRAP_LABEL = "coffer/v1/wrap";
/** First bytes of the additional data of a segment's chunks. */
export const SEGMENT_LABEL = "coffer/v1/segment";
/** Message, followed by a decimal number, of which a certificate is the HMAC under the master secret. */
export const CERTIFICATE_LABEL = "coffer/v1/certificate/";
/** Key of session tokens, derived from the vault key by HKDF. */
export const SESSION_LABEL = "coffer/v1/key/session";
/** Key of signatures, derived from the master secret by HKDF: so that no signature is ever a certificate. */
export const SIGN_LABEL = "coffer/v1/sign";
/** Keys derived by HKDF from the secret that logins and API keys are kept under. */
export const AUTH_LABELS = {
  apiKey: "coffer/v1/auth/api-key",
  failure: "coffer/v1/auth/failure",
  decoy: "coffer/v1/auth/decoy",
} as const;
