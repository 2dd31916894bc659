/**
 * Logins: verifiers, messages, records, tokens.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { API_KEY, API_KEY_USED, decodeApiKey, keysOf, lastUsed } from "../../../lib/auth/api_key_record.ts";
import {
  InvalidApiKeyError,
  InvalidPasswordError,
  InvalidSessionError,
  InvalidUserNameError,
  MalformedVerifierError,
  ScramProtocolError,
  WeakPasswordParametersError,
} from "../../../lib/auth/errors.ts";
import { changeFailures, decodeFailures } from "../../../lib/auth/failures.ts";
import { MASTER, readKeyPair } from "../../../lib/auth/key_pair_record.ts";
import { withPassword } from "../../../lib/auth/password_bytes.ts";
import { encodePhc, parsePhc, type Phc } from "../../../lib/auth/phc.ts";
import { saslprep } from "../../../lib/auth/saslprep.ts";
import { decodeMessage, decodeName, parseClientFinal, parseClientFirst } from "../../../lib/auth/scram_messages.ts";
import { ScramServer } from "../../../lib/auth/scram_server.ts";
import {
  decodePostgresVerifier,
  decodeRedDbVerifier,
  encodePostgresVerifier,
  encodeRedDbVerifier,
  scramFromJson,
  scramToJson,
  type ScramVerifier,
} from "../../../lib/auth/scram_verifier.ts";
import { AUTH, authKeys } from "../../../lib/auth/secret.ts";
import { PREVIOUS_SESSION, previousSession } from "../../../lib/auth/session_keys.ts";
import { formatUserId, toUserId, type UserId, userKey, userOfKey } from "../../../lib/auth/user_id.ts";
import { describeUser } from "../../../lib/auth/user_reader.ts";
import { decodeUser, USER } from "../../../lib/auth/user_record.ts";
import { describeApiKey } from "../../../lib/auth/transaction_api_keys.ts";
import { type Bytes, encodeBase64, encodeUtf8 } from "../../../lib/bytes.ts";
import { hmac, importHmacKey } from "../../../lib/crypto/hmac.ts";
import { CorruptVaultError } from "../../../lib/errors.ts";
import { State } from "../../../lib/state/records.ts";
import { MemoryMedium } from "../../../lib/storage/memory.ts";
import { Vault } from "../../../lib/vault.ts";
import { patterned } from "../../helpers.ts";
import { type Target, target, textTarget } from "../target.ts";

const VERIFIER: ScramVerifier = {
  salt: patterned(16),
  iterations: 4096,
  storedKey: patterned(32, 1),
  serverKey: patterned(32, 2),
};
const VERIFIERS = fc.record({
  salt: fc.uint8Array({ minLength: 8, maxLength: 64 }),
  iterations: fc.integer({ min: 4096, max: 10_000_000 }),
  storedKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  serverKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
}) as fc.Arbitrary<ScramVerifier>;
const VERIFIER_ERRORS = [MalformedVerifierError, WeakPasswordParametersError];

const USER_JSON =
  `{"role":"admin","enabled":true,"created":1,"updated":2,"sessions":"00ff","password":"$argon2id$","scram":{"a":1}}`;
const API_KEY_JSON = '{"owner":"acme/alice","name":"ci","role":"read","created":3,"expires":4}';
const FAILURES_JSON = '{"count":4,"last":99,"batch":"a","whose":[["n",3],["m",1]]}';
const FIRST = "n,,n=alice,r=fyko+d2lbbFgONRv9qkxdawL";
const FINAL = `c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfc,p=${encodeBase64(patterned(32))}`;

/** What a state gives of a record of a kind. */
function stateWith(kind: string, key: string, json: string): State {
  const state = new State();
  state.put(kind, key, json);
  return state;
}

/** A vault that makes tokens and keys, opened once for all inputs. */
const VAULT = await (async () => {
  const vault = await Vault.create(new MemoryMedium(), { keyFile: patterned(32) });
  const { key } = await vault.transaction((tx) => {
    tx.users.create({ name: "alice", role: "admin" });
    return tx.apiKeys.create({ owner: "alice" });
  });
  const token = await vault.auth.createSession("alice");
  await vault.auth.verifySession(token);
  return { vault, key, token };
})();

/** Targets of `lib/auth`. */
export const AUTH_TARGETS: readonly Target[] = [
  textTarget<Phc>({
    name: "phc",
    seeds: [encodePhc({ memory: 19456, passes: 2, lanes: 1, salt: patterned(16), hash: patterned(32) })],
    decode: parsePhc,
    encode: encodePhc,
    values: fc.record({
      memory: fc.integer({ min: 128, max: 2 * 1024 * 1024 }),
      passes: fc.integer({ min: 1, max: 64 }),
      lanes: fc.integer({ min: 1, max: 16 }),
      salt: fc.uint8Array({ minLength: 8, maxLength: 64 }) as fc.Arbitrary<Bytes>,
      hash: fc.uint8Array({ minLength: 16, maxLength: 64 }) as fc.Arbitrary<Bytes>,
    }).map(encodePhc),
    words: ["$argon2id", "$argon2i", "$v=19", "$v=16", "m=", "t=", "p=", "2097152", "2097153", "65", "17"],
    allowed: VERIFIER_ERRORS,
    most: 1000,
  }),
  textTarget<ScramVerifier>({
    name: "scram-postgres",
    seeds: [encodePostgresVerifier(VERIFIER)],
    decode: decodePostgresVerifier,
    encode: encodePostgresVerifier,
    values: VERIFIERS.map(encodePostgresVerifier),
    words: ["SCRAM-SHA-256$", "SCRAM-SHA-1$", "4095", "4096", "10000000", "10000001", "=="],
    allowed: VERIFIER_ERRORS,
    most: 1000,
  }),
  textTarget<ScramVerifier>({
    name: "scram-reddb",
    seeds: [encodeRedDbVerifier(VERIFIER)],
    decode: decodeRedDbVerifier,
    encode: encodeRedDbVerifier,
    values: VERIFIERS.map(encodeRedDbVerifier),
    words: ["4095", "4096", "10000000", "10000001", ":", "ff"],
    allowed: VERIFIER_ERRORS,
    most: 1000,
  }),
  textTarget<ScramVerifier>({
    name: "scram-json",
    seeds: [JSON.stringify(scramToJson(VERIFIER))],
    decode: (json) => {
      let value: unknown;
      try {
        value = JSON.parse(json);
      } catch {
        throw new MalformedVerifierError("scram", "it is no JSON");
      }
      return scramFromJson(value);
    },
    again: (verifier) => JSON.stringify(scramToJson(verifier)),
    words: ["iterations", "salt", "stored", "server"],
    allowed: VERIFIER_ERRORS,
    most: 2000,
  }),
  target({
    name: "scram-first",
    seeds: [FIRST, "y,a=alice,n=alice,r=12345678", "n,,n=a=2Cb=3Dc,r=12345678,x=y"].map(encodeUtf8),
    decode: (input) => {
      const text = decodeMessage(input);
      const { gs2Header, bare, escapedName } = parseClientFirst(text);
      if (escapedName !== "") decodeName(escapedName);
      return `${gs2Header}${bare}`;
    },
    encode: encodeUtf8,
    words: ["n,,", "y,,", "p=tls-unique,,", "a=", "n=", "r=", "m=", "=2C", "=3D", "=", ","],
    allowed: [ScramProtocolError],
    most: 5000,
  }),
  target({
    name: "scram-final",
    seeds: [encodeUtf8(FINAL), encodeUtf8(FINAL.replace(",p=", ",x=y,p="))],
    decode: (input) => {
      const { withoutProof, proof } = parseClientFinal(decodeMessage(input));
      return `${withoutProof},p=${encodeBase64(proof)}`;
    },
    encode: encodeUtf8,
    words: ["c=", "r=", "p=", "m=", "e=", ",", "biws"],
    allowed: [ScramProtocolError],
    most: 5000,
  }),
  textTarget({
    name: "scram-exchange",
    seeds: [`${FIRST}\n${FINAL}`],
    decode: async (text) => {
      const [first = "", ...final] = text.split("\n");
      const lookup = () => Promise.resolve({ verifier: VERIFIER, found: true });
      const server = new ScramServer({ lookup, nonce: () => "3rfc" });
      assert.ok((await server.first(first)).length < 5000);
      const { authenticated } = await server.final(final.join("\n"));
      assert.ok(!authenticated, "nobody has the password");
      return authenticated;
    },
    words: ["n=", "r=", "c=", "p=", "a=", ",", "\n", "=2C", "\u00aa", "\u2168"],
    allowed: [ScramProtocolError],
    most: 5000,
  }),
  textTarget({
    name: "saslprep",
    seeds: ["alice", "\u00aa\u2168", "\u0627\u0628", "I\u00adX"],
    decode: (text) => {
      const prepared = saslprep(text);
      if (prepared === null) throw new InvalidPasswordError("no prepared form");
      assert.equal(saslprep(prepared), prepared, "what is prepared stays as it is");
      return prepared;
    },
    values: fc.string({ unit: "binary", maxLength: 20 }),
    words: ["\u0627", "\u05d0", "\u0340", "\u200b", "\u00ad", "\ufb00", "\u0221"],
    allowed: [InvalidPasswordError],
    most: 3000,
  }),
  textTarget({
    name: "password",
    seeds: ["correct horse", "p\u00e9\u{1f511}", "x".repeat(1024)],
    decode: (text) => withPassword(text, (bytes) => Promise.resolve(bytes.length)),
    values: fc.string({ unit: "binary", maxLength: 20 }),
    words: ["\u0627", "\u05d0", "\u200b", "\u00ad", "\u0221"],
    allowed: [InvalidPasswordError],
    most: 3000,
  }),
  textTarget({
    name: "user-name",
    seeds: ["alice", "acme/alice", "\u00e9"],
    decode: (text) => {
      const id: UserId = toUserId(text);
      assert.deepEqual(userOfKey(userKey(id)), id);
      return id;
    },
    encode: formatUserId,
    values: fc.string({ unit: "binary", maxLength: 140 }),
    words: ["/", "..", "\ufb01"],
    allowed: [InvalidUserNameError],
    most: 2000,
  }),
  textTarget({
    name: "user-record",
    seeds: [USER_JSON],
    decode: (json) => {
      const user = decodeUser(json);
      const info = describeUser(userOfKey("acme/alice"), user);
      for (const time of [info.createdAt, info.updatedAt]) time.toISOString();
      assert.equal(stateWith(USER, "k", json).count(USER), 1);
      return user;
    },
    again: (user) => JSON.stringify(user),
    words: ["role", "admin", "enabled", "created", "updated", "sessions", "password", "scram", "foreignHash"],
    allowed: [CorruptVaultError],
    most: 3000,
  }),
  textTarget({
    name: "api-key-record",
    seeds: [API_KEY_JSON],
    decode: (json) => {
      const state = stateWith(API_KEY, "00".repeat(32), json);
      const key = decodeApiKey(json);
      const { createdAt, expiresAt } = describeApiKey(state, "00".repeat(32), key);
      createdAt.toISOString();
      expiresAt?.toISOString();
      assert.ok([...keysOf(state, { tenant: "acme", name: "alice" })].length <= 1);
      return key;
    },
    again: (key) => JSON.stringify(key),
    words: ["owner", "name", "role", "read", "created", "expires"],
    allowed: [CorruptVaultError],
    most: 3000,
  }),
  textTarget({
    name: "api-key-used",
    seeds: ["1700000000000", "0"],
    decode: (json) => {
      const time = lastUsed(stateWith(API_KEY_USED, "k", json), "k")!;
      new Date(time).toISOString();
      return time;
    },
    encode: String,
    words: [],
    allowed: [CorruptVaultError],
    most: 100,
  }),
  textTarget({
    name: "failures-record",
    seeds: [FAILURES_JSON, '{"count":1,"last":5}'],
    decode: (json) => {
      const failures = decodeFailures(json);
      changeFailures(failures, { kind: "failed", time: 100, name: "n" });
      changeFailures(failures, { kind: "succeeded", name: "n" });
      changeFailures(failures, { kind: "settled", time: 100 });
      return failures;
    },
    again: (failures) => JSON.stringify(failures),
    words: ["count", "last", "batch", "whose"],
    allowed: [CorruptVaultError],
    most: 3000,
  }),
  textTarget({
    name: "key-pair-record",
    seeds: [`{"secret":"${encodeBase64(patterned(32))}","certificates":2,"origin":"reddb"}`],
    decode: async (json) => {
      const pair = readKeyPair(stateWith(MASTER.kind, MASTER.key, json))!;
      return await hmac(await importHmacKey(pair.secret), patterned(8));
    },
    words: ["secret", "certificates", "origin", '""', "AA=="],
    allowed: [CorruptVaultError],
    most: 1000,
  }),
  textTarget({
    name: "previous-session",
    seeds: [`{"epoch":1,"key":"${encodeBase64(patterned(32))}","until":9}`],
    decode: async (json) => {
      const previous = previousSession(stateWith(PREVIOUS_SESSION.kind, PREVIOUS_SESSION.key, json), 1);
      return previous === undefined ? null : await hmac(await importHmacKey(previous.key), patterned(8));
    },
    words: ["epoch", "key", "until", '""', "AA=="],
    allowed: [CorruptVaultError],
    most: 1000,
  }),
  textTarget({
    name: "auth-secret",
    seeds: [JSON.stringify(encodeBase64(patterned(32)))],
    decode: async (json) => (await authKeys({}, stateWith(AUTH, "secret", json)))!.decoy,
    words: ['""', "AA=="],
    allowed: [CorruptVaultError],
    most: 500,
  }),
  textTarget({
    name: "api-key",
    seeds: ["coffer_"],
    decode: async (text) => {
      const { vault, key } = VAULT;
      const { user } = await vault.apiKeys.check(text === "coffer_" ? key : text);
      return user;
    },
    words: ["coffer_", "a"],
    allowed: [InvalidApiKeyError],
    most: 500,
  }),
  textTarget({
    name: "session-token",
    seeds: ["sound"],
    decode: async (text) => {
      const { vault, token } = VAULT;
      // The token is new with each run, so an input is a change to it: what it begins with is kept, the rest goes.
      const given = text.startsWith("sound")
        ? `${token.slice(0, token.length - text.length + 5)}${text.slice(5)}`
        : text;
      const { user } = await vault.auth.verifySession(given);
      assert.equal(given, token, "only the token itself counts");
      return user.name;
    },
    words: [".", "e30", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJub25lIn0", "=", "sound"],
    allowed: [InvalidSessionError],
    most: 5000,
  }),
];
