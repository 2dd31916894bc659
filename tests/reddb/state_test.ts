import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, decodeUtf8, encodeUtf8 } from "../../lib/bytes.ts";
import { InvalidMetadataError } from "../../lib/errors.ts";
import { RedDbCorruptError } from "../../lib/reddb/errors.ts";
import type { Role, ScramVerifier } from "../../lib/reddb/records.ts";
import { VaultState } from "../../lib/reddb/state.ts";
import { patterned } from "../helpers.ts";
import { apiKeyOf, shapeOf, userOf } from "./helpers.ts";

const SCRAM: ScramVerifier = {
  salt: patterned(16),
  iterations: 16_384,
  storedKey: patterned(32, 1),
  serverKey: patterned(32, 2),
};
const USER_LINE = "USER:alice\thash\tadmin\ttrue\t1\t2\t";

/** The state of a payload of these lines. */
function read(...lines: readonly string[]): VaultState {
  return VaultState.deserialize(encodeUtf8(lines.map((line) => `${line}\n`).join("")));
}

function textOf(state: VaultState): string {
  return decodeUtf8(state.serialize());
}

function corrupt(...lines: readonly string[]): void {
  assert.throws(() => read(...lines), (error) => {
    assert.ok(error instanceof RedDbCorruptError);
    assert.doesNotMatch(error.message, /alice|hash|rk_/, "an error gives no contents away");
    return true;
  });
}

Deno.test("VaultState.deserialize() gives back what serialize() wrote", () => {
  const state = VaultState.empty();
  state.bootstrapped = true;
  state.masterSecret = patterned(32);
  state.users.push(userOf(), userOf({ username: "bob", role: "read", enabled: false, scram: SCRAM, tenant: "acme" }));
  state.apiKeys.push(apiKeyOf(), apiKeyOf({ owner: { tenant: "acme", username: "bob" }, key: "rk_2", role: "write" }));
  state.kv.set("red.secret.a", "tab\tline\nend ✓").set("", "");
  const again = VaultState.deserialize(state.serialize());
  assert.deepEqual(again, state);
  assert.deepEqual(again.serialize(), state.serialize());
});

Deno.test("VaultState.serialize() writes an empty state as one line", () => {
  assert.equal(textOf(VaultState.empty()), "SEALED:false\n");
  assert.deepEqual(VaultState.deserialize(VaultState.empty().serialize()), VaultState.empty());
  assert.deepEqual(VaultState.deserialize(new Uint8Array(0)), VaultState.empty());
});

Deno.test("VaultState.serialize() writes users with 8 fields and keys with 6", () => {
  const state = VaultState.empty();
  state.users.push(userOf({ tenant: "acme" }));
  state.apiKeys.push(apiKeyOf());
  assert.equal(
    textOf(state),
    "SEALED:false\nUSER:alice\targon2id$aa$bb\tadmin\ttrue\t1\t2\t\tacme\nKEY:alice\trk_1\tci\tread\t3\t\n",
  );
});

Deno.test("VaultState.deserialize() refuses bytes that are no UTF-8", () => {
  assert.throws(() => VaultState.deserialize(Uint8Array.of(0x53, 0xff, 0x0a)), RedDbCorruptError);
  const cut = concat(encodeUtf8("KV:a\t"), encodeUtf8("é").subarray(0, 1));
  assert.throws(() => VaultState.deserialize(cut), RedDbCorruptError);
});

Deno.test("VaultState.deserialize() refuses a USER line with too few or too many fields", () => {
  corrupt("USER:alice");
  corrupt("USER:alice\thash\tadmin\ttrue\t1\t2");
  corrupt(`${USER_LINE}\t\t\t`);
});

Deno.test("VaultState.deserialize() refuses a KEY line with too few or too many fields", () => {
  corrupt("KEY:alice\trk_1\tci\tread");
  corrupt("KEY:alice\trk_1\tci\tread\t3\t\t");
});

Deno.test("VaultState.deserialize() refuses an unknown role and a malformed time, in users and in keys", () => {
  for (const role of ["", "Admin", "root", "admin "]) {
    corrupt(`USER:alice\thash\t${role}\ttrue\t1\t2\t`);
    corrupt(`KEY:alice\trk_1\tci\t${role}\t3`);
  }
  for (const time of ["", "-1", "1.5", "0x1", " 1", `${2n ** 128n}`, "9".repeat(100_000)]) {
    corrupt(`USER:alice\thash\tread\ttrue\t${time}\t2\t`);
    corrupt(`USER:alice\thash\tread\ttrue\t1\t${time}\t`);
    corrupt(`KEY:alice\trk_1\tci\tread\t${time}`);
  }
});

Deno.test("VaultState.deserialize() reads times of 128 bits", () => {
  const most = 2n ** 128n - 1n;
  const [user] = read(`USER:alice\thash\tread\ttrue\t${most}\t000${most}\t`).users;
  assert.deepEqual([user!.createdAt, user!.updatedAt], [most, most]);
  const state = VaultState.empty();
  state.users.push(user!);
  assert.equal(VaultState.deserialize(state.serialize()).users[0]!.createdAt, most);
});

Deno.test("VaultState.deserialize() keeps lines of unknown kinds, and serialize() writes them back", () => {
  const state = read("SEALED:true", "FUTURE:alice\tx", "", "no kind at all", "user:lower", "KV:a\t61", "odd\r");
  assert.deepEqual(state.kept, [
    { text: "FUTURE:alice\tx", reason: "unknown", line: 2 },
    { text: "no kind at all", reason: "unknown", line: 4 },
    { text: "user:lower", reason: "unknown", line: 5 },
    { text: "odd\r", reason: "unknown", line: 7 },
  ]);
  state.kv.set("b", "c");
  assert.equal(
    textOf(state),
    "SEALED:true\nKV:a\t61\nKV:b\t63\nFUTURE:alice\tx\nno kind at all\nuser:lower\nodd\r\n",
  );
});

Deno.test("VaultState.deserialize() keeps a KV line whose value is no hex or no UTF-8, and gives the key no value", () => {
  for (const line of ["KV:a\tzz", "KV:a\t616", "KV:a\tff", "KV:a", "KV:a\t61\t62"]) {
    const state = read("SEALED:true", line);
    assert.equal(state.kv.size, 0, line);
    assert.deepEqual(state.kept, [{ text: line, reason: "malformed-value", line: 2 }]);
    assert.equal(textOf(state), `SEALED:true\n${line}\n`);
  }
});

Deno.test("VaultState.serialize() refuses a kept line that would be read as a record", () => {
  for (const text of ["SEALED:true", `${USER_LINE}`, "KV:a\t61", "x\nSEALED:true", "", "KEY:", "MASTER_SECRET:00"]) {
    const state = VaultState.empty();
    state.kept.push({ text, reason: "unknown", line: 1 });
    assert.throws(
      () => state.serialize(),
      (error) => error instanceof InvalidMetadataError || error instanceof RedDbCorruptError,
      text,
    );
  }
});

Deno.test("VaultState.deserialize() takes line ends with a carriage return, and the last of two values", () => {
  const state = read("SEALED:true\r", "KV:a\t61\r", "KV:a\t62", `${USER_LINE}\t acme \r`);
  assert.ok(state.bootstrapped);
  assert.deepEqual([...state.kv], [["a", "b"]]);
  assert.equal(state.users[0]!.tenant, "acme");
});

Deno.test("VaultState.deserialize() reads the master secret, and does without", () => {
  const secret = patterned(32);
  assert.deepEqual(read(`MASTER_SECRET:${secret.toHex()}`).masterSecret, secret);
  assert.equal(read("SEALED:true").masterSecret, null);
  assert.doesNotMatch(textOf(read("SEALED:true")), /MASTER_SECRET/);
  for (const hex of ["", "zz", "00", secret.toHex() + "00", secret.toHex().slice(1)]) corrupt(`MASTER_SECRET:${hex}`);
});

Deno.test("VaultState.deserialize() gives back a SCRAM verifier as serialize() wrote it", () => {
  const state = VaultState.empty();
  state.users.push(userOf({ scram: SCRAM }), userOf({ username: "b", scram: { ...SCRAM, salt: new Uint8Array(0) } }));
  assert.deepEqual(VaultState.deserialize(state.serialize()).users, state.users);
});

Deno.test("VaultState refuses a SCRAM verifier of fewer than 4096 iterations, on reading and on writing", () => {
  const field = (iterations: number | string) =>
    `${USER_LINE}00:${iterations}:${SCRAM.storedKey.toHex()}:${SCRAM.serverKey.toHex()}`;
  assert.equal(read(field(4096)).users[0]!.scram!.iterations, 4096);
  for (const iterations of [4095, 0, -4096, "", "1e4", 2 ** 32]) corrupt(field(iterations));
  for (const iterations of [4095, 4096.5, NaN, 2 ** 32]) {
    const state = VaultState.empty();
    state.users.push(userOf({ scram: { ...SCRAM, iterations } }));
    assert.throws(() => state.serialize(), InvalidMetadataError);
  }
});

Deno.test("VaultState refuses a SCRAM verifier whose keys have not 32 bytes, or that is not of four parts", () => {
  const [stored, server] = [SCRAM.storedKey.toHex(), SCRAM.serverKey.toHex()];
  for (const field of [`00:4096:${stored}`, `00:4096:${stored}:${server}:`, `0:4096:${stored}:${server}`]) {
    corrupt(USER_LINE + field);
  }
  corrupt(`${USER_LINE}00:4096:${stored.slice(2)}:${server}`);
  const state = VaultState.empty();
  state.users.push(userOf({ scram: { ...SCRAM, serverKey: patterned(31) } }));
  assert.throws(() => state.serialize(), InvalidMetadataError);
});

Deno.test("VaultState.deserialize() reads users of 7 fields, from before there were tenants", () => {
  assert.deepEqual(read(USER_LINE).users, [userOf({ passwordHash: "hash" })]);
});

Deno.test("VaultState.deserialize() reads users of tenants, and takes an empty one for the platform", () => {
  assert.equal(read(`${USER_LINE}\tacme`).users[0]!.tenant, "acme");
  assert.equal(read(`${USER_LINE}\t`).users[0]!.tenant, null);
  assert.equal(read(`${USER_LINE}\t \u0085\u2003`).users[0]!.tenant, null);
});

Deno.test("VaultState.deserialize() reads users of 9 fields and passes the last one over", () => {
  assert.deepEqual(read(`${USER_LINE}\tacme\ttrue`).users, [userOf({ passwordHash: "hash", tenant: "acme" })]);
});

Deno.test("VaultState keeps users of one name in several tenants apart through a round trip", () => {
  const state = VaultState.empty();
  state.users.push(userOf(), userOf({ tenant: "acme", role: "write" }), userOf({ tenant: "globex", role: "read" }));
  assert.deepEqual(VaultState.deserialize(state.serialize()).users, state.users);
});

Deno.test("VaultState.keysOf() gives a user the keys of the same tenant and name alone", () => {
  const state = read(
    USER_LINE,
    `${USER_LINE}\tacme`,
    "KEY:alice\trk_platform\tci\tread\t3",
    "KEY:alice\trk_acme\tci\tread\t3\tacme",
    "KEY:alice\trk_nobody\tci\tread\t3\tglobex",
    "KEY:bob\trk_bob\tci\tread\t3\tacme",
  );
  const keys = state.users.map((user) => state.keysOf(user).map(({ key }) => key));
  assert.deepEqual(keys, [["rk_platform"], ["rk_acme"]]);
  assert.equal(state.apiKeys.length, 4, "keys without their user are kept");
  assert.deepEqual(VaultState.deserialize(state.serialize()).apiKeys, state.apiKeys);
});

Deno.test("VaultState.serialize() refuses every text that would forge a field or a record", () => {
  const places: ((state: VaultState, text: string) => unknown)[] = [
    (state, username) => state.users.push(userOf({ username })),
    (state, passwordHash) => state.users.push(userOf({ passwordHash })),
    (state, role) => state.users.push(userOf({ role: role as Role })),
    (state, tenant) => state.users.push(userOf({ tenant })),
    (state, username) => state.apiKeys.push(apiKeyOf({ owner: { tenant: null, username } })),
    (state, tenant) => state.apiKeys.push(apiKeyOf({ owner: { tenant, username: "a" } })),
    (state, key) => state.apiKeys.push(apiKeyOf({ key })),
    (state, name) => state.apiKeys.push(apiKeyOf({ name })),
    (state, role) => state.apiKeys.push(apiKeyOf({ role: role as Role })),
    (state, key) => state.kv.set(key, "value"),
  ];
  for (const [index, put] of places.entries()) {
    for (const text of ["a\tb", "a\nUSER:b", "a\rb", "a\r", "\n", "\ud800"]) {
      const state = VaultState.empty();
      put(state, text);
      assert.throws(() => state.serialize(), InvalidMetadataError, `${index} ${JSON.stringify(text)}`);
    }
  }
});

Deno.test("VaultState.serialize() refuses a tenant that would be read as the platform or as another one", () => {
  for (const tenant of ["", " ", "\u0085", " acme", "acme\u00a0"]) {
    const state = VaultState.empty();
    state.users.push(userOf({ tenant }));
    assert.throws(() => state.serialize(), InvalidMetadataError, JSON.stringify(tenant));
  }
});

Deno.test("VaultState.serialize() refuses a value, a time or a master secret that would not come back", () => {
  const changes: ((state: VaultState) => unknown)[] = [
    (state) => state.kv.set("a", "\udc00"),
    (state) => state.users.push(userOf({ createdAt: -1n })),
    (state) => state.users.push(userOf({ updatedAt: 2n ** 128n })),
    (state) => state.apiKeys.push(apiKeyOf({ createdAt: -1n })),
    (state) => state.masterSecret = patterned(31),
  ];
  for (const change of changes) {
    const state = VaultState.empty();
    change(state);
    assert.throws(() => state.serialize(), InvalidMetadataError);
  }
});

Deno.test("VaultState reads any payload, or refuses it, and what it read it writes so that nothing changes", () => {
  const field = fc.oneof(fc.string(), fc.constantFrom("read", "true", "acme", "1", " ", "zz", "616263", "\r"));
  const line = fc.tuple(fc.constantFrom("USER:", "KEY:", "KV:", "SEALED:", "X:", ""), fc.array(field, { maxLength: 9 }))
    .map(([prefix, fields]) => prefix + fields.join("\t"));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      let state: VaultState;
      let written: Uint8Array;
      try {
        state = VaultState.deserialize(encodeUtf8(lines.join("\n")));
        written = state.serialize();
      } catch (error) {
        assert.ok(error instanceof RedDbCorruptError || error instanceof InvalidMetadataError, String(error));
        return;
      }
      const again = VaultState.deserialize(written);
      assert.deepEqual(shapeOf(again), shapeOf(state));
      assert.deepEqual(again.kept.map(({ text }) => text), state.kept.map(({ text }) => text));
      assert.deepEqual(again.serialize(), written);
    }),
    { numRuns: 500 },
  );
});
