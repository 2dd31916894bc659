import assert from "node:assert/strict";
import { type ScramLoginOptions, type ScramOutcome, Vault } from "../../mod.ts";
import { CHEAP_KDF, PASSPHRASE, rejectsWith, withVault } from "../helpers.ts";
import { answer } from "./scram_client.ts";

const PASSWORD = "pencil and paper";

/** A whole exchange; gives the server's first message, its outcome, and what an honest server would say last. */
async function exchange(
  vault: Vault,
  name: string,
  password: string,
  options: ScramLoginOptions = {},
): Promise<{ serverFirst: string; outcome: ScramOutcome; expected: string }> {
  const login = await vault.auth.scram(options);
  const bare = `n=${name.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${crypto.randomUUID()}`;
  const serverFirst = await login.first(`n,,${bare}`);
  const { clientFinal, serverFinal } = answer(bare, serverFirst, password);
  return { serverFirst, outcome: await login.final(clientFinal), expected: serverFinal };
}

/** Salt and iterations of a server's first message. */
function challenge(serverFirst: string): string {
  return serverFirst.slice(serverFirst.indexOf(",s="));
}

withVault(
  "Auth.scram() logs in by tenant and name, by name, and by what is known from elsewhere",
  async ({ vault }) => {
    await vault.users.create({ tenant: "acme", name: "alice, of sales", role: "write", password: PASSWORD });
    await vault.users.create({ name: "root", role: "admin", password: PASSWORD });
    const cases: readonly (readonly [name: string, options: ScramLoginOptions, user: string | null])[] = [
      ["acme/alice, of sales", {}, "acme/alice, of sales"],
      ["alice, of sales", { tenant: "acme" }, "acme/alice, of sales"],
      ["alice, of sales", {}, null],
      ["root", {}, "root"],
      ["root", { tenant: null }, "root"],
      ["root", { tenant: "acme" }, null],
      ["*", { user: "root" }, "root"],
      ["root", { user: "acme/nobody" }, null],
    ];
    for (const [name, options, user] of cases) {
      const { outcome, expected } = await exchange(vault, name, PASSWORD, options);
      assert.equal(outcome.user?.user ?? null, user, name);
      assert.equal(outcome.serverFinal === expected, user !== null);
      if (user === null) assert.match(outcome.serverFinal, /^e=/);
    }
  },
);

withVault("Auth.scram() gives a name that is none a challenge like any other, the same each time", async (test) => {
  const { vault, path } = test;
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  await vault.users.create({ name: "no-password", role: "read" });
  const known = await exchange(vault, "alice", "wrong");
  const seen = new Map<string, string>();
  for (const name of ["nobody", "somebody", "no-password", "a/b/c", "acme/alice", "alice "]) {
    const { serverFirst, outcome } = await exchange(vault, name, PASSWORD);
    assert.equal(outcome.user, null);
    assert.equal(outcome.serverFinal, known.outcome.serverFinal);
    // Salts are as long, iterations as many.
    assert.equal(challenge(serverFirst).length, challenge(known.serverFirst).length);
    assert.equal(challenge(serverFirst).slice(-8), challenge(known.serverFirst).slice(-8));
    seen.set(name, challenge(serverFirst));
  }
  assert.equal(new Set(seen.values()).size, seen.size);
  // The same after the vault was opened anew, and after it got a new key, as it is for a user.
  await vault.rotate({ credentials: [{ passphrase: PASSPHRASE }] });
  await using again = await Vault.open(path, { passphrase: PASSPHRASE });
  for (const [name, before] of seen) {
    assert.equal(challenge((await exchange(again, name, PASSWORD)).serverFirst), before, name);
  }
  assert.equal(challenge((await exchange(again, "alice", PASSWORD)).serverFirst), challenge(known.serverFirst));
});

withVault("Auth.scram() keeps the challenge of a user who is disabled, and lets nobody in", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  const before = await exchange(vault, "alice", PASSWORD);
  await vault.users.disable("alice");
  const after = await exchange(vault, "alice", PASSWORD);
  assert.equal(challenge(after.serverFirst), challenge(before.serverFirst));
  assert.equal(after.outcome.user, null);
});

withVault("Auth.scram() counts failures together with those of passwords", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  for (let i = 0; i < 3; i++) assert.equal((await exchange(vault, "alice", "wrong")).outcome.user, null);
  await rejectsWith(() => vault.auth.login("alice", "wrong"), "wrong-login");
  // A message that breaks the rules is no way to try for nothing.
  const login = await vault.auth.scram();
  await login.first("n,,n=alice,r=0123456789abcdef");
  await rejectsWith(() => login.final("c=biws,r=another-nonce-altogether,p=AAAA"), "scram-protocol");
  await rejectsWith(
    async () => await (await vault.auth.scram()).first("n,,n=alice,r=0123456789abcdef"),
    "too-many-attempts",
  );
  await rejectsWith(() => vault.auth.login("alice", PASSWORD), "too-many-attempts");
});

withVault("Auth.scram() takes each message once, and in order", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  const early = await vault.auth.scram();
  await rejectsWith(() => early.final("c=biws,r=x,p=AAAA"), "scram-protocol");
  const login = await vault.auth.scram();
  const bare = "n=alice,r=0123456789abcdef";
  const serverFirst = await login.first(`n,,${bare}`);
  await rejectsWith(() => login.first(`n,,${bare}`), "scram-protocol");
  const { clientFinal } = answer(bare, serverFirst, PASSWORD);
  // An exchange that broke the rules is over, also for the right answer.
  await rejectsWith(() => login.final(clientFinal), "scram-protocol");
  for (
    const message of ["p=tls-unique,,n=alice,r=0123456789abcdef", "n".repeat(5000), "n,,n=ali=ce,r=0123456789abcdef"]
  ) {
    await rejectsWith(async () => await (await vault.auth.scram()).first(message), "scram-protocol");
  }
  await rejectsWith(() => vault.auth.scram({ source: "x".repeat(257) }), "invalid-metadata");
});

withVault("Auth.scram() lets nobody in who may not log in any more when the exchange ends", async (test) => {
  const { vault, path } = test;
  const user = { name: "alice", role: "read", password: PASSWORD } as const;
  await using other = await Vault.open(path, { passphrase: PASSPHRASE });
  const changes: readonly (readonly [what: string, change: () => Promise<unknown>, stays: boolean])[] = [
    ["disabled", () => other.users.disable("alice"), false],
    ["given another password", () => other.users.setPassword("alice", "another one"), false],
    ["removed", () => other.users.delete("alice"), false],
    ["somebody else", async () => {
      await other.users.delete("alice");
      await other.users.create({ name: "alice", role: "write", password: "another one" });
    }, false],
    ["another role", () => other.users.setRole("alice", "write"), true],
  ];
  for (const [what, change, stays] of changes) {
    if (await vault.users.has("alice")) await vault.users.delete("alice");
    await vault.users.create(user);
    const login = await vault.auth.scram();
    const bare = "n=alice,r=0123456789abcdef";
    const serverFirst = await login.first(`n,,${bare}`);
    await change();
    const { clientFinal, serverFinal } = answer(bare, serverFirst, PASSWORD);
    const outcome = await login.final(clientFinal);
    assert.equal(outcome.user !== null, stays, what);
    assert.equal(outcome.serverFinal, stays ? serverFinal : "e=invalid-proof", what);
    if (stays) assert.equal(outcome.user?.role, "write");
  }
});

Deno.test("Auth.scram() works on a vault in which there never was a user", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using vault = await Vault.create(`${folder}/a.coffer`, { passphrase: PASSPHRASE, ...CHEAP_KDF });
    const first = await exchange(vault, "nobody", PASSWORD);
    assert.equal(first.outcome.user, null);
    await rejectsWith(() => vault.auth.login("nobody", PASSWORD), "wrong-login");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
