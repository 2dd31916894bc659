/**
 * Judging the records of a RedDB vault, before any vault is asked: which can be taken over, and as what.
 *
 * @module
 */
import { encodeUtf8 } from "../bytes.ts";
import { CofferError } from "../errors.ts";
import { MASTER_SECRET_SIZE } from "../reddb/key_pair.ts";
import type { ApiKey, User } from "../reddb/records.ts";
import type { VaultState } from "../reddb/state.ts";
import { checkName } from "../state/names.ts";
import { checkValue } from "../state/secret.ts";
import type { StoredApiKey } from "./api_key_record.ts";
import { ImportRefusedError, type RefusedRecord } from "./errors.ts";
import { checkableHash, MAX_FOREIGN_HASH } from "./foreign_hash.ts";
import type { RedDbImportNotice, RedDbImportOptions, RedDbImportReport } from "./import_reddb.ts";
import { checkRole, lesserRole } from "./role.ts";
import { scramFromJson, scramToJson, type ScramVerifierJson } from "./scram_verifier.ts";
import { checkForeignKey, checkKeyName, MIN_FOREIGN_KEY } from "./transaction_api_keys.ts";
import { formatUserId, toUserId, type UserId, userKey } from "./user_id.ts";
import type { StoredUser } from "./user_record.ts";

/** A secret to take over. */
export interface JudgedSecret {
  /** With the prefix. */
  readonly name: string;
  /** UTF-8. */
  readonly value: Uint8Array;
}

/** A user to take over. */
export interface JudgedUser {
  /** Who it is. */
  readonly id: UserId;
  /** What will be kept, apart from the tag of sessions. */
  readonly record: Omit<StoredUser, "sessions">;
  /** What is not quite as it was. */
  readonly notices: readonly RedDbImportNotice[];
}

/** An API key to take over. */
export interface JudgedApiKey {
  /** The key itself. */
  readonly key: string;
  /** Whose it is. */
  readonly owner: UserId;
  /** What will be kept. */
  readonly record: StoredApiKey;
  /** What is not quite as it was. */
  readonly notices: readonly RedDbImportNotice[];
}

/** What can be taken over of a state. */
export interface JudgedState {
  /** In the order of the file. */
  readonly secrets: readonly JudgedSecret[];
  /** In the order of the file. */
  readonly users: readonly JudgedUser[];
  /** In the order of the file. Each owner is among the users. */
  readonly apiKeys: readonly JudgedApiKey[];
  /** 32 bytes of the caller's, or null. */
  readonly masterSecret: Uint8Array | null;
  /** The same, when RedDB's certificate is to open the vault. */
  readonly certificateOf: Uint8Array | null;
  /** Whether the vault counts as bootstrapped afterwards. */
  readonly bootstrapped: boolean;
  /** What cannot be taken over. */
  readonly refused: readonly RefusedRecord[];
  /** What was not looked at. */
  readonly leftOut: RedDbImportReport["leftOut"];
}

/** The latest time that a date can be, in milliseconds since 1970; RedDB's have 128 bits. */
const LATEST = 8_640_000_000_000_000n;

/**
 * Judges all records.
 *
 * @throws {ImportRefusedError} when some cannot be taken over, and the options do not say to leave them out
 * @throws {RangeError} when the master secret has not its size @throws {TypeError} when a role is none
 */
export function judgeRedDbState(state: VaultState, options: RedDbImportOptions): JudgedState {
  const { prefix = "", users: withUsers = true, keepCertificate = false, skipInvalid = false } = options;
  const size = state.masterSecret?.length ?? MASTER_SECRET_SIZE;
  if (size !== MASTER_SECRET_SIZE) throw new RangeError(`A master secret has ${MASTER_SECRET_SIZE} bytes, got ${size}`);
  const refused: RefusedRecord[] = [];
  const secrets = judgeEach("secret", state.kv, refused, ([key, value]) => judgeSecret(`${prefix}${key}`, value));
  const known = new Map<string, JudgedUser>();
  const users = judgeEach("user", withUsers ? state.users : [], refused, (user) => judgeUser(user, known));
  const keys = new Set<string>();
  const apiKeys = judgeEach("api-key", withUsers ? state.apiKeys : [], refused, (key) => judgeKey(key, known, keys));
  if (keepCertificate && state.masterSecret === null) {
    refused.push({ what: "certificate", position: 1, why: "there is no master secret to make it of" });
  }
  if (refused.length > 0 && !skipInvalid) throw new ImportRefusedError(refused);
  return {
    secrets,
    users,
    apiKeys,
    masterSecret: withUsers ? state.masterSecret : null,
    certificateOf: keepCertificate ? state.masterSecret : null,
    bootstrapped: withUsers && state.bootstrapped,
    refused,
    leftOut: {
      users: withUsers ? 0 : state.users.length,
      apiKeys: withUsers ? 0 : state.apiKeys.length,
      masterSecret: !withUsers && state.masterSecret !== null,
      lines: state.kept.length,
    },
  };
}

/** Why a record is refused, in words that repeat nothing of it. */
class Refusal extends Error {}

function judgeEach<T, R>(
  what: RefusedRecord["what"],
  records: Iterable<T>,
  refused: RefusedRecord[],
  judge: (record: T) => R,
): R[] {
  const judged: R[] = [];
  let position = 0;
  for (const record of records) {
    position++;
    try {
      judged.push(judge(record));
    } catch (error) {
      if (!(error instanceof CofferError || error instanceof Refusal)) throw error;
      refused.push({ what, position, why: error.message[0]!.toLowerCase() + error.message.slice(1) });
    }
  }
  return judged;
}

function judgeSecret(name: string, value: string): JudgedSecret {
  // What would come back as other text is refused, not mended.
  if (!value.isWellFormed()) throw new Refusal("its value is not valid Unicode");
  return { name: checkName(name), value: checkValue(encodeUtf8(value)) };
}

function judgeUser(user: User, known: Map<string, JudgedUser>): JudgedUser {
  const id = toUserId({ tenant: user.tenant, name: user.username });
  if (known.has(userKey(id))) throw new Refusal("the same user stands before it");
  if (user.passwordHash.length > MAX_FOREIGN_HASH) {
    throw new Refusal(`its password hash has more than ${MAX_FOREIGN_HASH} characters`);
  }
  const created = clamped(user.createdAt);
  const updated = clamped(user.updatedAt);
  const scram = judgeVerifier(user);
  const kinds: RedDbImportNotice["kind"][] = [
    ...(created.late || updated.late ? ["time-clamped" as const] : []),
    ...(user.scram !== null && scram === undefined ? ["verifier-left-out" as const] : []),
    ...(scram === undefined && checkableHash(user.passwordHash) === undefined ? ["needs-password" as const] : []),
  ];
  const judged: JudgedUser = {
    id,
    record: {
      role: checkRole(user.role),
      enabled: user.enabled,
      created: created.time,
      updated: updated.time,
      ...(scram === undefined ? {} : { scram }),
      ...(user.passwordHash === "" ? {} : { foreignHash: user.passwordHash }),
    },
    notices: kinds.map((kind) => ({ kind, user: formatUserId(id) })),
  };
  known.set(userKey(id), judged);
  return judged;
}

/** The verifier, when no login would stumble over it: RedDB takes any salt, and any number of iterations. */
function judgeVerifier({ scram }: User): ScramVerifierJson | undefined {
  if (scram === null) return undefined;
  const json = scramToJson(scram);
  try {
    scramFromJson(json);
    return json;
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    return undefined;
  }
}

/**
 * A key whose owner is not among the users taken over is nobody's: a user of that name who is in the vault may be somebody
 * else.
 */
function judgeKey(apiKey: ApiKey, known: ReadonlyMap<string, JudgedUser>, keys: Set<string>): JudgedApiKey {
  const { key, name } = apiKey;
  const owner = toUserId({ tenant: apiKey.owner.tenant, name: apiKey.owner.username });
  const user = known.get(userKey(owner));
  if (user === undefined) throw new Refusal("its owner is not among the users that are taken over");
  if (key.length < MIN_FOREIGN_KEY) throw new Refusal(`it is shorter than ${MIN_FOREIGN_KEY} characters`);
  checkForeignKey(key);
  checkKeyName(name);
  if (keys.has(key)) throw new Refusal("the same key stands before it");
  keys.add(key);
  const role = lesserRole(checkRole(apiKey.role), user.record.role);
  const { time, late } = clamped(apiKey.createdAt);
  const about = { user: formatUserId(owner), key: name };
  return {
    key,
    owner,
    record: { owner: userKey(owner), name, role, created: time },
    notices: [
      ...(late ? [{ kind: "time-clamped" as const, ...about }] : []),
      ...(role === apiKey.role ? [] : [{ kind: "role-lowered" as const, ...about, role }]),
    ],
  };
}

function clamped(time: bigint): { readonly time: number; readonly late: boolean } {
  if (time < 0n) throw new Refusal("it has a time before 1970");
  const late = time > LATEST;
  return { time: Number(late ? LATEST : time), late };
}
