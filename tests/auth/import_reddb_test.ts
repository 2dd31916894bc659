import assert from "node:assert/strict";
import { encodeHex, encodeUtf8 } from "../../lib/bytes.ts";
import { KeyPair } from "../../lib/reddb/key_pair.ts";
import { unsealLogicalExport } from "../../lib/reddb/logical_export.ts";
import type { User } from "../../lib/reddb/records.ts";
import { newScramVerifier } from "../../lib/reddb/scram.ts";
import type { VaultState } from "../../lib/reddb/state.ts";
import { importRedDbState, Vault } from "../../mod.ts";
import { rejectsWith, withVault } from "../helpers.ts";
import { apiKeyOf, openMemory, placeOf, userOf, type Vector, vectorBytes, VECTORS } from "../reddb/helpers.ts";
import { changes, CHECKABLE, generationOf, LATEST, PASSWORD, stateWith } from "./reddb_states.ts";
import { answer } from "./scram_client.ts";

/** Users of the vectors whose password is known. */
const PASSWORDS: Readonly<Record<string, string>> = { carol: "hunter2" };

async function stateIn({ file, credential }: Vector): Promise<VaultState | null> {
  const bytes = await vectorBytes(file);
  if (file.endsWith(".rdvx")) return await unsealLogicalExport(new TextDecoder().decode(bytes), credential);
  await using vault = await openMemory(placeOf(bytes), credential);
  return await vault.load();
}

async function scram(vault: Vault, name: string, password: string): Promise<string | undefined> {
  const login = await vault.auth.scram();
  const bare = `n=${name},r=${crypto.randomUUID()}`;
  const { clientFinal } = answer(bare, await login.first(`n,,${bare}`), password);
  return (await login.final(clientFinal)).user?.user;
}

const GOOD = VECTORS.filter(({ error, state }) => error === undefined && (state ?? null) !== null);

for (const vector of GOOD) {
  withVault(`importRedDbState() takes ${vector.file} over, and a second time changes nothing`, async ({ vault }) => {
    const state = (await stateIn(vector))!;
    // One has a key of six characters, which is refused.
    const short = state.apiKeys.filter(({ key }) => key.length < 8).length;
    if (short > 0) await rejectsWith(() => importRedDbState(vault, state), "import-refused");
    const options = { prefix: "reddb/", skipInvalid: short > 0 };
    const before = await generationOf(vault);
    const report = await importRedDbState(vault, state, options);
    assert.equal(await generationOf(vault), before + 1, "one commit");
    assert.equal(report.refused.length, short);

    for (const user of state.users) {
      const { role, enabled, createdAt, updatedAt, hasScram, hasForeignHash, hasPassword } = await vault.users.get({
        tenant: user.tenant,
        name: user.username,
      });
      const time = (ms: bigint) => ms > LATEST ? LATEST : Number(ms);
      assert.deepEqual(
        [role, enabled, createdAt.getTime(), updatedAt.getTime(), hasScram, hasForeignHash, hasPassword],
        [user.role, user.enabled, time(user.createdAt), time(user.updatedAt), user.scram !== null, true, false],
      );
    }
    assert.equal((await vault.users.list()).length, state.users.length);
    assert.equal(report.users.imported.length, state.users.length);
    assert.deepEqual(
      (await vault.users.tenants()).sort(),
      [
        ...new Set(state.users.flatMap(({ tenant }) => tenant ?? [])),
      ].sort(),
    );

    for (const { key, owner, role } of state.apiKeys.filter(({ key }) => key.length >= 8)) {
      const holder = await vault.apiKeys.check(key);
      assert.deepEqual([holder.tenant, holder.name, holder.role], [owner.tenant, owner.username, role]);
    }
    assert.equal((await vault.apiKeys.list()).length, state.apiKeys.length - short);
    await vault.transaction(({ secrets }) => {
      for (const [key, value] of state.kv) assert.equal(secrets.getText(`reddb/${key}`), value);
    });
    assert.equal(await vault.auth.isBootstrapped(), state.bootstrapped);
    if (state.masterSecret !== null) {
      const data = encodeUtf8("session:abc123");
      const pair = await KeyPair.fromMasterSecret(state.masterSecret);
      assert.ok(await vault.keyPair.verify(data, await pair.sign(data)));
    }

    const after = await generationOf(vault);
    const again = await importRedDbState(vault, state, options);
    assert.deepEqual(changes(again), []);
    assert.deepEqual(again.users.unchanged, report.users.imported);
    assert.deepEqual(again.apiKeys.unchanged, report.apiKeys.imported);
    assert.deepEqual([again.notices, await generationOf(vault)], [[], after]);

    for (const [name, password] of Object.entries(PASSWORDS)) {
      if (!state.users.some(({ username }) => username === name)) continue;
      assert.equal(await scram(vault, name, password), name);
      await rejectsWith(() => vault.auth.login(name, `${password}!`), "wrong-login");
      await vault.auth.login(name, password);
      const { hasPassword, hasScram, hasForeignHash } = await vault.users.get(name);
      assert.deepEqual([hasPassword, hasScram, hasForeignHash], [true, true, false]);
      assert.equal(await scram(vault, name, password), name, "the verifier is the one that clients know");
      await vault.auth.login(name, password);
      assert.ok((await importRedDbState(vault, state, options)).users.unchanged.includes(name));
    }
  }, { policies: { "audit-reads": true } });
}

withVault(
  "importRedDbState() lets RedDB's signatures be verified, and its certificate open the vault",
  async (test) => {
    const { vault, path } = test;
    const vectors = new URL("../vectors/reddb-v2/keypair.json", import.meta.url);
    const pair = JSON.parse(await Deno.readTextFile(vectors));
    const state = stateWith({ masterSecret: Uint8Array.fromHex(pair.master_secret) });
    const report = await importRedDbState(vault, state, { keepCertificate: true });
    assert.deepEqual([report.masterSecret, report.certificate], ["imported", "imported"]);
    const signature = Uint8Array.fromHex(pair.signature_of_session_abc123);
    assert.ok(await vault.keyPair.verify(encodeUtf8("session:abc123"), signature));
    assert.ok(!await vault.keyPair.verify(encodeUtf8("session:abc124"), signature));
    {
      await using other = await Vault.open(path, { certificate: pair.certificate });
      assert.equal((await other.status()).openedWith, 2);
    }
    const generation = await generationOf(vault);
    const again = await importRedDbState(vault, state, { keepCertificate: true });
    assert.deepEqual([again.masterSecret, again.certificate], ["unchanged", "unchanged"]);
    assert.equal(await generationOf(vault), generation);
    assert.deepEqual((await vault.slots.list()).map(({ kind, label }) => [kind, label]).at(-1), [
      "certificate",
      "reddb",
    ]);
    // The caller's state is left as it was.
    assert.equal(encodeHex(state.masterSecret!), pair.master_secret);
  },
);

/** What users of RedDB's have, and whether they can log in afterwards with the password. */
const HASHES: readonly (readonly [what: string, user: Partial<User>, works: boolean])[] = [
  ["a hash of full size", { passwordHash: CHECKABLE }, true],
  ["the same in capitals", { passwordHash: CHECKABLE.toUpperCase().replace("ARGON2ID", "argon2id") }, true],
  ["a verifier, and a hash of no use", {}, true],
  ["no hash", { passwordHash: "" }, false],
  ["a hash that is too short", { passwordHash: "argon2id$aabbccdd$eeff0011" }, false],
  ["a hash cut to 15 bytes", { passwordHash: CHECKABLE.slice(0, -34) }, false],
  ["an odd number of digits", { passwordHash: CHECKABLE.slice(0, -1) }, false],
  ["a hash of another kind", { passwordHash: CHECKABLE.replace("argon2id", "argon2i") }, false],
  ["a hash with parameters", { passwordHash: `argon2id$m=1$${CHECKABLE.slice(9)}` }, false],
];

withVault("importRedDbState() lets users log in by their verifier, or by a hash of RedDB's", async ({ vault }) => {
  const scramVerifier = await newScramVerifier(PASSWORD, { iterations: 4096 });
  const users = HASHES.map(([what, user]) =>
    userOf({ username: what, role: "read", scram: what.startsWith("a verifier") ? scramVerifier : null, ...user })
  );
  const state = stateWith({ users });
  const { notices } = await importRedDbState(vault, state);
  assert.deepEqual(
    notices,
    HASHES.flatMap(([user, , works]) => works ? [] : [{ kind: "needs-password", user }]),
  );
  for (const [user, , works] of HASHES) {
    await rejectsWith(() => vault.auth.login(user, "wrong"), "wrong-login");
    if (!works) {
      await rejectsWith(() => vault.auth.login(user, PASSWORD), "wrong-login");
      continue;
    }
    await vault.auth.login(user, PASSWORD);
    const { hasPassword, hasScram, hasForeignHash, createdAt, updatedAt } = await vault.users.get(user);
    assert.deepEqual([hasPassword, hasScram, hasForeignHash], [true, true, false], user);
    assert.deepEqual([createdAt.getTime(), updatedAt.getTime()], [1, 2]);
    await vault.auth.login(user, PASSWORD);
    assert.equal(await scram(vault, user.replaceAll(",", "=2C"), PASSWORD), user);
  }
  assert.deepEqual(changes(await importRedDbState(vault, state)), [], "logging in is no change that counts");
});

withVault("importRedDbState() lets passwords log in that RedDB did not normalise", async ({ vault }) => {
  // SASLprep would take the soft hyphen away, and the ligature apart.
  const password = "so\u00adft ﬁsh";
  await importRedDbState(vault, stateWith({ users: [userOf({ scram: await newScramVerifier(password) })] }));
  assert.equal((await vault.auth.login("alice", password)).name, "alice");
});

withVault("Auth.login() costs as much for a user with a hash of RedDB's as for nobody", async ({ vault }) => {
  await importRedDbState(vault, stateWith({ users: [userOf({ passwordHash: CHECKABLE })] }));
  const derived: unknown[] = [];
  const { subtle } = crypto;
  const { deriveBits } = subtle;
  subtle.deriveBits = function (algorithm, ...rest) {
    const { name, memory } = algorithm as unknown as { name: string; memory?: number };
    if (name === "Argon2id") derived.push(memory);
    return deriveBits.call(this, algorithm, ...rest);
  };
  try {
    await rejectsWith(() => vault.auth.login("alice", "wrong"), "wrong-login");
    assert.deepEqual(derived.splice(0).sort(), [19456, 4096]);
    await rejectsWith(() => vault.auth.login("nobody", "wrong"), "wrong-login");
    assert.deepEqual(derived, [19456]);
  } finally {
    subtle.deriveBits = deriveBits;
  }
});

withVault("importRedDbState() says what it takes over not quite as it was", async ({ vault }) => {
  const verifier = await newScramVerifier(PASSWORD);
  const state = stateWith({
    users: [
      userOf({ username: "late", createdAt: 2n ** 128n - 1n, passwordHash: CHECKABLE }),
      userOf({ username: "edge", createdAt: BigInt(LATEST), updatedAt: BigInt(LATEST), passwordHash: CHECKABLE }),
      userOf({ username: "over", updatedAt: BigInt(LATEST) + 1n, passwordHash: CHECKABLE }),
      userOf({ username: "short-salt", scram: { ...verifier, salt: new Uint8Array(7) }, passwordHash: CHECKABLE }),
      userOf({ username: "dear", scram: { ...verifier, iterations: 10_000_001 } }),
      userOf({ username: "reader", tenant: "acme", role: "read", passwordHash: CHECKABLE }),
    ],
    apiKeys: [
      apiKeyOf({ owner: { tenant: "acme", username: "reader" }, key: "rk_above_owner", name: "up", role: "admin" }),
      apiKeyOf({ owner: { tenant: null, username: "edge" }, key: "rk_late_key", name: "late", createdAt: 2n ** 64n }),
    ],
  });
  const { notices, users } = await importRedDbState(vault, state);
  assert.equal(users.imported.length, 6);
  assert.deepEqual(notices, [
    { kind: "time-clamped", user: "late" },
    { kind: "time-clamped", user: "over" },
    { kind: "verifier-left-out", user: "short-salt" },
    { kind: "verifier-left-out", user: "dear" },
    { kind: "needs-password", user: "dear" },
    { kind: "role-lowered", user: "acme/reader", key: "up", role: "read" },
    { kind: "time-clamped", user: "edge", key: "late" },
  ]);
  assert.equal((await vault.users.get("late")).createdAt.getTime(), LATEST);
  assert.equal((await vault.users.get("over")).updatedAt.getTime(), LATEST);
  assert.equal((await vault.apiKeys.list({ owner: "edge" }))[0]!.createdAt.getTime(), LATEST);
  assert.equal((await vault.apiKeys.list({ owner: "acme/reader" }))[0]!.role, "read");
  await vault.users.setRole("acme/reader", "admin");
  assert.equal((await vault.apiKeys.check("rk_above_owner")).role, "read", "what was lowered stays so");
  await vault.auth.login("short-salt", PASSWORD);
  assert.deepEqual(await importRedDbState(vault, stateWith({ users: state.users.slice(0, 5) })).then(changes), []);
});
