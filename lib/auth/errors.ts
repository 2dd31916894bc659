/**
 * Errors of users, API keys, logins and sessions. Their codes stand in the one table, in `lib/errors.ts`.
 *
 * @module
 */
import { CofferError, type CofferErrorOptions } from "../errors.ts";

// ---- Users ----

/** Thrown when a text cannot be the name of a user or a tenant. */
export class InvalidUserNameError extends CofferError {
  /** Says which of the two, and why not; never the text. */
  constructor(readonly part: "name" | "tenant", why: string, options: CofferErrorOptions = {}) {
    const what = part === "name" ? "name of a user" : "name of a tenant";
    super("invalid-user-name", `This is no ${what}: ${why}`, options);
  }
}

/** Thrown when there is no such user. */
export class UserNotFoundError extends CofferError {
  /** Names the user, as `tenant/name`. */
  constructor(readonly user: string, options: CofferErrorOptions = {}) {
    super("user-not-found", `No user "${user}"`, options);
  }
}

/** Thrown when a tenant is named that has no user. */
export class TenantNotFoundError extends CofferError {
  /** Names the tenant. */
  constructor(readonly tenant: string, options: CofferErrorOptions = {}) {
    super("tenant-not-found", `No tenant "${tenant}"`, options);
  }
}

/** Thrown when a user would be created that is there already. */
export class UserExistsError extends CofferError {
  /** Names the user, as `tenant/name`. */
  constructor(readonly user: string, options: CofferErrorOptions = {}) {
    super("user-exists", `There is a user "${user}" already`, options);
  }
}

/** Thrown when a user has no verifier for SCRAM. */
export class VerifierNotFoundError extends CofferError {
  /** Names the user. */
  constructor(readonly user: string, options: CofferErrorOptions = {}) {
    super("verifier-not-found", `"${user}" has no SCRAM verifier`, options);
  }
}

/** Thrown when a change would leave the platform without an admin who can log in. */
export class LastAdminError extends CofferError {
  /** Names the user. */
  constructor(readonly user: string, options: CofferErrorOptions = {}) {
    super("last-admin", `"${user}" is the last enabled admin of the platform`, options);
  }
}

/** Thrown when a vault is bootstrapped a second time. */
export class AlreadyBootstrappedError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("already-bootstrapped", "The vault was bootstrapped before", options);
  }
}

// ---- Logging in ----

/** Thrown when a login fails: a wrong password, no such user, a user who is disabled. It does not say which. */
export class WrongLoginError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("wrong-login", "The name or the password is wrong", options);
  }
}

/** Thrown when a session would begin for a user who is disabled. */
export class UserDisabledError extends CofferError {
  /** Names the user. */
  constructor(readonly user: string, options: CofferErrorOptions = {}) {
    super("user-disabled", `"${user}" is disabled`, options);
  }
}

/** Why a session token is refused. */
export type SessionProblem =
  /** It is no token of the form that a vault makes. */
  | "malformed"
  /** It was not made with this vault's key, or was changed. */
  | "signature"
  /** Its time is over. */
  | "expired"
  /** Its time has not come. */
  | "not-yet-valid"
  /** It is for somebody else. */
  | "audience"
  /** It was revoked, or its user was disabled or removed. */
  | "revoked";

const SESSION_PROBLEMS: Readonly<Record<SessionProblem, string>> = {
  malformed: "it is not of the form of one",
  signature: "it was not made by this vault, or by a key that is gone",
  expired: "its time is over",
  "not-yet-valid": "its time has not come yet",
  audience: "it was made for another audience",
  revoked: "it was revoked",
};

/** Thrown when a session token does not count. */
export class InvalidSessionError extends CofferError {
  /** Says why, never the token. */
  constructor(readonly problem: SessionProblem, options: CofferErrorOptions = {}) {
    super("invalid-session", `The session token does not count: ${SESSION_PROBLEMS[problem]}`, options);
  }
}

// ---- Signatures ----

/** Thrown when a signature is not one that the vault made of the data. */
export class SignatureMismatchError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("wrong-signature", "The signature is not one that this vault made of the data", options);
  }
}

// ---- API keys ----

/** Thrown when an API key would get a role that its owner does not have. */
export class RoleAboveOwnerError extends CofferError {
  /** Names the role and the owner. */
  constructor(readonly role: string, readonly owner: string, options: CofferErrorOptions = {}) {
    super(
      "role-above-owner",
      `A key of "${owner}" cannot have the role ${role}, which its owner does not have`,
      options,
    );
  }
}

/** Thrown when there is no API key of an id. */
export class ApiKeyNotFoundError extends CofferError {
  /** Names the id. */
  constructor(readonly id: string, options: CofferErrorOptions = {}) {
    super("api-key-not-found", `No API key "${id}"`, options);
  }
}

/** Thrown when an API key of another system is taken over that is there already. */
export class ApiKeyExistsError extends CofferError {
  /** Names the id of the one that is there. */
  constructor(readonly id: string, options: CofferErrorOptions = {}) {
    super("api-key-exists", `The key is there already, as "${id}"`, options);
  }
}

/** Thrown when an API key does not count. */
export class InvalidApiKeyError extends CofferError {
  /** Says whether its text can be no key, as after a typing error, or no such key is in force; never the key. */
  constructor(readonly problem: "malformed" | "refused", options: CofferErrorOptions = {}) {
    const why = problem === "malformed" ? "its text is not that of a key" : "no such key is in force";
    super("invalid-api-key", `The API key does not count: ${why}`, options);
  }
}

// ---- Taking over from another system ----

/** A record of another system that cannot be taken over. */
export interface RefusedRecord {
  /** What it is. */
  readonly what: "secret" | "user" | "api-key" | "certificate";
  /** Which of its kind, in the order of the file, from 1. Names may be what is wrong, so they are not repeated. */
  readonly position: number;
  /** Why not. */
  readonly why: string;
}

const MOST_SHOWN = 10;

/** Thrown when records cannot be taken over, and it was not said to leave them out. Nothing was changed. */
export class ImportRefusedError extends CofferError {
  /** Says which, by their positions, and why. */
  constructor(readonly refused: readonly RefusedRecord[], options: CofferErrorOptions = {}) {
    const shown = refused.slice(0, MOST_SHOWN).map(formatRefused).join("; ");
    const more = refused.length > MOST_SHOWN ? `; and ${refused.length - MOST_SHOWN} more` : "";
    super("import-refused", `Cannot take over all records: ${shown}${more}`, options);
  }
}

/** A refused record in words. */
export function formatRefused({ what, position, why }: RefusedRecord): string {
  return what === "certificate"
    ? `the certificate, ${why}`
    : `${what === "api-key" ? "API key" : what} ${position}, ${why}`;
}

/** Thrown when a master secret would be taken over and the vault has another. */
export class KeyPairExistsError extends CofferError {
  /** Takes no facts. */
  constructor(options: CofferErrorOptions = {}) {
    super("key-pair-exists", "The vault has a master secret already, and another one", options);
  }
}

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
