import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { CofferError, importRedDbState, newKeyFile, Vault } from "../../mod.ts";
import { rejectsWith, withFolder, withVault } from "../helpers.ts";
import { apiKeyOf, userOf } from "../reddb/helpers.ts";
import { type Fault, FaultyDisk, FaultyMachine, imageAfter } from "../storage/faulty_disk.ts";
import { changes, CHECKABLE, generationOf, kv, logOf, outcome, PASSWORD, stateWith } from "./reddb_states.ts";

withVault("importRedDbState() does with conflicts what it is told, and changes nothing when it fails", async (test) => {
  const { vault } = test;
  const state = stateWith({
    users: [userOf({ username: "root", passwordHash: CHECKABLE }), userOf({ passwordHash: CHECKABLE })],
    apiKeys: [
      apiKeyOf({ key: "rk_of_alice", role: "write" }),
      apiKeyOf({ owner: { tenant: null, username: "root" }, key: "rk_of_root" }),
    ],
    masterSecret: new Uint8Array(32).fill(7),
    kv: kv({ a: "reddb's", b: "new" }),
  });
  await vault.users.create({ name: "root", role: "admin", password: "another one" });
  const signature = await vault.keyPair.sign(encodeUtf8("x"));
  const set = async () => {
    await vault.secrets.set("a", "the vault's");
    await vault.users.create({ name: "alice", role: "read", password: "another one" });
  };
  const codes: string[] = [];
  // One conflict after another goes away.
  const steps = [() => set(), () => vault.secrets.delete("a"), () => vault.users.delete("alice"), async () => {
    await importRedDbState(vault, stateWith({ users: state.users.slice(0, 1) }), { onConflict: "overwrite" });
  }];
  for (const step of steps) {
    await step();
    const before = [await generationOf(vault), await vault.users.list(), await vault.secrets.list()];
    const error = await rejectsWithAny(() => importRedDbState(vault, state));
    codes.push(error.code);
    assert.match(error.hint, /Nothing was changed/);
    assert.deepEqual([await generationOf(vault), await vault.users.list(), await vault.secrets.list()], before);
  }
  assert.deepEqual(codes, ["secret-exists", "user-exists", "user-exists", "key-pair-exists"]);

  await set();
  await vault.users.setPassword("root", "another one");
  const skipped = await importRedDbState(vault, state, { onConflict: "skip" });
  assert.deepEqual(skipped.secrets, outcome({ imported: ["b"], skipped: ["a"] }));
  assert.deepEqual(skipped.users, outcome({ skipped: ["root", "alice"] }));
  // Who keeps the place may be somebody else: the keys are not theirs.
  assert.deepEqual(skipped.apiKeys.skipped.length, 2);
  assert.equal(skipped.masterSecret, "skipped");
  await rejectsWith(() => vault.apiKeys.check("rk_of_alice"), "invalid-api-key");
  await vault.auth.login("alice", "another one");
  assert.equal(await vault.secrets.getText("a"), "the vault's");
  assert.ok(await vault.keyPair.verify(encodeUtf8("x"), signature));

  const token = await vault.auth.createSession("alice");
  const dry = await importRedDbState(vault, state, { onConflict: "overwrite", dryRun: true });
  assert.equal((await vault.auth.verifySession(token)).user.role, "read");
  const overwritten = await importRedDbState(vault, state, { onConflict: "overwrite" });
  assert.deepEqual({ ...dry, dryRun: false }, overwritten);
  assert.deepEqual(overwritten.secrets, outcome({ overwritten: ["a"], unchanged: ["b"] }));
  assert.deepEqual(overwritten.users, outcome({ overwritten: ["root", "alice"] }));
  assert.equal(overwritten.masterSecret, "overwritten");
  await rejectsWith(() => vault.auth.login("alice", "another one"), "wrong-login");
  assert.equal((await vault.auth.login("alice", PASSWORD)).role, "admin");
  await rejectsWith(() => vault.auth.verifySession(token), "invalid-session");
  assert.equal(await vault.secrets.getText("a"), "reddb's");
  assert.ok(!await vault.keyPair.verify(encodeUtf8("x"), signature));
  assert.equal((await vault.apiKeys.check("rk_of_alice")).role, "write");

  const [key] = await vault.apiKeys.list({ owner: "alice" });
  const other = stateWith({ ...state, apiKeys: [apiKeyOf({ key: "rk_of_alice", role: "read", name: "renamed" })] });
  await rejectsWith(() => importRedDbState(vault, other), "api-key-exists");
  await importRedDbState(vault, other, { onConflict: "overwrite" });
  assert.deepEqual((await vault.apiKeys.list({ owner: "alice" })).map(({ id, name, role }) => [id, name, role]), [
    [key!.id, "renamed", "read"],
  ]);
});

withVault("importRedDbState() gives a key of a user of the vault's to nobody", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "admin", password: PASSWORD });
  const state = stateWith({ apiKeys: [apiKeyOf({ key: "rk_orphaned" })] });
  await rejectsWith(() => importRedDbState(vault, state), "import-refused");
  await importRedDbState(vault, state, { skipInvalid: true });
  await rejectsWith(() => vault.apiKeys.check("rk_orphaned"), "invalid-api-key");
});

withVault("importRedDbState() leaves the platform an admin who can log in", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "admin", password: PASSWORD });
  const overwrite = { onConflict: "overwrite" } as const;
  const off = userOf({ enabled: false });
  for (const users of [[off], [userOf({ role: "write" })], [off, userOf({ username: "bob", tenant: "acme" })]]) {
    await rejectsWith(() => importRedDbState(vault, stateWith({ users }), overwrite), "last-admin");
  }
  assert.equal((await vault.users.get("alice")).enabled, true);
  await importRedDbState(vault, stateWith({ users: [off, userOf({ username: "bob" })] }), overwrite);
  assert.deepEqual((await vault.users.list()).map(({ name, enabled }) => [name, enabled]), [
    ["alice", false],
    ["bob", true],
  ]);
});

withVault("importRedDbState() tells the log of each user, key and secret, and never of a value", async ({ vault }) => {
  const state = stateWith({
    bootstrapped: true,
    users: [userOf({ tenant: "acme", role: "write" }), userOf({ enabled: false })],
    apiKeys: [apiKeyOf({ key: "rk_secret_1", owner: { tenant: "acme", username: "alice" } })],
    masterSecret: new Uint8Array(32).fill(7),
    kv: kv({ "db/url": "a value" }),
  });
  await importRedDbState(vault, state, { keepCertificate: true });
  const [key] = await vault.apiKeys.list();
  assert.deepEqual((await logOf(vault)).slice(1), [
    "secret.set db/url",
    "user.create acme/alice write",
    "user.create alice admin",
    `apikey.create ${key!.id} acme/alice`,
    "keypair.create",
    "slot.add 2",
    "import.reddb 7",
  ]);
  const users = [userOf({ tenant: "acme", role: "read", enabled: false }), userOf({ updatedAt: 9n })];
  await importRedDbState(vault, stateWith({ users }), { onConflict: "overwrite" });
  assert.deepEqual((await logOf(vault)).slice(8), [
    "user.password acme/alice",
    "user.role acme/alice read",
    "user.disable acme/alice",
    "user.password alice",
    "user.enable alice",
    "import.reddb 2",
  ]);
});

withVault("importRedDbState() with users left out takes entries only, and counts the rest", async ({ vault }) => {
  const state = stateWith({
    bootstrapped: true,
    users: [userOf(), userOf({ username: "a/b" })],
    apiKeys: [apiKeyOf({ key: "rk_1" })],
    masterSecret: new Uint8Array(32),
    kv: kv({ a: "1" }),
    kept: [{ text: "FUTURE:x", reason: "unknown", line: 7 }],
  });
  const report = await importRedDbState(vault, state, { users: false, prefix: "old/" });
  assert.deepEqual(report.leftOut, { users: 2, apiKeys: 1, masterSecret: true, lines: 1 });
  assert.deepEqual(changes(report), ["old/a"]);
  assert.deepEqual([await vault.users.list(), await vault.auth.isBootstrapped()], [[], false]);
});

withVault("importRedDbState() needs a reason where a policy says so, and its dry run needs none", async ({ vault }) => {
  await vault.policies.set("require-reason", true);
  const state = stateWith({ users: [userOf()] });
  assert.deepEqual((await importRedDbState(vault, state, { dryRun: true })).users.imported, ["alice"]);
  await rejectsWith(() => importRedDbState(vault, state), "reason-required");
  assert.deepEqual(await vault.users.list(), []);
});

Deno.test("importRedDbState() that stops at any call of the disk leaves all of it or nothing", async () => {
  const keyFile = newKeyFile();
  const image = await withFolder(async (folder) => {
    await using vault = await Vault.create(`${folder}/v`, { keyFile, anchor: null });
    await vault.close();
    return Deno.readFileSync(`${folder}/v`);
  });
  const state = stateWith({
    bootstrapped: true,
    users: Array.from({ length: 40 }, (_, index) => userOf({ username: `user-${index}` })),
    apiKeys: [apiKeyOf({ key: "rk_secret_1", owner: { tenant: null, username: "user-7" } })],
    masterSecret: new Uint8Array(32).fill(7),
    kv: kv({ a: "x".repeat(30_000) }),
  });
  const seen = new Set<string>();
  let last = 0;
  for (const kind of ["stop-before", "stop-after", "tear", "fail-once"] as const) {
    for (let call = 0; call <= last || last === 0; call++) {
      const machine = new FaultyMachine(image, { kind, call, ...(kind === "tear" ? { bytes: 1000 } : {}) } as Fault);
      const vault = await Vault.open(new FileMedium(new FaultyDisk(machine)), { keyFile });
      const done = await importRedDbState(vault, state, { keepCertificate: true }).then(() => true, () => false);
      await vault.close().catch(() => {});
      last = Math.max(last, machine.calls);
      for (const keeps of [() => true, () => false, (at: number) => at % 2 === 0]) {
        const left = imageAfter(image, machine.log, { keeps });
        await using again = await Vault.open(new FileMedium(new MemoryDisk(new MemoryFile(left))), { keyFile });
        const found = JSON.stringify([
          (await again.users.list()).length,
          (await again.apiKeys.list()).length,
          (await again.secrets.list()).length,
          (await again.slots.list()).length,
          await again.auth.isBootstrapped(),
        ]);
        seen.add(found);
        if (done) assert.equal(found, "[40,1,1,2,true]", `${kind} at call ${call}`);
        assert.deepEqual((await again.check()).problems, []);
      }
    }
  }
  assert.deepEqual([...seen].sort(), ["[0,0,0,1,false]", "[40,1,1,2,true]"]);
});

async function rejectsWithAny(work: () => Promise<unknown>): Promise<CofferError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof CofferError, String(error));
    return error;
  }
  assert.fail("expected an error");
}
