/**
 * Slowing down those who guess passwords of users.
 *
 * Failures count per name, whether or not there is such a user, and per source, where the caller tells it. They are
 * gathered in memory and committed in batches. What is written is a hash of the name: who mistakes the fields types a
 * password as a name.
 *
 * @module
 */
import { encodeHex, encodeUtf8 } from "../bytes.ts";
import { hmac, type HmacKey, importHmacKey } from "../crypto/hmac.ts";
import { randomBytes } from "../crypto/random.ts";
import type { Engine, Work } from "../engine.ts";
import { type CofferError, TooManyAttemptsError } from "../errors.ts";
import { retryAfter } from "../sealed/attempts.ts";
import type { RecordReader } from "../state/records.ts";
import { DelayedWrite } from "./delayed_write.ts";
import { WrongLoginError } from "./errors.ts";
import { changeFailures, decodeFailures, type FailureChange, type Failures, isForgotten } from "./failures.ts";
import { authKeys } from "./secret.ts";
import { formatUserId, type UserId, userKey } from "./user_id.ts";
import { readUser } from "./user_record.ts";

/** Kind of the records that hold failed logins, by hash of a name or a source. */
export const LOGIN_FAILURES = "login-failures";

/** Longest source, in bytes of UTF-8. */
export const MAX_SOURCE_SIZE = 256;
/** Failures are written down so long after the first one, in milliseconds. */
const WRITE_DELAY = 1000;
const MOST_PENDING = 256;
/** So many records are kept at the most; the ones that are oldest go first. */
const MOST_RECORDS = 10_000;
const HASH_DIGITS = 32;
const MARK_SIZE = 8;

/** One try to log in. */
export interface LoginTry {
  /** It failed: gives the error that tells so. */
  failed(): CofferError;
  /** It succeeded. @throws {TooManyAttemptsError} when others have failed meanwhile so often that there is a wait */
  succeeded(): void;
}

/** The limits of one open vault. */
export class LoginLimits {
  readonly #engine: Engine;
  readonly #now: () => number;
  #pending = new Map<string, FailureChange[]>();
  /** What is being committed, and the mark that records get by it. */
  #committing: { readonly batch: string; readonly changes: ReadonlyMap<string, FailureChange[]> } | undefined;
  /** Failures that the log does not tell of yet, by user; those under names that are none are together. */
  readonly #unlogged = new Map<string | undefined, number>();
  readonly #later: DelayedWrite;
  #temporary: Promise<HmacKey> | undefined;

  /** Limits logins to an open vault; `now` gives milliseconds since 1970. */
  constructor(engine: Engine, now: () => number = () => Date.now()) {
    this.#engine = engine;
    this.#now = now;
    this.#later = new DelayedWrite(engine, () => this.#commit(), {
      delay: WRITE_DELAY,
      most: MOST_PENDING,
      what: "write down failed logins",
    });
  }

  /**
   * Asks whether a login may be tried. The caller has caught up with the medium.
   *
   * @throws {TooManyAttemptsError} when there is a wait
   */
  async begin(user: UserId, source?: string): Promise<LoginTry> {
    const key = await this.#key();
    const name = await hashOf(key, `user:${userKey(user)}`);
    const from = source === undefined ? undefined : await hashOf(key, `source:${source}`);
    this.#assertMayTry(name, from);
    return {
      failed: () => {
        const wait = this.#waitOf(name, from);
        const time = this.#now();
        this.#change(name, { kind: "failed", time });
        if (from !== undefined) this.#change(from, { kind: "failed", time, name });
        this.#noteForLog(user);
        this.#later.add();
        // Of tries begun at once, those that end while there is a wait are answered by it, right or wrong.
        return wait > 0 ? new TooManyAttemptsError(wait, { what: "log in" }) : new WrongLoginError();
      },
      succeeded: () => {
        this.#assertMayTry(name, from);
        const forgiven = [name, from].filter((hash) => hash !== undefined && this.#failures(hash) !== undefined);
        if (forgiven.length === 0) return;
        this.#change(name, { kind: "succeeded" });
        if (from !== undefined) this.#change(from, { kind: "succeeded", name });
        this.#later.add();
      },
    };
  }

  #assertMayTry(name: string, from: string | undefined): void {
    const wait = this.#waitOf(name, from);
    if (wait > 0) throw new TooManyAttemptsError(wait, { what: "log in" });
  }

  #waitOf(name: string, from: string | undefined): number {
    return Math.max(this.#wait(name), from === undefined ? 0 : this.#wait(from));
  }

  #wait(hash: string): number {
    const now = this.#now();
    const failures = this.#failures(hash);
    if (failures === undefined || isForgotten(failures, now)) return 0;
    const wait = retryAfter({ failures: failures.count, last: failures.last }, now);
    if (wait > 0 && failures.last > now) {
      this.#change(hash, { kind: "settled", time: now });
      this.#later.add();
    }
    return wait;
  }

  /** What was committed, with what was not yet. */
  #failures(hash: string): Failures | undefined {
    const stored = readFailures(this.#engine.committed.state, hash);
    const { batch, changes } = this.#committing ?? {};
    const committed = batch !== undefined && stored?.batch !== batch ? apply(stored, changes?.get(hash)) : stored;
    return apply(committed, this.#pending.get(hash));
  }

  #change(hash: string, change: FailureChange): void {
    const pending = this.#pending.get(hash);
    if (pending === undefined) this.#pending.set(hash, [change]);
    else pending.push(change);
  }

  #noteForLog(user: UserId): void {
    const known = readUser(this.#engine.committed.state, user) !== undefined;
    const name = known ? formatUserId(user) : undefined;
    this.#unlogged.set(name, (this.#unlogged.get(name) ?? 0) + 1);
  }

  /** Writes down what is pending; a backup is not written to. */
  async #commit(): Promise<void> {
    const batch = encodeHex(randomBytes(MARK_SIZE));
    const changes = this.#pending;
    const unlogged = new Map(this.#unlogged);
    this.#committing = { batch, changes };
    this.#pending = new Map();
    this.#unlogged.clear();
    try {
      const { backup } = this.#engine.committed.generation.meta;
      if (!backup) await this.#engine.transact((work) => this.#write(work, batch, changes, unlogged));
      // A backup is not written to: what failed counts for this process, as far as it has room for it.
      else if (changes.size < MOST_RECORDS) this.#pending = changes;
    } catch (error) {
      // All of it is still to be written: before what came in the meantime.
      for (const [hash, added] of this.#pending) changes.set(hash, [...(changes.get(hash) ?? []), ...added]);
      for (const [name, count] of unlogged) this.#unlogged.set(name, (this.#unlogged.get(name) ?? 0) + count);
      this.#pending = changes;
      throw error;
    } finally {
      this.#committing = undefined;
    }
  }

  #write(
    { records, audit }: Pick<Work, "records" | "audit">,
    batch: string,
    all: ReadonlyMap<string, readonly FailureChange[]>,
    unlogged: ReadonlyMap<string | undefined, number>,
  ): void {
    for (const [hash, changes] of all) {
      const failures = apply(readFailures(records, hash), changes);
      if (failures === undefined) records.remove(LOGIN_FAILURES, hash);
      else records.put(LOGIN_FAILURES, hash, JSON.stringify({ ...failures, batch }));
    }
    for (const hash of surplus(records, this.#now())) records.remove(LOGIN_FAILURES, hash);
    for (const [name, count] of unlogged) {
      audit({ operation: "login.failed", ...(name === undefined ? {} : { name }), count });
    }
    // Noted as what it is: without a note the commit would count as somebody's change, which a reason may be asked for.
    if (unlogged.size === 0) audit({ operation: "login.forgiven", count: all.size });
  }

  /** A vault in which there never was a user has no key to hash names with; what fails there is told apart in memory. */
  async #key(): Promise<HmacKey> {
    const keys = await authKeys(this.#engine, this.#engine.committed.state);
    return keys?.failure ?? await (this.#temporary ??= importHmacKey(randomBytes(32)));
  }
}

function readFailures(records: RecordReader, hash: string): Failures | undefined {
  const json = records.get(LOGIN_FAILURES, hash);
  return json === undefined ? undefined : decodeFailures(json);
}

function apply(failures: Failures | undefined, changes: readonly FailureChange[] = []): Failures | undefined {
  return changes.reduce(changeFailures, failures);
}

/** What may go, so that guessing does not fill the vault: everything old once there is too much, then the oldest. */
function surplus(records: RecordReader, now: number): string[] {
  const hashes = [...records.keys(LOGIN_FAILURES)];
  if (hashes.length <= MOST_RECORDS) return [];
  const all = hashes.map((hash) => ({ hash, failures: readFailures(records, hash)! }));
  const kept = all.filter(({ failures }) => !isForgotten(failures, now));
  // Those with the shortest history lose least by being forgotten.
  kept.sort((a, b) => b.failures.count - a.failures.count || b.failures.last - a.failures.last);
  const stay = new Set(kept.slice(0, MOST_RECORDS / 2).map(({ hash }) => hash));
  return hashes.filter((hash) => !stay.has(hash));
}

async function hashOf(key: HmacKey, text: string): Promise<string> {
  return encodeHex(await hmac(key, encodeUtf8(text))).slice(0, HASH_DIGITS);
}
