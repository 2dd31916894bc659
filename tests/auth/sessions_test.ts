import assert from "node:assert/strict";
import { decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT, UnsecuredJWT } from "jose";
import { InvalidSessionError, type SessionProblem, Vault } from "../../mod.ts";
import { CHEAP_KDF, PASSPHRASE, rejectsWith, withVault } from "../helpers.ts";

async function refused(work: () => Promise<unknown>, problem: SessionProblem): Promise<void> {
  const error = await rejectsWith(work, "invalid-session");
  assert.ok(error instanceof InvalidSessionError);
  assert.equal(error.problem, problem);
  assert.equal(error.cause, undefined);
}

/** A letter of base64url that differs in bits only that the end of 32 bytes does not use. */
function nextLetter(letter: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return alphabet[alphabet.indexOf(letter) + 1]!;
}

withVault("Auth.createSession() makes tokens that jose alone verifies, given the key", async ({ vault }) => {
  await vault.users.create({ tenant: "acme", name: "alice", role: "write" });
  const token = await vault.auth.createSession("acme/alice", { audience: "shop", lifetime: 60 });
  const { kid, issuer, key } = await vault.auth.exportSessionKey();
  const { payload, protectedHeader } = await jwtVerify(token, key, { audience: "shop", issuer, algorithms: ["HS256"] });
  assert.deepEqual(protectedHeader, { alg: "HS256", typ: "JWT", kid });
  assert.equal(payload.sub, "acme/alice");
  assert.equal(payload.role, "write");
  assert.equal(payload.exp! - payload.iat!, 60);
  assert.equal(issuer, (await vault.status()).vaultId);
});

withVault("Auth.verifySession() gives the user as it is now, and writes nothing", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "write" });
  const { generation } = await vault.status();
  const token = await vault.auth.createSession("alice");
  const session = await vault.auth.verifySession(token);
  assert.equal(session.user.user, "alice");
  assert.equal(session.expiresAt.getTime() - session.issuedAt.getTime(), 3_600_000);
  assert.equal((await vault.status()).generation, generation);
  await vault.users.setRole("alice", "read");
  assert.equal((await vault.auth.verifySession(token)).user.role, "read");
});

withVault("Auth.verifySession() refuses what this vault did not make", async ({ vault, folder }) => {
  await vault.users.create({ name: "alice", role: "admin" });
  const token = await vault.auth.createSession("alice");
  const { key, issuer, kid } = await vault.auth.exportSessionKey();
  const claims = decodeJwt(token);
  const [head, body, signature] = token.split(".") as [string, string, string];
  const encoded = (value: unknown) =>
    btoa(JSON.stringify(value)).replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
  const sign = (change: Record<string, unknown>, header: Record<string, unknown> = {}, under = key) =>
    new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: "HS256", typ: "JWT", kid, ...header }).sign(under);
  const now = Math.floor(Date.now() / 1000);

  await using other = await Vault.create(`${folder}/other.coffer`, { passphrase: PASSPHRASE, ...CHEAP_KDF });
  await other.users.create({ name: "alice", role: "admin" });

  const cases: readonly (readonly [what: string, token: string, problem: SessionProblem])[] = [
    ["nothing", "", "malformed"],
    ["no token", "a.b", "malformed"],
    ["a huge text", "a".repeat(5000), "malformed"],
    ["one without a signature", `${head}.${body}.`, "malformed"],
    ["one with a line end", `${token}\n`, "malformed"],
    ["one with padding", `${token}=`, "malformed"],
    ["the same signature in other letters", token.slice(0, -1) + nextLetter(token.at(-1)!), "malformed"],
    ["one of a user who is no text", await sign({ sub: 42 }), "malformed"],
    ["one of users", await sign({ sub: ["alice"] }), "malformed"],
    ["alg none", new UnsecuredJWT(claims).encode(), "malformed"],
    ["alg none with a signature", `${encoded({ alg: "none", typ: "JWT", kid })}.${body}.${signature}`, "malformed"],
    ["another algorithm", await sign({}, { alg: "HS512" }, new Uint8Array(64).fill(1)), "malformed"],
    ["another vault's", await other.auth.createSession("alice"), "signature"],
    ["another key's", await sign({}, {}, new Uint8Array(32)), "signature"],
    ["an unknown key's", await sign({}, { kid: "2" }), "signature"],
    ["changed claims", `${head}.${encoded({ ...claims, sub: "root" })}.${signature}`, "signature"],
    ["another audience's", await vault.auth.createSession("alice", { audience: "shop" }), "audience"],
    ["an expired one", await sign({ iat: now - 7200, exp: now - 3600 }), "expired"],
    ["one that begins later", await sign({ nbf: now + 3600 }), "not-yet-valid"],
    ["one made in the future", await sign({ iat: now + 3600, exp: now + 7200 }), "not-yet-valid"],
    ["one without an end", await sign({ exp: undefined }), "malformed"],
    ["one without a user", await sign({ sub: undefined }), "malformed"],
    ["one of no user's name", await sign({ sub: "a/b/c" }), "revoked"],
    ["one of a user who is not there", await sign({ sub: "bob" }), "revoked"],
    ["one of another issuer", await sign({ iss: "f".repeat(32) }), "malformed"],
    ["one of another type", await sign({}, { typ: "at+jwt" }), "malformed"],
  ];
  for (const [what, text, problem] of cases) {
    await refused(() => vault.auth.verifySession(text), problem).catch((error) => {
      throw new Error(`${what}: ${error.message}`, { cause: error });
    });
  }
  assert.equal((await vault.auth.verifySession(token)).user.user, "alice");
  assert.equal(decodeProtectedHeader(token).kid, kid);
  assert.equal(claims.iss, issuer);
  // What is tampered with at any one place is refused, or says the same.
  for (let at = 0; at < token.length; at += 7) {
    const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    await rejectsWith(() => vault.auth.verifySession(changed), "invalid-session");
  }
});

withVault("Auth.createSession() refuses lifetimes, audiences and users out of bounds", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "read" });
  for (const lifetime of [0, -1, 1.5, Number.NaN, Infinity, 30 * 24 * 3600 + 1]) {
    await assert.rejects(vault.auth.createSession("alice", { lifetime }), RangeError);
  }
  await assert.rejects(vault.auth.createSession("alice", { audience: "" }), RangeError);
  await assert.rejects(vault.auth.createSession("alice", { audience: "x".repeat(257) }), RangeError);
  await vault.users.disable("alice");
  await rejectsWith(() => vault.auth.createSession("alice"), "user-disabled");
});

withVault("Sessions end when they are revoked, and new ones count at once", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "read", password: "one password" });
  await vault.users.create({ name: "bob", role: "read" });
  const bob = await vault.auth.createSession("bob");
  const ways: readonly (readonly [what: string, end: () => Promise<unknown>])[] = [
    ["revokeSessions", () => vault.auth.revokeSessions("alice")],
    ["setPassword", () => vault.users.setPassword("alice", "another password")],
    ["disable", async () => (await vault.users.disable("alice"), await vault.users.enable("alice"))],
    ["delete", async () => {
      await vault.users.delete("alice");
      await vault.users.create({ name: "alice", role: "read" });
    }],
    ["revoke, twice within a second", async () => {
      await vault.auth.revokeSessions("alice");
      await vault.auth.revokeSessions("alice");
    }],
  ];
  for (const [what, end] of ways) {
    const token = await vault.auth.createSession("alice");
    assert.equal((await vault.auth.verifySession(token)).user.user, "alice", what);
    await end();
    await refused(() => vault.auth.verifySession(token), "revoked");
    assert.equal((await vault.auth.verifySession(await vault.auth.createSession("alice"))).user.user, "alice", what);
  }
  assert.equal((await vault.auth.verifySession(bob)).user.user, "bob");
  const alice = await vault.auth.createSession("alice");
  await vault.auth.revokeSessions();
  for (const token of [alice, bob]) await refused(() => vault.auth.verifySession(token), "revoked");
  assert.equal((await vault.auth.verifySession(await vault.auth.createSession("bob"))).user.user, "bob");
});

withVault("Sessions are revoked for a vault that another process has open", async ({ vault, path }) => {
  await vault.users.create({ name: "alice", role: "read" });
  await using other = await Vault.open(path, { passphrase: PASSPHRASE });
  const token = await other.auth.createSession("alice");
  await vault.auth.revokeSessions("alice");
  await refused(() => other.auth.verifySession(token, { maxAge: 0 }), "revoked");
});

withVault("Sessions outlive one new vault key, and not a second", async ({ vault, path }) => {
  const credentials = [{ passphrase: PASSPHRASE }];
  await vault.users.create({ name: "alice", role: "read" });
  const first = await vault.auth.createSession("alice");
  await vault.rotate({ credentials });
  assert.equal((await vault.auth.verifySession(first)).user.user, "alice");
  const second = await vault.auth.createSession("alice");
  assert.equal(decodeProtectedHeader(second).kid, "2");
  {
    await using again = await Vault.open(path, { passphrase: PASSPHRASE });
    for (const token of [first, second]) assert.equal((await again.auth.verifySession(token)).user.user, "alice");
  }
  await vault.rotate({ credentials });
  await refused(() => vault.auth.verifySession(first), "signature");
  assert.equal((await vault.auth.verifySession(second)).user.user, "alice");
});
