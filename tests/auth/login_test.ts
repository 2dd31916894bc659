import assert from "node:assert/strict";
import { CofferError, newScramVerifier, TooManyAttemptsError, Vault } from "../../mod.ts";
import { PASSPHRASE, rejectsWith, withVault } from "../helpers.ts";

const PASSWORD = "correct horse";

/** Runs work at another time. */
async function at<T>(time: number, work: () => Promise<T>): Promise<T> {
  const { now } = Date;
  Date.now = () => time;
  try {
    return await work();
  } finally {
    Date.now = now;
  }
}

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "ok";
  } catch (error) {
    if (error instanceof CofferError) return error.code;
    throw error;
  }
}

/** Does something while a login hashes the password. */
async function whileHashing(work: () => Promise<unknown>, login: () => Promise<unknown>): Promise<void> {
  const { subtle } = crypto;
  const { deriveBits } = subtle;
  subtle.deriveBits = async function (algorithm, ...rest) {
    const bits = await deriveBits.call(this, algorithm, ...rest);
    if ((algorithm as { name: string }).name !== "Argon2id") return bits;
    subtle.deriveBits = deriveBits;
    await work();
    return bits;
  };
  try {
    await login();
  } finally {
    subtle.deriveBits = deriveBits;
  }
}

withVault("Auth.login() answers alike whether or not there is a user", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  await vault.users.create({ name: "off", role: "read", password: PASSWORD, enabled: false });
  await vault.users.create({ name: "keys-only", role: "read" });
  const answers = new Set<string>();
  for (const [user, password] of [["alice", "wrong"], ["nobody", PASSWORD], ["off", PASSWORD], ["keys-only", "x"]]) {
    const error = await rejectsWith(() => vault.auth.login(user!, password!), "wrong-login");
    answers.add(JSON.stringify([error.message, error.hint, error.exitCode, error.cause]));
  }
  assert.equal(answers.size, 1);
  await rejectsWith(() => vault.auth.login("alice", ""), "invalid-password");
  await rejectsWith(() => vault.auth.login("alice", "x".repeat(1025)), "invalid-password");
  await rejectsWith(() => vault.auth.login("alice", PASSWORD, { source: "x".repeat(257) }), "invalid-metadata");
});

withVault("Auth.login() derives one hash for a name that is none, as for one that is", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  const derived: unknown[] = [];
  const { subtle } = crypto;
  const { deriveBits } = subtle;
  subtle.deriveBits = function (algorithm, ...rest) {
    const { name, memory, passes } = algorithm as unknown as { name: string; memory?: number; passes?: number };
    derived.push([name, memory, passes]);
    return deriveBits.call(this, algorithm, ...rest);
  };
  try {
    const work: unknown[] = [];
    for (const user of ["alice", "nobody"]) {
      await rejectsWith(() => vault.auth.login(user, "wrong"), "wrong-login");
      work.push(derived.splice(0).filter((one) => (one as string[])[0] !== "HKDF"));
    }
    assert.deepEqual(work[0], work[1]);
    assert.deepEqual(work[0], [["Argon2id", 19456, 2]]);
  } finally {
    subtle.deriveBits = deriveBits;
  }
});

withVault("Auth.login() keeps a password anew that was kept under less than today's cost", async ({ vault }) => {
  // The `argon2` program's, of 4 MiB and one pass: printf %s 'correct horse' | argon2 somesalt -id -t 1 -k 4096 -p 1 -e
  const passwordHash = "$argon2id$v=19$m=4096,t=1,p=1$c29tZXNhbHQ$0lenLt0R0pllEs6ewSJ1ErtrlDOisTMfyqNgBTYcMfk";
  await vault.users.create({ name: "alice", role: "read", passwordHash });
  await rejectsWith(() => vault.auth.login("alice", "wrong"), "wrong-login");
  // The failure is written down at a time of its own, so commits are no measure here.
  const rehashed = async () => {
    const told = [];
    for await (const { name } of vault.audit.entries({ operation: "user.rehash" })) told.push(name);
    return told;
  };
  assert.deepEqual(await rehashed(), []);
  await vault.auth.login("alice", PASSWORD);
  assert.equal((await vault.users.get("alice")).hasScram, true);
  assert.deepEqual(await rehashed(), ["alice"]);
  await vault.auth.login("alice", PASSWORD);
  assert.deepEqual(await rehashed(), ["alice"]);
});

withVault("Auth.login() leaves a verifier alone that was set while it hashed the password", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "read", scram: await newScramVerifier(PASSWORD) });
  const next = await newScramVerifier("the next one");
  const { subtle } = crypto;
  const { deriveBits } = subtle;
  let hashes = 0;
  subtle.deriveBits = async function (algorithm, ...rest) {
    // The first is the one that every login takes, the second is the new hash.
    if ((algorithm as { name: string }).name === "Argon2id" && ++hashes === 2) {
      subtle.deriveBits = deriveBits;
      await vault.users.setPassword("alice", { scram: next });
    }
    return await deriveBits.call(this, algorithm, ...rest);
  };
  try {
    await vault.auth.login("alice", PASSWORD);
  } finally {
    subtle.deriveBits = deriveBits;
  }
  assert.equal(hashes, 2);
  await rejectsWith(() => vault.auth.login("alice", PASSWORD), "wrong-login");
  await vault.auth.login("alice", "the next one");
});

withVault(
  "Auth.login() makes the next try wait after five failures, and lets go after a success",
  async ({ vault }) => {
    await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
    await vault.users.create({ name: "bob", role: "read", password: PASSWORD });
    const start = Date.now();
    for (let i = 0; i < 5; i++) await rejectsWith(() => vault.auth.login("alice", "wrong"), "wrong-login");
    const error = await rejectsWith(() => vault.auth.login("alice", PASSWORD), "too-many-attempts");
    assert.ok(error instanceof TooManyAttemptsError);
    assert.ok(error.retryAfter > 0 && error.retryAfter <= 1000);
    assert.match(error.message, /log in/);
    // Others are not held up by it.
    await vault.auth.login("bob", PASSWORD);
    // Each further failure doubles the wait, up to 15 minutes.
    let time = start + 3_600_000;
    for (let wait = 2_000; wait < 15 * 60_000; wait *= 2) {
      await at(time, () => rejectsWith(() => vault.auth.login("alice", "wrong"), "wrong-login"));
      assert.equal(
        await at(time + wait - 1, () => codeOf(() => vault.auth.login("alice", PASSWORD))),
        "too-many-attempts",
      );
      time += wait;
    }
    await at(time, () => rejectsWith(() => vault.auth.login("alice", "wrong"), "wrong-login"));
    assert.equal(
      await at(time + 15 * 60_000 - 1, () => codeOf(() => vault.auth.login("alice", PASSWORD))),
      "too-many-attempts",
    );
    assert.equal(await at(time + 15 * 60_000, () => codeOf(() => vault.auth.login("alice", PASSWORD))), "ok");
    await at(time + 15 * 60_000, () => rejectsWith(() => vault.auth.login("alice", "wrong"), "wrong-login"));
    assert.equal(await at(time + 15 * 60_000, () => codeOf(() => vault.auth.login("alice", PASSWORD))), "ok");
  },
);

withVault("Auth.login() counts for a name that is none just as for one that is", async ({ vault }) => {
  for (const name of ["nobody", "alice"]) {
    if (name === "alice") await vault.users.create({ name, role: "read", password: PASSWORD });
    const codes = [];
    for (let i = 0; i < 6; i++) codes.push(await codeOf(() => vault.auth.login(name, "wrong")));
    assert.deepEqual(codes, [...Array(5).fill("wrong-login"), "too-many-attempts"], name);
  }
});

withVault("Auth.login() counts per source, over names", async ({ vault }) => {
  await vault.users.create({ name: "mallory", role: "read", password: PASSWORD });
  const spray = (name: string) => codeOf(() => vault.auth.login(name, "wrong", { source: "198.51.100.9" }));
  for (const name of ["a", "b", "c"]) assert.equal(await spray(name), "wrong-login");
  // A success takes away what failed under that name, not what failed under others.
  assert.equal(await spray("mallory"), "wrong-login");
  await vault.auth.login("mallory", PASSWORD, { source: "198.51.100.9" });
  assert.equal(await spray("d"), "wrong-login");
  assert.equal(await spray("e"), "wrong-login");
  assert.equal(await spray("f"), "too-many-attempts");
  // Another source is not held up by it.
  await vault.auth.login("mallory", PASSWORD, { source: "203.0.113.5" });
});

withVault("Auth.login() answers tries begun at once as if made one after another", async ({ vault }) => {
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  const passwords = [...Array.from({ length: 11 }, (_, i) => `wrong ${i}`), PASSWORD];
  const codes = await at(Date.now(), () => {
    return Promise.all(passwords.map((password) => codeOf(() => vault.auth.login("alice", password))));
  });
  // The right one may have been among the first; guesses beyond the fifth are not told from it.
  const told = codes.filter((code) => code === "wrong-login").length;
  assert.ok(told <= (codes.includes("ok") ? 10 : 5), codes.join());
  assert.ok(codes.includes("ok") || codes.filter((code) => code === "too-many-attempts").length === 7, codes.join());
});

withVault("Auth.login() counts what failed in another process while it hashed the password", async (test) => {
  const { vault, path } = test;
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  await whileHashing(async () => {
    await using other = await Vault.open(path, { passphrase: PASSPHRASE });
    for (let i = 0; i < 6; i++) await codeOf(() => other.auth.login("alice", `wrong ${i}`));
  }, () => rejectsWith(() => vault.auth.login("alice", PASSWORD), "too-many-attempts"));
});

withVault("Auth.login() lets nobody in who may not log in any more once the password is hashed", async (test) => {
  const { vault, path } = test;
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  await using other = await Vault.open(path, { passphrase: PASSPHRASE });
  const changes = [
    () => other.users.setPassword("alice", "another one"),
    () => other.users.disable("alice"),
  ];
  for (const change of changes) {
    await vault.users.setPassword("alice", PASSWORD);
    await whileHashing(change, () => rejectsWith(() => vault.auth.login("alice", PASSWORD), "wrong-login"));
  }
});

withVault("Auth.login() keeps its counts over a close, and does not let the clock shorten the wait", async (test) => {
  const { vault, path } = test;
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  for (let i = 0; i < 8; i++) {
    await at(Date.now() + i * 100_000, () => codeOf(() => vault.auth.login("alice", "wrong")));
  }
  await vault.close();
  await using again = await Vault.open(path, { passphrase: PASSPHRASE });
  // The last failure lies ahead of this clock: the whole wait of eight seconds counts from now on, and passes.
  const now = Date.now();
  assert.equal(await at(now, () => codeOf(() => again.auth.login("alice", PASSWORD))), "too-many-attempts");
  assert.equal(await at(now + 7_999, () => codeOf(() => again.auth.login("alice", PASSWORD))), "too-many-attempts");
  assert.equal(await at(now + 8_000, () => codeOf(() => again.auth.login("alice", PASSWORD))), "ok");
});

withVault("Failed logins stand in the log in batches, and a name that is none stands nowhere", async (test) => {
  const { vault, path } = test;
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  const { generation } = await vault.status();
  await codeOf(() => vault.auth.login("alice", "wrong"));
  await codeOf(() => vault.auth.login("alice", "wrong"));
  await codeOf(() => vault.auth.login("my password by mistake", "x", { source: "198.51.100.9" }));
  await vault.close();
  await using again = await Vault.open(path, { passphrase: PASSPHRASE });
  assert.equal((await again.status()).generation, generation + 1);
  const told = [];
  for await (const { name, count } of again.audit.entries({ operation: "login.failed" })) told.push([name, count]);
  assert.deepEqual(told, [["alice", 2], [undefined, 1]]);
});

withVault("Auth.login() works on a backup, which is not written to", async ({ vault, folder }) => {
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  const { key } = await vault.apiKeys.create({ owner: "alice" });
  const { bytes } = await vault.backup();
  const path = `${folder}/backup.coffer`;
  await Deno.writeFile(path, bytes, { mode: 0o600 });
  await using backup = await Vault.open(path, { passphrase: PASSPHRASE });
  await rejectsWith(() => backup.auth.login("alice", "wrong"), "wrong-login");
  assert.equal((await backup.auth.login("alice", PASSWORD)).name, "alice");
  assert.equal((await backup.apiKeys.check(key)).name, "alice");
  await rejectsWith(() => backup.users.disable("alice"), "backup-read-only");
});

withVault("Auth.login() forgives failures without the reason that changes need", async ({ vault, path }) => {
  await vault.users.create({ name: "alice", role: "read", password: PASSWORD });
  await codeOf(() => vault.auth.login("alice", "wrong"));
  await vault.policies.set("require-reason", true);
  await vault.close();
  {
    await using again = await Vault.open(path, { passphrase: PASSPHRASE });
    await again.auth.login("alice", PASSWORD);
  }
  await using third = await Vault.open(path, { passphrase: PASSPHRASE });
  for (let i = 0; i < 5; i++) assert.equal(await codeOf(() => third.auth.login("alice", "wrong")), "wrong-login");
});
