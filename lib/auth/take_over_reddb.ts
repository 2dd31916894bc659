/**
 * Writing what was judged of a RedDB vault into a vault, within one transaction.
 *
 * @module
 */
import { encodeHex, encodeUtf8, equalBytes } from "../bytes.ts";
import { constantTimeEqual } from "../crypto/constant_time.ts";
import { hmac } from "../crypto/hmac.ts";
import { wipe } from "../crypto/random.ts";
import type { Engine, Work } from "../engine.ts";
import { type CofferError, type CofferErrorOptions, SecretExistsError } from "../errors.ts";
import { KeyPair as RedDbKeyPair } from "../reddb/key_pair.ts";
import { TransactionSecrets } from "../secrets.ts";
import { adoptCertificate } from "../slots.ts";
import { readValue } from "../state/secret.ts";
import { API_KEY, decodeApiKey, ID_DIGITS, type StoredApiKey } from "./api_key_record.ts";
import { isBootstrapped, markBootstrapped } from "./bootstrap.ts";
import { ApiKeyExistsError, KeyPairExistsError, LastAdminError, UserExistsError } from "./errors.ts";
import type {
  RedDbImportedKey,
  RedDbImportNotice,
  RedDbImportOptions,
  RedDbImportOutcome,
  RedDbImportPart,
  RedDbImportReport,
} from "./import_reddb.ts";
import type { JudgedApiKey, JudgedSecret, JudgedState, JudgedUser } from "./judge_reddb.ts";
import { putKeyPair, readKeyPair } from "./key_pair_record.ts";
import { authKeys, ensureAuthSecret } from "./secret.ts";
import { newSessionTag } from "./session_tag.ts";
import { isPlatformAdmin } from "./transaction_users.ts";
import { formatUserId, userKey, userOfKey } from "./user_id.ts";
import { putUser, readUser, type StoredUser, USER } from "./user_record.ts";

type Outcome = keyof RedDbImportOutcome<never>;

/** Label of the slot that RedDB's certificate opens. */
const CERTIFICATE_SLOT = "reddb";
const HINT = "Nothing was changed; --on-conflict skip or overwrite says what to do with what is there already";

/** Undoes a transaction that was only to find out what would happen. */
class DryRun extends Error {
  constructor(readonly report: RedDbImportReport) {
    super("Nothing was to be done");
  }
}

/** Takes all over in one transaction: see `importRedDbState`. */
export async function takeOver(
  engine: Engine,
  judged: JudgedState,
  { onConflict = "fail", dryRun = false }: RedDbImportOptions,
): Promise<RedDbImportReport> {
  try {
    return await engine.transact(async (work) => {
      const report = { ...await new TakeOver(engine, work, onConflict).run(judged), dryRun };
      if (dryRun) throw new DryRun(report);
      return report;
    });
  } catch (error) {
    if (error instanceof DryRun) return error.report;
    throw error;
  }
}

class TakeOver {
  readonly #engine: Engine;
  readonly #work: Work;
  readonly #onConflict: "fail" | "skip" | "overwrite";
  readonly #notices: RedDbImportNotice[] = [];
  readonly #skippedUsers = new Set<string>();
  /** An admin of the platform whose record was overwritten. */
  #lostAdmin: string | undefined;
  #changes = 0;

  constructor(engine: Engine, work: Work, onConflict: "fail" | "skip" | "overwrite") {
    this.#engine = engine;
    this.#work = work;
    this.#onConflict = onConflict;
  }

  async run(judged: JudgedState): Promise<Omit<RedDbImportReport, "dryRun">> {
    const secrets = sort(judged.secrets, ({ name }) => name, (secret) => this.#takeSecret(secret));
    const users = sort(judged.users, ({ id }) => formatUserId(id), (user) => this.#takeUser(user));
    this.#assertAdmin();
    const apiKeys = await this.#takeApiKeys(judged.apiKeys);
    const masterSecret = this.#takeMasterSecret(judged.masterSecret);
    const bootstrapped = this.#takeFlag(judged.bootstrapped);
    const certificate = await this.#takeCertificate(judged.certificateOf);
    if (this.#changes > 0) this.#work.audit({ operation: "import.reddb", count: this.#changes });
    const { refused, leftOut } = judged;
    const notices = this.#notices;
    return { secrets, users, apiKeys, masterSecret, bootstrapped, certificate, refused, notices, leftOut };
  }

  /** The value that is there is only compared: nobody sees it, so the log tells of no read. */
  #takeSecret({ name, value }: JudgedSecret): Outcome {
    const secrets = new TransactionSecrets(this.#work);
    const there = secrets.has(name);
    if (there && equalBytes(readValue(this.#work.records, name), value)) return "unchanged";
    return this.#take(there ? (options) => new SecretExistsError(name, options) : undefined, () => {
      secrets.set(name, value);
    });
  }

  #takeUser({ id, record, notices }: JudgedUser): Outcome {
    const { records } = this.#work;
    const before = readUser(records, id);
    if (before !== undefined && isSameUser(before, record)) return "unchanged";
    const name = formatUserId(id);
    const outcome = this.#take(before && ((options) => new UserExistsError(name, options)), () => {
      ensureAuthSecret(records);
      if (isPlatformAdmin(id, before)) this.#lostAdmin ??= name;
      putUser(records, id, { ...record, sessions: newSessionTag() });
      this.#auditUser(name, before, record);
      this.#notices.push(...notices);
    });
    if (outcome === "skipped") this.#skippedUsers.add(userKey(id));
    return outcome;
  }

  #auditUser(name: string, before: StoredUser | undefined, { role, enabled }: JudgedUser["record"]): void {
    const { audit } = this.#work;
    if (before === undefined) return audit({ operation: "user.create", name, to: role });
    audit({ operation: "user.password", name });
    if (before.role !== role) audit({ operation: "user.role", name, to: role });
    if (before.enabled !== enabled) audit({ operation: enabled ? "user.enable" : "user.disable", name });
  }

  /** @throws {LastAdminError} when there was an admin of the platform who can log in, and there is none any more */
  #assertAdmin(): void {
    if (this.#lostAdmin === undefined) return;
    const { records } = this.#work;
    for (const key of records.keys(USER)) {
      const id = userOfKey(key);
      if (id.tenant === null && isPlatformAdmin(id, readUser(records, id))) return;
    }
    throw new LastAdminError(this.#lostAdmin);
  }

  async #takeApiKeys(keys: readonly JudgedApiKey[]): Promise<RedDbImportOutcome<RedDbImportedKey>> {
    if (keys.length === 0) return sort(keys, toImportedKey, () => "skipped");
    // Their owners are there by now, and with the first user the secret came to be.
    const { apiKey } = (await authKeys(this.#engine, this.#work.records))!;
    const hashes = new Map<JudgedApiKey, string>();
    for (const key of keys) hashes.set(key, encodeHex(await hmac(apiKey, encodeUtf8(key.key))));
    return sort(keys, toImportedKey, (key) => this.#takeApiKey(key, hashes.get(key)!));
  }

  #takeApiKey({ owner, record, notices }: JudgedApiKey, hash: string): Outcome {
    const { records } = this.#work;
    const json = records.get(API_KEY, hash);
    if (json !== undefined && isSameKey(decodeApiKey(json), record)) return "unchanged";
    // The user in the vault who keeps the place may be somebody else, and did not ask for the key.
    if (this.#skippedUsers.has(userKey(owner))) return "skipped";
    const id = hash.slice(0, ID_DIGITS);
    return this.#take(json === undefined ? undefined : (options) => new ApiKeyExistsError(id, options), () => {
      records.put(API_KEY, hash, JSON.stringify(record));
      this.#work.audit({ operation: "apikey.create", name: id, to: formatUserId(owner) });
      this.#notices.push(...notices);
    });
  }

  #takeMasterSecret(masterSecret: Uint8Array | null): RedDbImportPart {
    if (masterSecret === null) return "none";
    const { records } = this.#work;
    const before = readKeyPair(records);
    const secret = new Uint8Array(masterSecret);
    try {
      if (before !== undefined && constantTimeEqual(before.secret, secret)) return "unchanged";
      return this.#take(before && ((options) => new KeyPairExistsError(options)), () => {
        // The count goes on, so that a certificate of a secret that comes back is never made twice.
        putKeyPair(records, { secret, certificates: before?.certificates ?? 0, origin: "reddb" });
        this.#work.audit({ operation: "keypair.create" });
      });
    } finally {
      wipe(secret, ...(before === undefined ? [] : [before.secret]));
    }
  }

  #takeFlag(bootstrapped: boolean): RedDbImportPart {
    if (!bootstrapped) return "none";
    const { records, now } = this.#work;
    if (isBootstrapped(records)) return "unchanged";
    return this.#take(undefined, () => markBootstrapped(records, now));
  }

  async #takeCertificate(masterSecret: Uint8Array | null): Promise<RedDbImportPart> {
    if (masterSecret === null) return "none";
    const pair = await RedDbKeyPair.fromMasterSecret(masterSecret);
    wipe(pair.masterSecret);
    if (!await adoptCertificate(this.#engine, this.#work, CERTIFICATE_SLOT, pair.certificate)) return "unchanged";
    return this.#take(undefined, () => {});
  }

  /** Takes one record over, or does what is to be done with one that is there and differs. */
  #take(conflict: ((options: CofferErrorOptions) => CofferError) | undefined, put: () => void): Outcome {
    if (conflict !== undefined && this.#onConflict === "fail") throw conflict({ hint: HINT });
    if (conflict !== undefined && this.#onConflict === "skip") return "skipped";
    put();
    this.#changes++;
    return conflict === undefined ? "imported" : "overwritten";
  }
}

/** Gathers what a record is called by what became of it. */
function sort<T, N>(
  records: readonly T[],
  nameOf: (record: T) => N,
  take: (record: T) => Outcome,
): RedDbImportOutcome<N> {
  const sorted: Record<Outcome, N[]> = { imported: [], overwritten: [], unchanged: [], skipped: [] };
  for (const record of records) sorted[take(record)].push(nameOf(record));
  return sorted;
}

function toImportedKey({ owner, record: { name } }: JudgedApiKey): RedDbImportedKey {
  return { owner: formatUserId(owner), name };
}

/**
 * Whether a user of the vault is the one that would be written, or was, and has logged in since: that puts a standard hash
 * in the place of the foreign one, and leaves the time of the last change alone, which every other change does not.
 */
function isSameUser(user: StoredUser, record: JudgedUser["record"]): boolean {
  const { role, enabled, created, updated, scram, foreignHash } = record;
  return user.role === role && user.enabled === enabled && user.created === created && user.updated === updated &&
    (scram === undefined || JSON.stringify(user.scram) === JSON.stringify(scram)) &&
    (user.foreignHash === foreignHash || (user.foreignHash === undefined && user.password !== undefined));
}

function isSameKey(key: StoredApiKey, record: StoredApiKey): boolean {
  return key.owner === record.owner && key.name === record.name && key.role === record.role &&
    key.created === record.created && key.expires === undefined;
}
