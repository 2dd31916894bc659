/**
 * Checking API keys, by the thousand a second.
 *
 * @module
 */
import { encodeHex, encodeUtf8 } from "../bytes.ts";
import { hmac } from "../crypto/hmac.ts";
import type { Engine } from "../engine.ts";
import { API_KEY_PREFIX, isApiKey } from "./api_key.ts";
import { API_KEY, API_KEY_USED, decodeApiKey, ID_DIGITS, lastUsed } from "./api_key_record.ts";
import { DelayedWrite } from "./delayed_write.ts";
import { InvalidApiKeyError } from "./errors.ts";
import { lesserRole, type Role } from "./role.ts";
import { authKeys } from "./secret.ts";
import { MAX_API_KEY_SIZE } from "./transaction_api_keys.ts";
import { formatUserId, type UserId, userOfKey } from "./user_id.ts";
import { readUser } from "./user_record.ts";

/** Who sends a request with an API key, and what it may do. */
export interface ApiKeyHolder extends UserId {
  /** Id of the key. */
  readonly id: string;
  /** Whose key it is, as `tenant/name`. */
  readonly user: string;
  /** What the request may do: the lesser of the key's and its owner's role. */
  readonly role: Role;
}

/** How new what a check stands on has to be. */
export interface FreshnessOptions {
  /**
   * How far behind other processes' changes a check may be, in milliseconds; changes of this process count at once.
   *
   * @default {1000}
   */
  readonly maxAge?: number | undefined;
}

/** How far behind other processes a check may be, in milliseconds. */
export const DEFAULT_MAX_AGE = 1000;
/** Uses are written down so long after the first one, in milliseconds, and not more exactly than that. */
const USE_DELAY = 60_000;
const MOST_USES = 10_000;

/** Checks the API keys of one open vault, and keeps in mind when they were used. */
export class ApiKeyChecker {
  readonly #engine: Engine;
  readonly #used = new Map<string, number>();
  readonly #uses: DelayedWrite;

  /** Checks the keys of an open vault. */
  constructor(engine: Engine) {
    this.#engine = engine;
    this.#uses = new DelayedWrite(engine, () => this.#writeUses(), {
      delay: USE_DELAY,
      most: MOST_USES,
      what: "write down when API keys were used",
    });
  }

  /** @throws {InvalidApiKeyError} */
  async check(key: string, { maxAge = DEFAULT_MAX_AGE }: FreshnessOptions = {}): Promise<ApiKeyHolder> {
    if (typeof key !== "string" || key === "" || key.length > MAX_API_KEY_SIZE) {
      throw new InvalidApiKeyError("malformed");
    }
    if (key.startsWith(API_KEY_PREFIX) && !isApiKey(key)) throw new InvalidApiKeyError("malformed");
    if (!this.#engine.isLevelWithin(maxAge)) await this.#engine.refresh();
    const { state } = this.#engine.committed;
    const keys = await authKeys(this.#engine, state);
    if (keys === undefined) throw new InvalidApiKeyError("refused");
    const hash = encodeHex(await hmac(keys.apiKey, encodeUtf8(key)));
    const json = state.get(API_KEY, hash);
    if (json === undefined) throw new InvalidApiKeyError("refused");
    const stored = decodeApiKey(json);
    const now = Date.now();
    const owner = userOfKey(stored.owner);
    const user = readUser(state, owner);
    if (user === undefined || !user.enabled || (stored.expires ?? Infinity) <= now) {
      throw new InvalidApiKeyError("refused");
    }
    if (!this.#used.has(hash)) this.#uses.add();
    this.#used.set(hash, now);
    return {
      ...owner,
      id: hash.slice(0, ID_DIGITS),
      user: formatUserId(owner),
      role: lesserRole(stored.role, user.role),
    };
  }

  /** Writes down when keys were used, where that is news; a backup is not written to. */
  async #writeUses(): Promise<void> {
    const uses = [...this.#used];
    if (this.#engine.committed.generation.meta.backup) return this.#used.clear();
    await this.#engine.transact(({ records, audit }) => {
      let count = 0;
      for (const [hash, time] of uses) {
        if (records.get(API_KEY, hash) === undefined) continue;
        if (time - (lastUsed(records, hash) ?? 0) < USE_DELAY) continue;
        records.put(API_KEY_USED, hash, String(time));
        count++;
      }
      if (count > 0) audit({ operation: "apikey.used", count });
    });
    for (const [hash, time] of uses) if (this.#used.get(hash) === time) this.#used.delete(hash);
  }
}
