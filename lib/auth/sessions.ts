/**
 * Sessions: tokens that say who is logged in, which are checked without asking anybody (JWT, RFC 7519, under HS256).
 *
 * @module
 */
import type { JWTPayload } from "jose";
import { type Bytes, encodeHex } from "../bytes.ts";
import { wipe } from "../crypto/random.ts";
import type { Engine } from "../engine.ts";
import type { VaultKeys } from "../sealed/keys.ts";
import { DEFAULT_AUDIENCE, isAudience, MAX_AUDIENCE_SIZE } from "./audience.ts";
import { DEFAULT_MAX_AGE, type FreshnessOptions } from "./check_api_key.ts";
import { InvalidSessionError, type SessionProblem, UserDisabledError } from "./errors.ts";
import { deriveSessionKey, MAX_SESSION_LIFETIME, previousSession } from "./session_keys.ts";
import { sessionTag } from "./session_tag.ts";
import { formatUserId, toUserId, userOfKey, type UserRef } from "./user_id.ts";
import { getUser, readUser } from "./user_record.ts";
import { describeUser, type UserInfo } from "./user_reader.ts";

/** How to begin a session. */
export interface NewSessionOptions {
  /** For whom the token is; who checks it says the same. @default {"coffer"} */
  readonly audience?: string | undefined;
  /** How long it counts, in seconds, up to 30 days. @default {3600} */
  readonly lifetime?: number | undefined;
}

/** How to check a token. */
export interface VerifySessionOptions extends FreshnessOptions {
  /** For whom the token must be. @default {"coffer"} */
  readonly audience?: string | undefined;
}

/** Who a token says is logged in, and until when. */
export interface Session {
  /** The user as it is now, not as it was when the token was made. */
  readonly user: UserInfo;
  /** Of the token. */
  readonly issuedAt: Date;
  /** Until when it counts. */
  readonly expiresAt: Date;
}

/** A key that tokens are made and checked with, for those who check them without the vault. */
export interface SessionKey {
  /** Id of the key, which stands in the head of each token: the epoch of the vault's key. */
  readonly kid: string;
  /** Who the tokens say made them: the vault's id, in hex. */
  readonly issuer: string;
  /** 32 secret bytes; the caller wipes them. */
  readonly key: Bytes;
}

/** Seconds for which a session counts, unless another number is given. */
export const DEFAULT_LIFETIME = 3600;
const MAX_TOKEN_SIZE = 4096;
/**
 * Three parts in base64url, the last of 32 bytes with no stray bits at its end: so no other text passes for a token, and
 * a program may know one by its text.
 */
const FORM = /^[\w-]+\.[\w-]+\.[\w-]{42}[AEIMQUYcgkosw048]$/;
/** By so many seconds clocks of machines that share a vault may differ. */
const CLOCK_TOLERANCE = 60;

type Jose = typeof import("jose");

interface KnownKeys {
  /** What they came with: other ones after a rotation. */
  readonly vault: VaultKeys;
  readonly keys: ReadonlyMap<string, CryptoKey>;
  /** Until when, in milliseconds since 1970. */
  readonly until: number;
}

/** The sessions of one open vault. */
export class Sessions {
  readonly #engine: Engine;
  readonly #now: () => number;
  /** The vault's id, in hex. */
  readonly #issuer: string;
  #jose: Jose | undefined;
  #known: KnownKeys | undefined;

  /** Makes and checks tokens of an open vault; `now` gives milliseconds since 1970. */
  constructor(engine: Engine, now: () => number = () => Date.now()) {
    this.#engine = engine;
    this.#now = now;
    this.#issuer = encodeHex(engine.committed.generation.meta.vaultId);
  }

  /** Begins a session: see `Auth.createSession`. */
  async create(
    ref: UserRef,
    { audience = DEFAULT_AUDIENCE, lifetime = DEFAULT_LIFETIME }: NewSessionOptions,
  ): Promise<string> {
    const id = toUserId(ref);
    checkAudience(audience);
    if (!Number.isSafeInteger(lifetime) || lifetime < 1 || lifetime > MAX_SESSION_LIFETIME) {
      throw new RangeError(`A session lives for 1 to ${MAX_SESSION_LIFETIME} seconds, got ${lifetime}`);
    }
    await this.#engine.refresh();
    const { state, generation: { meta } } = this.#engine.committed;
    const user = getUser(state, id);
    if (!user.enabled) throw new UserDisabledError(formatUserId(id));
    const { SignJWT } = await this.#load();
    const begins = Math.floor(this.#now() / 1000);
    const kid = String(meta.epoch);
    return await new SignJWT({ role: user.role, ver: sessionTag(state, user) })
      .setProtectedHeader({ alg: "HS256", typ: "JWT", kid })
      .setIssuer(this.#issuer)
      .setSubject(formatUserId(id))
      .setAudience(audience)
      .setIssuedAt(begins)
      .setExpirationTime(begins + lifetime)
      .sign((await this.#keys()).get(kid)!);
  }

  /** Checks a token: see `Auth.verifySession`. */
  async verify(token: string, options: VerifySessionOptions): Promise<Session> {
    const { audience = DEFAULT_AUDIENCE, maxAge = DEFAULT_MAX_AGE } = options;
    checkAudience(audience);
    if (typeof token !== "string" || token.length > MAX_TOKEN_SIZE || !FORM.test(token)) {
      throw new InvalidSessionError("malformed");
    }
    if (!this.#engine.isLevelWithin(maxAge)) await this.#engine.refresh();
    const keys = this.#knownKeys() ?? await this.#keys();
    const jose = this.#jose ?? await this.#load();
    const now = this.#now();
    const { sub, iat, exp, ver } = await verifyToken(jose, token, keys, this.#issuer, audience, now);
    // A program that has the key may make tokens too, and the library looks at the types of the others only.
    if (typeof sub !== "string") throw new InvalidSessionError("malformed");
    const { state } = this.#engine.committed;
    // Under a right signature it was written here: looking it up as it stands finds a user, or nobody.
    const id = userOfKey(sub.includes("/") ? sub : `/${sub}`);
    const user = readUser(state, id);
    if (user === undefined || !user.enabled || ver !== sessionTag(state, user)) {
      throw new InvalidSessionError("revoked");
    }
    if (iat! > now / 1000 + CLOCK_TOLERANCE) throw new InvalidSessionError("not-yet-valid");
    return { user: describeUser(id, user), issuedAt: new Date(iat! * 1000), expiresAt: new Date(exp! * 1000) };
  }

  /** The key that tokens are made with now: see `Auth.exportSessionKey`. */
  async exportKey(): Promise<SessionKey> {
    await this.#engine.refresh();
    const { meta: { vaultId, epoch } } = this.#engine.committed.generation;
    const key = await this.#engine.withVaultKey((vaultKey) => deriveSessionKey(vaultKey, vaultId));
    return { kid: String(epoch), issuer: this.#issuer, key };
  }

  /** The keys that count, by id, while they are known. */
  #knownKeys(): ReadonlyMap<string, CryptoKey> | undefined {
    return this.#known?.vault === this.#engine.keys && this.#now() < this.#known.until ? this.#known.keys : undefined;
  }

  async #load(): Promise<Jose> {
    return this.#jose ??= await import("jose");
  }

  async #keys(): Promise<ReadonlyMap<string, CryptoKey>> {
    const known = this.#knownKeys();
    if (known !== undefined) return known;
    const { state, generation: { meta: { vaultId, epoch } } } = this.#engine.committed;
    const now = this.#now();
    const vault = this.#engine.keys;
    const raw = await this.#engine.withVaultKey((vaultKey) => deriveSessionKey(vaultKey, vaultId));
    const previous = previousSession(state, now);
    const keys = new Map([[String(epoch), await importKey(raw)]]);
    if (previous !== undefined && previous.epoch !== epoch) {
      keys.set(String(previous.epoch), await importKey(previous.key));
    }
    this.#known = { vault, keys, until: previous?.until ?? Infinity };
    return keys;
  }
}

/** What a token says, once its key, form, times, issuer and audience were found right. */
async function verifyToken(
  { jwtVerify }: Jose,
  token: string,
  keys: ReadonlyMap<string, CryptoKey>,
  issuer: string,
  audience: string,
  now: number,
): Promise<JWTPayload> {
  const find = ({ kid }: { kid?: string }) => {
    const key = keys.get(kid ?? "");
    if (key === undefined) throw new InvalidSessionError("signature");
    return key;
  };
  try {
    const { payload } = await jwtVerify(token, find, {
      algorithms: ["HS256"],
      typ: "JWT",
      issuer,
      audience,
      currentDate: new Date(now),
      requiredClaims: ["sub", "iat", "exp"],
    });
    return payload;
  } catch (error) {
    if (error instanceof InvalidSessionError) throw error;
    // The library's error is no cause: it holds what the token says.
    throw new InvalidSessionError(problemOf(error));
  }
}

function problemOf(error: unknown): SessionProblem {
  const { code, claim } = error as { code?: string; claim?: string };
  switch (code) {
    case "ERR_JWS_SIGNATURE_VERIFICATION_FAILED":
      return "signature";
    case "ERR_JWT_EXPIRED":
      return "expired";
    case "ERR_JWT_CLAIM_VALIDATION_FAILED":
      return claim === "nbf" ? "not-yet-valid" : claim === "aud" ? "audience" : "malformed";
    default:
      if (code?.startsWith("ERR_J")) return "malformed";
      throw error;
  }
}

function checkAudience(audience: string): void {
  if (!isAudience(audience)) throw new RangeError(`An audience has 1 to ${MAX_AUDIENCE_SIZE} characters`);
}

async function importKey(raw: Bytes): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  } finally {
    wipe(raw);
  }
}
