import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { KeyPair, RedDbVault, type User } from "../../lib/reddb/mod.ts";
import { Vault } from "../../mod.ts";
import { type Sandbox, sandbox } from "./coffer.ts";
import { killed, sweepTemporary } from "./kill.ts";
import { bootstrapped } from "./reddb.ts";

const KINDS = ["secrets", "users", "apiKeys"] as const;

/** A coffer vault and a RedDB vault that has an entry; gives the flags that import it. */
async function both(box: Sandbox): Promise<{ path: string; key: readonly string[]; apiKey: string; from: string[] }> {
  await box.init("--no-recovery", "--no-audit-reads");
  const app = await bootstrapped(box);
  await box.ok(["reddb", "set", app.path, "db/url", "--value", "postgres://", ...app.key]);
  return { ...app, from: [app.path, "--reddb-certificate-file", box.path("certificate"), ...box.key] };
}

async function withVault<T>(box: Sandbox, use: (vault: Vault) => Promise<T>): Promise<T> {
  await using vault = await Vault.open(box.vault, { keyFile: Deno.readFileSync(box.path("key")) });
  return await use(vault);
}

async function addUsers(box: Sandbox, path: string, ...users: readonly Partial<User>[]): Promise<void> {
  const certificate = Deno.readTextFileSync(box.path("certificate"));
  await using vault = await RedDbVault.openWithoutEnvironment(path, { certificate });
  await vault.update(({ users: all }) => {
    for (const user of users) all.push({ ...all[0]!, ...user });
  });
}

Deno.test("coffer reddb import takes a vault over in one commit, and a second time changes nothing", () =>
  sandbox(async (box) => {
    const { path, apiKey, from } = await both(box);
    const first = await box.json(["reddb", "import", ...from]);
    assert.deepEqual(KINDS.map((kind) => first[kind].imported), [
      ["red.secret.aes_key", "db/url"],
      ["root"],
      [{ owner: "root", name: "bootstrap" }],
    ]);
    assert.deepEqual([first.masterSecret, first.bootstrapped, first.certificate], ["imported", "imported", "none"]);
    assert.deepEqual([first.refused, first.notices, first.dryRun], [[], [], false]);
    assert.deepEqual(first.leftOut, { users: 0, apiKeys: 0, masterSecret: false, lines: 0 });
    assert.equal((await box.json(["status"])).generation, 2, "one commit for all");
    assert.equal((await box.ok(["get", "db/url", ...box.key])).out, "postgres://");
    const second = await box.json(["reddb", "import", ...from]);
    assert.deepEqual(KINDS.map((kind) => second[kind].unchanged.length), [2, 1, 1]);
    assert.equal((await box.json(["status"])).generation, 2);
    const { err, out } = await box.ok(["reddb", "import", ...from]);
    assert.match(err, /Imported 0 secrets, 0 users, 0 API keys; 4 unchanged, 0 skipped/);
    assert.ok(!`${err}${out}`.includes(apiKey));

    const certificate = Deno.readTextFileSync(box.path("certificate"));
    await using reddb = await RedDbVault.openWithoutEnvironment(path, { certificate });
    const pair = await KeyPair.fromMasterSecret((await reddb.load())!.masterSecret!);
    await withVault(box, async (vault) => {
      assert.equal((await vault.auth.login("root", "a long password")).role, "admin");
      assert.equal((await vault.apiKeys.check(apiKey)).user, "root");
      assert.ok(await vault.keyPair.verify(encodeUtf8("x"), await pair.sign(encodeUtf8("x"))));
    });
    assert.deepEqual((await box.json(["reddb", "import", ...from])).users.unchanged, ["root"]);
  }));

Deno.test("coffer reddb import does with what differs what --on-conflict says", () =>
  sandbox(async (box) => {
    const { path, key, from } = await both(box);
    await box.ok(["reddb", "import", ...from]);
    await box.ok(["set", "db/url", "--value", "other", ...box.key]);
    await box.fails(["reddb", "import", ...from], "secret-exists", 10);
    const skipped = await box.json(["reddb", "import", ...from, "--on-conflict", "skip"]);
    assert.deepEqual(skipped.secrets.skipped, ["db/url"]);
    assert.equal((await box.ok(["get", "db/url", ...box.key])).out, "other");
    const overwritten = await box.json(["reddb", "import", ...from, "--on-conflict", "overwrite"]);
    assert.deepEqual(overwritten.secrets.overwritten, ["db/url"]);
    assert.equal((await box.ok(["get", "db/url", ...box.key])).out, "postgres://");

    const { out: text } = await box.ok(["reddb", "export", path, ...key]);
    const [, ...flags] = from;
    const prefixed = await box.json(["reddb", "import", "-", ...flags, "--prefix", "old/"], { stdin: text });
    assert.deepEqual(prefixed.secrets.imported.sort(), ["old/db/url", "old/red.secret.aes_key"]);
    const spaced = box.file("spaced.rdvx", `\n  ${text.toUpperCase()}\r\n`);
    const { secrets } = await box.json(["reddb", "import", spaced, ...flags, "--prefix", "old/"]);
    assert.equal(secrets.unchanged.length, 2);
    const foreign = box.file("foreign.rdvx", text.replace(/^../, "00"));
    await box.fails(["reddb", "import", foreign, ...flags], "reddb-corrupt", 6);
  }));

Deno.test("coffer reddb import with --dry-run says what it would do, with --no-users what it leaves", () =>
  sandbox(async (box) => {
    const { from } = await both(box);
    const dry = await box.ok(["reddb", "import", ...from, "--dry-run", "--keep-certificate"]);
    assert.match(dry.err, /Would import 2 secrets, 1 user, 1 API key, the master secret, the certificate; 0 unchanged/);
    assert.equal((await box.json(["status"])).generation, 1);
    const { err } = await box.ok(["reddb", "import", ...from, "--no-users"]);
    assert.match(err, /Imported 2 secrets, 0 users/);
    assert.match(err, /Not taken over: 1 user, 1 API key, the master secret/);
    assert.deepEqual(await withVault(box, (vault) => vault.users.list()), []);
  }));

Deno.test("coffer reddb import with --keep-certificate lets RedDB's certificate open the vault", () =>
  sandbox(async (box) => {
    const { from } = await both(box);
    await box.ok(["reddb", "import", ...from]);
    const open = ["ls", "--certificate-file", box.path("certificate")];
    await box.fails(open, "wrong-credential", 4);
    assert.equal((await box.json(["reddb", "import", ...from, "--keep-certificate"])).certificate, "imported");
    await box.ok(open);
    assert.equal((await box.json(["reddb", "import", ...from, "--keep-certificate"])).certificate, "unchanged");
  }));

Deno.test("coffer reddb import refuses what cannot be taken over, before it opens the vault, or leaves it out", () =>
  sandbox(async (box) => {
    const { path, key, from } = await both(box);
    await addUsers(
      box,
      path,
      { username: "a/b" },
      { username: "carol", tenant: "acme", scram: null, passwordHash: "h", createdAt: 2n ** 100n },
    );
    await box.ok(["reddb", "set", path, "x".repeat(513), "--value", "1", ...key]);
    // Which key opens the vault plays no part yet.
    const wrong = [path, "--reddb-certificate-file", box.path("certificate"), "--keyfile", box.path("certificate")];
    for (const flags of [from, wrong]) {
      const { err } = await box.fails(["reddb", "import", ...flags], "import-refused", 2);
      assert.match(err, /secret 3, .*longer than 512.*user 2, .*slash/);
      assert.ok(!err.includes("a/b"));
    }
    assert.deepEqual(await box.json(["ls", ...box.key]), []);
    const { err } = await box.ok(["reddb", "import", ...from, "--skip-invalid"]);
    assert.match(err, /Imported 2 secrets, 2 users, 1 API key, the master secret/);
    for (const line of [/Left out: secret 3/, /Left out: user 2/, /new password is needed: acme\/carol/]) {
      assert.match(err, line);
    }
    assert.match(err, /later than any date.*acme\/carol/);
  }));

Deno.test({
  name: "coffer reddb import reads an export from a pipe with a name",
  ignore: Deno.build.os === "windows",
  fn: () =>
    sandbox(async (box) => {
      const { path, key, from: [, ...flags] } = await both(box);
      const { out: text } = await box.ok(["reddb", "export", path, ...key]);
      const pipe = box.path("pipe");
      assert.ok((await new Deno.Command("mkfifo", { args: ["-m", "600", pipe] }).output()).success);
      const [{ secrets }] = await Promise.all([
        box.json(["reddb", "import", pipe, ...flags]),
        Deno.writeTextFile(pipe, text, { create: false }),
      ]);
      assert.deepEqual(secrets.imported, ["red.secret.aes_key", "db/url"]);
    }),
});

Deno.test("coffer reddb import that is killed leaves all of it or nothing", () =>
  sandbox(async (box) => {
    const { path, from } = await both(box);
    await addUsers(box, path, ...Array.from({ length: 500 }, (_, index) => ({ username: `user-${index}` })));
    const before = [box.vault, `${box.vault}.anchor`].map((file) => [file, Deno.readFileSync(file)] as const);
    const seen = new Set<number>();
    for (let round = 0; round < (Deno.env.get("COFFER_DEEP") === "1" ? 40 : 4); round++) {
      const { code } = await killed(box, ["reddb", "import", ...from], round % 2 === 1, 600);
      sweepTemporary(box);
      const [users, secrets] = await withVault(box, async (vault) => [
        (await vault.users.list()).length,
        (await vault.secrets.list()).length,
      ]);
      seen.add(users!);
      assert.ok(
        (users === 0 && secrets === 0 && code !== 0) || (users === 501 && secrets === 2),
        `${users} ${secrets}`,
      );
      for (const [file, bytes] of before) Deno.writeFileSync(file, bytes);
    }
    assert.ok(seen.size > 0);
  }));
