import assert from "node:assert/strict";
import { hashPassword } from "../../lib/auth/phc.ts";
import { saslprep } from "../../lib/auth/saslprep.ts";
import { toUserId } from "../../lib/auth/user_id.ts";
import { newScramVerifier, type UserRef } from "../../mod.ts";
import { rejectsWith, withVault } from "../helpers.ts";

const PASSWORD = "correct horse";

/** Texts that are no user's name, and why. */
const BAD_NAMES: readonly (readonly [what: string, user: UserRef])[] = [
  ["an empty name", ""],
  ["a name with a line end", "ali\nce"],
  ["a name with an escape", "ali\u001bce"],
  ["a name with a NUL", { name: "ali\0ce" }],
  ["a name with a slash", { name: "acme/alice" }],
  ["two slashes", "acme/alice/x"],
  ["an empty tenant", "/alice"],
  ["an empty name in a tenant", "acme/"],
  ["a tenant with a slash", { tenant: "a/b", name: "alice" }],
  ["a name in form NFD", "ame\u0301lie"],
  ["a name that NFKC would change", "\ufb01ona"],
  ["a name with a zero-width space", "ali\u200bce"],
  ["a name that turns the writing round", "ali\u202ece"],
  ["a lone surrogate", "ali\ud800ce"],
  ["a name with a variation selector", "alice\ufe0f"],
  ["a name with a joiner of graphemes", "al\u034fice"],
  ["a name of a filler", "\u115f"],
  ["a name with a blank that is no space", "al\u2800ice"],
  ["a name with a space of Ogham", "al\u1680ice"],
  ["a name with a replacement character", "al\ufffdice"],
  ["a name with a character that is none", "al\ufdd0ice"],
  ["white space around it", " alice"],
  ["a name of 129 bytes", "x".repeat(129)],
  ["a tenant of 129 bytes", { tenant: "x".repeat(129), name: "alice" }],
];

for (const [what, user] of BAD_NAMES) {
  withVault(`Users refuse ${what}, and nothing is changed`, async ({ vault }) => {
    const { generation } = await vault.status();
    const parts = typeof user === "string" ? { name: user } : user;
    const whole = typeof user === "string" && user.includes("/") ? undefined : parts;
    if (whole !== undefined) {
      await rejectsWith(() => vault.users.create({ ...whole, role: "read" }), "invalid-user-name");
    }
    await rejectsWith(() => vault.users.get(user), "invalid-user-name");
    await rejectsWith(() => vault.users.delete(user), "invalid-user-name");
    await rejectsWith(() => vault.auth.login(user, PASSWORD), "invalid-user-name");
    assert.equal((await vault.status()).generation, generation);
  });
}

Deno.test("toUserId() takes no character that SCRAM would change or refuse in a name", () => {
  const taken: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    if (/[\p{Cn}\p{Cs}\p{Co}]/u.test(character)) continue;
    // Names that run to the left begin and end so.
    const ends = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(character) ? "\u05d0" : "a";
    const name = `${ends}${character}${ends}`;
    try {
      toUserId(name);
    } catch {
      continue;
    }
    if (saslprep(name, { allowUnassigned: true }) !== name) taken.push(code.toString(16));
  }
  assert.deepEqual(taken, []);
});

withVault("Users of one name in two tenants, and in none, are three users", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "read", password: "one password" });
  await vault.users.create({ tenant: "acme", name: "alice", role: "write", password: "two password" });
  await vault.users.create({ tenant: "bolt", name: "alice", role: "admin", password: "three password" });
  assert.deepEqual((await vault.users.list()).map(({ user, role }) => [user, role]), [
    ["alice", "read"],
    ["acme/alice", "write"],
    ["bolt/alice", "admin"],
  ]);
  assert.deepEqual((await vault.users.list({ tenant: "acme" })).map(({ user }) => user), ["acme/alice"]);
  assert.deepEqual((await vault.users.list({ tenant: null })).map(({ user }) => user), ["alice"]);
  assert.deepEqual(await vault.users.tenants(), ["acme", "bolt"]);
  assert.equal((await vault.auth.login("bolt/alice", "three password")).role, "admin");
  await rejectsWith(() => vault.auth.login("acme/alice", "one password"), "wrong-login");
  await rejectsWith(() => vault.users.list({ tenant: "nowhere" }), "tenant-not-found");
  await rejectsWith(() => vault.users.create({ tenant: "acme", name: "alice", role: "read" }), "user-exists");
});

withVault("Users keep a prefix of a tenant's name apart from the tenant", async ({ vault }) => {
  await vault.users.create({ tenant: "ac", name: "bob", role: "read" });
  await vault.users.create({ tenant: "acme", name: "bob", role: "read" });
  assert.deepEqual((await vault.users.list({ tenant: "ac" })).map(({ user }) => user), ["ac/bob"]);
});

withVault("Users change role, state and password, and tell when", async ({ vault }) => {
  await vault.users.create({ name: "root", role: "admin", password: PASSWORD });
  const made = await vault.users.create({ tenant: "acme", name: "alice", role: "read", password: PASSWORD });
  assert.deepEqual([made.enabled, made.hasPassword, made.hasScram], [true, true, true]);
  const changed = await vault.users.setRole("acme/alice", "write");
  assert.equal(changed.role, "write");
  assert.ok(changed.updatedAt >= made.updatedAt);
  assert.equal(changed.createdAt.getTime(), made.createdAt.getTime());
  await vault.users.disable({ tenant: "acme", name: "alice" });
  await rejectsWith(() => vault.auth.login("acme/alice", PASSWORD), "wrong-login");
  await vault.users.enable("acme/alice");
  assert.equal((await vault.auth.login("acme/alice", PASSWORD)).user, "acme/alice");
  await vault.users.setPassword("acme/alice", "another horse");
  await rejectsWith(() => vault.auth.login("acme/alice", PASSWORD), "wrong-login");
  assert.equal((await vault.auth.login("acme/alice", "another horse")).user, "acme/alice");
});

withVault("Users keep the last enabled admin of the platform", async ({ vault }) => {
  await vault.users.create({ name: "root", role: "admin", password: PASSWORD });
  await vault.users.create({ name: "off", role: "admin", enabled: false });
  await vault.users.create({ tenant: "acme", name: "boss", role: "admin" });
  await rejectsWith(() => vault.users.delete("root"), "last-admin");
  await rejectsWith(() => vault.users.disable("root"), "last-admin");
  await rejectsWith(() => vault.users.setRole("root", "write"), "last-admin");
  // Two in one transaction do not get round it either.
  await vault.users.create({ name: "second", role: "admin" });
  await rejectsWith(
    () =>
      vault.transaction((tx) => {
        tx.users.delete("second");
        tx.users.delete("root");
      }),
    "last-admin",
  );
  assert.deepEqual((await vault.users.list({ tenant: null })).map(({ name }) => name), ["off", "root", "second"]);
  await vault.users.delete("root");
  await vault.users.delete("acme/boss");
});

withVault("Users.delete() takes keys and sessions along", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "write", password: PASSWORD });
  const { key } = await vault.apiKeys.create({ owner: "alice", role: "write" });
  const token = await vault.auth.createSession("alice");
  await vault.users.delete("alice");
  assert.deepEqual(await vault.apiKeys.list(), []);
  await rejectsWith(() => vault.apiKeys.check(key), "invalid-api-key");
  await rejectsWith(() => vault.auth.verifySession(token), "invalid-session");
  // Another user of the name gets nothing of the first one's.
  await vault.users.create({ name: "alice", role: "admin", password: PASSWORD });
  await rejectsWith(() => vault.apiKeys.check(key), "invalid-api-key");
  await rejectsWith(() => vault.auth.verifySession(token), "invalid-session");
});

withVault("Users that are not there are named in the error", async ({ vault }) => {
  for (
    const work of [
      () => vault.users.get("nobody"),
      () => vault.users.enable("nobody"),
      () => vault.users.disable("nobody"),
      () => vault.users.setRole("nobody", "read"),
      () => vault.users.setPassword("nobody", PASSWORD),
      () => vault.users.delete("nobody"),
      () => vault.users.scramVerifier("nobody"),
      () => vault.auth.revokeSessions("nobody"),
      () => vault.auth.createSession("nobody"),
      () => vault.apiKeys.create({ owner: "nobody" }),
      () => vault.apiKeys.list({ owner: "nobody" }),
    ]
  ) {
    assert.match((await rejectsWith(work, "user-not-found")).message, /"nobody"/);
  }
});

withVault("Users.create() takes verifiers that are ready", async ({ vault }) => {
  // RFC 7677, section 3: the password is "pencil".
  const scram =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
  await vault.users.create({ name: "alice", role: "read", scram });
  assert.equal((await vault.users.get("alice")).hasPassword, false);
  // A login by the verifier writes a hash, and keeps the verifier as it is.
  await vault.auth.login("alice", "pencil");
  assert.equal((await vault.users.get("alice")).hasPassword, true);
  const verifier = await vault.users.scramVerifier("alice");
  assert.equal(verifier?.iterations, 4096);
  for (
    const [secrets, code] of [
      [{ scram: "SCRAM-SHA-256$4096:" }, "malformed-verifier"],
      [{ scram: scram.replace("4096", "4095") }, "weak-password-parameters"],
      [
        { passwordHash: "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG" },
        "malformed-verifier",
      ],
      [
        { passwordHash: "$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWQ" },
        "weak-password-parameters",
      ],
      [{ password: "" }, "invalid-password"],
      [{ password: "x".repeat(1025) }, "invalid-password"],
    ] as const
  ) {
    await rejectsWith(() => vault.users.create({ name: "bob", role: "read", ...secrets }), code);
    await rejectsWith(() => vault.users.setPassword("alice", secrets), code);
  }
  assert.equal(await vault.users.has("bob"), false);
  await assert.rejects(vault.users.create({ name: "bob", role: "root" as never }), TypeError);
});

withVault("Vault.transaction() waits for passwords, awaited or not", async ({ vault }) => {
  await vault.transaction((tx) => {
    tx.secrets.set("db/url", "postgres://localhost");
    tx.users.create({ tenant: "acme", name: "alice", role: "write", password: PASSWORD });
    tx.users.setRole("acme/alice", "admin");
    void tx.apiKeys.create({ owner: "acme/alice", name: "ci" });
  });
  assert.equal((await vault.auth.login("acme/alice", PASSWORD)).role, "admin");
  assert.deepEqual((await vault.apiKeys.list()).map(({ name, owner }) => [name, owner]), [["ci", "acme/alice"]]);
  // A user who is gone again before the hash is ready stays gone.
  await vault.transaction((tx) => {
    tx.users.create({ name: "bob", role: "read", password: PASSWORD });
    tx.users.delete("bob");
  });
  assert.equal(await vault.users.has("bob"), false);
});

withVault("Vault.transaction() with a user that fails changes nothing", async ({ vault }) => {
  const { generation } = await vault.status();
  await rejectsWith(
    () =>
      vault.transaction((tx) => {
        tx.users.create({ name: "alice", role: "write", password: PASSWORD });
        void tx.apiKeys.create({ owner: "alice", role: "admin" });
      }),
    "role-above-owner",
  );
  assert.equal((await vault.status()).generation, generation);
  assert.deepEqual(await vault.users.list(), []);
});

withVault("Vault.transaction() that goes on after a user was refused keeps nothing of that", async ({ vault }) => {
  await vault.users.create({ name: "root", role: "admin", password: PASSWORD });
  const before = await vault.users.get("root");
  const entries = (await Array.fromAsync(vault.audit.entries())).length;
  await vault.transaction((tx) => {
    for (const secrets of ["", { passwordHash: "none" }, { scram: "none" }, { foreignHash: "x".repeat(1025) }]) {
      assert.throws(() => tx.users.setPassword("root", secrets));
    }
    assert.throws(() => tx.users.create({ name: "half", role: "admin", password: "" }));
    assert.throws(() => tx.users.create({ name: "half", role: "admin", scram: "none" }));
    assert.equal(tx.users.has("half"), false);
  });
  assert.deepEqual(await vault.users.get("root"), before);
  assert.equal((await Array.fromAsync(vault.audit.entries())).length, entries);
});

withVault("Vault.transaction() gives a user the password that was set last, and nobody else's", async ({ vault }) => {
  const passwordHash = await hashPassword("ready");
  await vault.transaction((tx) => {
    tx.users.create({ name: "alice", role: "read", password: "first" });
    tx.users.setPassword("alice", { passwordHash });
    tx.users.create({ name: "bob", role: "read", password: "of the first bob" });
    tx.users.delete("bob");
    tx.users.create({ name: "bob", role: "admin" });
    tx.users.create({ name: "carol", role: "read", password: "first" });
    tx.users.setPassword("carol", "second");
    tx.users.disable("carol");
    tx.users.enable("carol");
  });
  await vault.auth.login("alice", "ready");
  await rejectsWith(() => vault.auth.login("alice", "first"), "wrong-login");
  assert.equal((await vault.users.get("bob")).hasPassword, false);
  await vault.auth.login("carol", "second");
});

withVault("Users.create() refuses what would make a record that nobody can read", async ({ vault }) => {
  const scram = await newScramVerifier(PASSWORD);
  const { generation } = await vault.status();
  const attempt = (more: object) => vault.users.create({ name: "alice", role: "read", ...more });
  for (const enabled of [null, "no", 1]) await assert.rejects(() => attempt({ enabled }), TypeError);
  await assert.rejects(() => attempt({ foreignHash: 5 }), TypeError);
  await rejectsWith(() => attempt({ scram: { ...scram, iterations: 1 } }), "weak-password-parameters");
  await rejectsWith(() => attempt({ scram: { ...scram, salt: new Uint8Array(7) } }), "malformed-verifier");
  await rejectsWith(() => attempt({ scram: { ...scram, storedKey: new Uint8Array(31) } }), "malformed-verifier");
  await rejectsWith(() => attempt({ scram: { ...scram, serverKey: new Uint8Array(0) } }), "malformed-verifier");
  assert.equal((await vault.status()).generation, generation);
});

withVault("A user's changes stand in the log, each with the change it tells of", async ({ vault }) => {
  await vault.users.create({ name: "root", role: "admin", password: PASSWORD });
  await vault.users.create({ tenant: "acme", name: "alice", role: "read" });
  await vault.users.setRole("acme/alice", "write");
  await vault.users.setPassword("acme/alice", PASSWORD);
  await vault.users.disable("acme/alice");
  await vault.users.enable("acme/alice");
  await vault.auth.revokeSessions("acme/alice");
  const { id } = await vault.apiKeys.create({ owner: "acme/alice" });
  await vault.apiKeys.revoke(id);
  await vault.users.delete("acme/alice");
  const told: unknown[] = [];
  for await (const { operation, name, to } of vault.audit.entries()) told.push([operation, name, to]);
  assert.deepEqual(told.slice(1), [
    ["user.create", "root", "admin"],
    ["user.create", "acme/alice", "read"],
    ["user.role", "acme/alice", "write"],
    ["user.password", "acme/alice", undefined],
    ["user.disable", "acme/alice", undefined],
    ["user.enable", "acme/alice", undefined],
    ["session.revoke", "acme/alice", undefined],
    ["apikey.create", id, "acme/alice"],
    ["apikey.revoke", id, "acme/alice"],
    ["user.delete", "acme/alice", undefined],
  ]);
  await vault.audit.verify();
});
