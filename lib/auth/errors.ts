/**
 * The errors of users, passwords and logins; their codes stand in the one table, {@linkcode ERROR_TABLE}.
 *
 * @module
 */
import { CofferError, type CofferErrorOptions } from "../errors.ts";

// ---- Passwords and their verifiers ----

/** Texts and records that hold a verifier of a password. */
export type VerifierFormat = "phc" | "scram" | "postgres" | "reddb";

const FORMATS: Readonly<Record<VerifierFormat, string>> = {
  phc: "PHC string of Argon2id",
  scram: "SCRAM verifier",
  postgres: "SCRAM verifier of PostgreSQL",
  reddb: "SCRAM verifier of RedDB",
};

/** Thrown when the verifier of a password is not of its form. The text itself stays out: it can be attacked offline. */
export class MalformedVerifierError extends CofferError {
  /** Names the format, and the rule that was broken. */
  constructor(readonly format: VerifierFormat, rule: string, options: CofferErrorOptions = {}) {
    super("malformed-verifier", `Malformed ${FORMATS[format]}: ${rule}`, options);
  }
}

/** Thrown when a verifier costs too little to protect a password, or more than any honest one, before any work. */
export class WeakPasswordParametersError extends CofferError {
  /** Says what was asked for, and which bound it misses. */
  constructor(what: string, options: CofferErrorOptions = {}) {
    super("weak-password-parameters", `Refused password parameters: ${what}`, options);
  }
}

/** Thrown when a text cannot be a password: it is empty, too long, or no valid Unicode. */
export class InvalidPasswordError extends CofferError {
  /** Says which rule was broken, never what came. */
  constructor(rule: string, options: CofferErrorOptions = {}) {
    super("invalid-password", `Invalid password: ${rule}`, options);
  }
}

// ---- The exchange of SCRAM ----

/**
 * Why a message was refused. `size`: longer than 4096 bytes. `encoding`: no UTF-8. `syntax`: not of the form that
 * RFC 5802, section 7 gives it. `extension`: it asks for a mandatory extension, of which there are none.
 * `channel-binding`: it asks for a binding, or repeats another header than it began with. `user-name`: a wrong escape, or
 * characters that no name may hold. `authorization`: it would act for someone else. `nonce`: the client's is too short,
 * too long or not printable, or it is not the one of this exchange. `order`: the exchange is not at this message.
 */
export type ScramReason =
  | "size"
  | "encoding"
  | "syntax"
  | "extension"
  | "channel-binding"
  | "user-name"
  | "authorization"
  | "nonce"
  | "order";

const REASONS: Readonly<Record<ScramReason, readonly [message: string, serverError: string]>> = {
  "size": ["it is longer than 4096 bytes", "other-error"],
  "encoding": ["it is not UTF-8", "invalid-encoding"],
  "syntax": ["it is not of its form", "other-error"],
  "extension": ["it asks for an extension that there is none of", "extensions-not-supported"],
  "channel-binding": ["its channel binding is not the one of this exchange", "channel-bindings-dont-match"],
  "user-name": ["its user name is not of its form", "invalid-username-encoding"],
  "authorization": ["it would act for another user", "other-error"],
  "nonce": ["its nonce is not one for this exchange", "other-error"],
  "order": ["the exchange is not at this message", "other-error"],
};

/** Thrown when a client's message breaks the protocol. The exchange is over; whether the user exists played no part. */
export class ScramProtocolError extends CofferError {
  /** Gives the reason in one word. */
  constructor(readonly reason: ScramReason, options: CofferErrorOptions = {}) {
    super("scram-protocol", `Refused a SCRAM message: ${REASONS[reason][0]}`, options);
  }

  /** What a server may send as its last message, such as `e=invalid-encoding` (RFC 5802, section 7). */
  get serverFinal(): string {
    return `e=${REASONS[this.reason][1]}`;
  }
}
