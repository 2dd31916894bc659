import assert from "node:assert/strict";
import { decodeHex } from "../../lib/bytes.ts";
import { checkRedDbFile, RedDbVault, unsealLogicalExport } from "../../lib/reddb/mod.ts";
import { sandbox } from "./coffer.ts";
import { bootstrapped, copied, INDEX, VECTORS } from "./reddb.ts";

/** Error code and exit code by the words of the index. */
const ERRORS: Readonly<Record<string, readonly [code: string, exit: number]>> = {
  "corrupt": ["reddb-corrupt", 6],
  "corrupt-or-decryption": ["reddb-corrupt", 6],
  "decryption": ["reddb-decryption", 4],
  "legacy": ["reddb-legacy", 6],
  "unsupported": ["reddb-unsupported", 6],
};

for (const vector of INDEX) {
  Deno.test(`coffer reddb on ${vector.file} answers as the index of the vectors says`, () =>
    sandbox(async (box) => {
      const { path, key } = copied(box, vector);
      const before = Deno.readFileSync(path);
      const command = ["reddb", vector.file.endsWith(".rdvx") ? "unseal" : "show", path, ...key];
      if (vector.error !== undefined) await box.fails(command, ...ERRORS[vector.error]!);
      else assert.deepEqual(await box.json([...command, "--reveal"]), vector.state ?? null);
      assert.deepEqual(Deno.readFileSync(path), before, "no byte of the file changes");
    }));
}

Deno.test("coffer reddb show hides every secret unless --reveal is given", () =>
  sandbox(async (box) => {
    const { path, key } = copied(box, INDEX.find(({ file }) => file === "certificate.rdb")!);
    const whole = JSON.stringify(await box.json(["reddb", "show", path, ...key, "--reveal"]));
    const texts = [
      (await box.ok(["reddb", "show", path, ...key])).out,
      JSON.stringify(await box.json(["reddb", "show", path, ...key])),
    ];
    for (const secret of ["rk_abc123", "argon2id$", "6ca4025a", "f92f7b87", "a48adf54", "4b342372", "72656464"]) {
      assert.ok(whole.includes(secret), secret);
      for (const text of texts) assert.ok(!text.includes(secret), secret);
    }
    assert.match(texts[0]!, /acme\/alice/);
  }));

Deno.test("coffer reddb bootstrap makes a vault that only its certificate opens, once", () =>
  sandbox(async (box) => {
    const { path, key, apiKey } = await bootstrapped(box);
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    const state = await box.json(["reddb", "show", path, ...key, "--reveal"]);
    const [user] = state.users;
    assert.deepEqual([state.bootstrapped, user.username, user.role, user.tenant_id], [true, "root", "admin", null]);
    assert.match(user.password_hash, /^argon2id\$[0-9a-f]{32}\$[0-9a-f]{64}$/);
    assert.equal(user.scram_verifier.iter, 16384);
    assert.match(apiKey, /^rk_[0-9a-f]{64}$/);
    assert.deepEqual(state.api_keys.map((key: { key: string }) => key.key), [apiKey]);
    await box.fails(["reddb", "show", path, "--passphrase-file", box.path("password")], "reddb-decryption", 4);
    const again = ["reddb", "bootstrap", path, "--user", "other", "--password-file", box.path("password")];
    const before = Deno.readFileSync(path);
    await box.fails(again, "vault-exists", 10);
    assert.deepEqual(Deno.readFileSync(path), before);
  }));

Deno.test("coffer reddb bootstrap writes the certificate to a private file, and shows it nowhere then", () =>
  sandbox(async (box) => {
    const path = box.path("app.rdb");
    const out = box.path("cert");
    const flags = ["--user", "root", "--password-file", box.file("password", "a long password\n")];
    const { out: text } = await box.ok(["reddb", "bootstrap", path, ...flags, "--certificate-out", out]);
    const certificate = Deno.readTextFileSync(out).trim();
    assert.match(certificate, /^[0-9a-f]{64}$/);
    assert.ok(!text.includes(certificate));
    assert.equal(Deno.statSync(out).mode! & 0o777, 0o600);
    await box.ok(["reddb", "show", path, "--certificate-file", out]);
    await box.fails(
      ["reddb", "bootstrap", box.path("b.rdb"), ...flags, "--certificate-out", out],
      "file-exists",
      10,
    );
    assert.ok(![...Deno.readDirSync(box.folder)].some(({ name }) => name === "b.rdb"));
  }));

Deno.test("coffer reddb bootstrap refuses bad input before it makes a file", () =>
  sandbox(async (box) => {
    const path = box.path("app.rdb");
    const password = ["--password-file", box.file("password", "a long password\n")];
    await box.fails(["reddb", "bootstrap", path, ...password], "usage", 2);
    await box.fails(["reddb", "bootstrap", path, "--user", "a\tb", ...password], "invalid-metadata", 2);
    await box.fails(["reddb", "bootstrap", path, "--user", "a"], "no-credential", 4);
    await box.fails(
      ["reddb", "bootstrap", path, "--user", "a", "--password-file", box.file("none", "\n")],
      "malformed-credential",
      4,
    );
    assert.deepEqual([...Deno.readDirSync(box.folder)].map(({ name }) => name).sort(), ["none", "password"]);
  }));

Deno.test("coffer reddb bootstrap puts a vault in the place of one of version 1 only when told to", () =>
  sandbox(async (box) => {
    const { path } = copied(box, INDEX.find(({ file }) => file === "version-1.rdb")!);
    const flags = ["--user", "root", "--password-file", box.file("password", "a long password\n")];
    const before = Deno.readFileSync(path);
    await box.fails(["reddb", "bootstrap", path, ...flags], "vault-exists", 10);
    assert.deepEqual(Deno.readFileSync(path), before);
    const { certificate } = await box.json(["reddb", "bootstrap", path, ...flags, "--replace-legacy"]);
    await box.ok(["reddb", "show", path, "--certificate-file", box.file("cert", certificate)]);
  }));

Deno.test("coffer reddb bootstrap shows no certificate for a file that nothing can be saved to", () =>
  sandbox(async (box) => {
    const flags = ["--user", "a", "--password-file", box.file("password", "a long password\n")];
    const damaged = (at: number, value: number, file = "no-vault.rdb") => {
      const bytes = Deno.readFileSync(new URL(file, VECTORS));
      new DataView(bytes.buffer).setUint32(at, value, true);
      return bytes;
    };
    const files = [
      ["reddb-page-file", new TextEncoder().encode("no page file")],
      ["reddb-page-file", damaged(32 + 12, 2 ** 32 - 1)],
      ["reddb-page-file", damaged(32 + 16, 2)],
      ["reddb-corrupt", damaged(2 * 4096 + 32, 1, "single-page.rdb")],
    ] as const;
    for (const [code, bytes] of files) {
      const path = box.file("app.rdb", bytes);
      await box.fails(["reddb", "bootstrap", path, ...flags], code, 6);
      assert.deepEqual(Deno.readFileSync(path), bytes);
    }
  }));

Deno.test("coffer reddb bootstrap makes no vault when nobody reads the certificate", () =>
  sandbox(async (box) => {
    const flags = ["--user", "a", "--password-file", box.file("password", "a long password\n")];
    for (const out of [[], ["--certificate-out", box.path("cert")]]) {
      const child = box.spawn(["reddb", "bootstrap", box.path("app.rdb"), ...flags, ...out]);
      await child.stdout.cancel();
      const { code } = await child.status;
      const err = await new Response(child.stderr).text();
      assert.equal(code, 1, err);
      assert.match(err, /standard output/);
      assert.deepEqual([...Deno.readDirSync(box.folder)].map(({ name }) => name), ["password"]);
    }
  }));

Deno.test("coffer reddb bootstrap, twice at once, makes one vault", () =>
  sandbox(async (box) => {
    const path = box.path("app.rdb");
    const flags = ["--json", "--password-file", box.file("password", "a long password\n")];
    const results = await Promise.all(
      ["a", "b", "c"].map((user) => box.run(["reddb", "bootstrap", path, "--user", user, ...flags])),
    );
    const [winner, ...others] = results.filter(({ code }) => code === 0);
    assert.ok(winner !== undefined && others.length === 0);
    for (const { code } of results) assert.ok(code === 0 || code === 10);
    const { certificate, user } = JSON.parse(winner.out);
    const key = ["--certificate-file", box.file("cert", certificate)];
    assert.equal((await box.json(["reddb", "show", path, ...key])).users[0].username, user);
  }));

Deno.test("coffer reddb set and rm change one entry and lose nothing else", () =>
  sandbox(async (box) => {
    const { path, key } = await bootstrapped(box);
    const before = await box.json(["reddb", "show", path, ...key, "--reveal"]);
    await box.ok(["reddb", "set", path, "db/url", "--stdin", ...key], { stdin: "line one\nline\ttwo ✓" });
    const { kv, ...rest } = await box.json(["reddb", "show", path, ...key, "--reveal"]);
    assert.equal(kv["db/url"], "line one\nline\ttwo ✓");
    assert.deepEqual({ ...rest, kv: before.kv }, before);
    await box.ok(["reddb", "rm", path, "db/url", ...key]);
    assert.deepEqual(await box.json(["reddb", "show", path, ...key, "--reveal"]), before);
    await box.fails(["reddb", "rm", path, "db/url", ...key], "secret-not-found", 3);
    await box.fails(["reddb", "set", path, "a\tb", "--value", "x", ...key], "invalid-metadata", 2);
    const binary = box.file("binary", Uint8Array.of(0xff, 0xfe));
    await box.fails(["reddb", "set", path, "a", "--file", binary, ...key], "malformed-text", 2);
    assert.deepEqual((await checkRedDbFile(path)).problems, []);
  }));

Deno.test("coffer reddb set from several processes at once loses no entry", () =>
  sandbox(async (box) => {
    const { path, key } = await bootstrapped(box);
    const names = Array.from({ length: 6 }, (_, index) => `entry/${index}`);
    await Promise.all(names.map((name) => box.ok(["reddb", "set", path, name, "--value", name, ...key])));
    const { kv } = await box.json(["reddb", "show", path, ...key, "--reveal"]);
    for (const name of names) assert.equal(kv[name], name);
  }));

Deno.test("coffer reddb export and unseal carry a vault as text", () =>
  sandbox(async (box) => {
    const { path, key } = await bootstrapped(box);
    const state = await box.json(["reddb", "show", path, ...key, "--reveal"]);
    const { out: text } = await box.ok(["reddb", "export", path, ...key]);
    assert.match(text, /^52445658[0-9a-f]+\n$/);
    assert.deepEqual(await box.json(["reddb", "unseal", "-", ...key, "--reveal"], { stdin: text }), state);
    const out = box.path("export.rdvx");
    assert.deepEqual(await box.json(["reddb", "export", path, ...key, "--out", out]), { out });
    assert.equal(Deno.statSync(out).mode! & 0o777, 0o600);
    assert.deepEqual(await box.json(["reddb", "unseal", out, ...key, "--reveal"]), state);
    await box.fails(["reddb", "export", path, ...key, "--out", out], "file-exists", 10);
    const certificate = decodeHex(Deno.readTextFileSync(box.path("certificate")));
    assert.equal((await unsealLogicalExport(text, { certificate })).users.length, 1);
  }));

Deno.test("coffer reddb write puts secrets into a new file, and into one that has others", () =>
  sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "db/url", "--value", "postgres://", ...box.key]);
    await box.ok(["set", "api/token", "--value", "t", ...box.key]);
    const path = box.path("out.rdb");
    const to = ["--reddb-passphrase-file", box.file("pass", "a passphrase\n"), ...box.key];
    const { written } = await box.json(["reddb", "write", path, ...to]);
    assert.deepEqual(written, ["api/token", "db/url"]);
    const show = ["reddb", "show", path, "--passphrase-file", box.path("pass"), "--reveal"];
    assert.deepEqual((await box.json(show)).kv, { "api/token": "t", "db/url": "postgres://" });

    const app = await bootstrapped(box);
    const into = ["--reddb-certificate-file", box.path("certificate"), ...box.key];
    await box.ok(["reddb", "write", app.path, ...into, "--only", "db/"]);
    const state = await box.json(["reddb", "show", app.path, ...app.key, "--reveal"]);
    assert.deepEqual(Object.keys(state.kv).sort(), ["db/url", "red.secret.aes_key"]);
    assert.equal(state.users.length, 1);

    await box.ok(["set", "db/url", "--value", "changed", ...box.key]);
    await box.fails(["reddb", "write", app.path, ...into, "--only", "db/"], "secret-exists", 10);
    await box.ok(["reddb", "write", app.path, ...into, "--only", "db/", "--on-conflict", "overwrite"]);
    assert.equal((await box.json(["reddb", "show", app.path, ...app.key, "--reveal"])).kv["db/url"], "changed");

    await box.ok(["set", "binary", "--file", box.file("b", Uint8Array.of(0xff)), ...box.key]);
    const before = Deno.readFileSync(path);
    await box.fails(["reddb", "write", path, ...to, "--on-conflict", "overwrite"], "malformed-text", 2);
    assert.deepEqual(Deno.readFileSync(path), before);
  }));

Deno.test("coffer reddb check needs no key, and tells damage by its exit code", () =>
  sandbox(async (box) => {
    for (
      const [name, exit] of [["chain-scattered.rdb", 0], ["no-vault.rdb", 0], ["wrong-passphrase.rdb", 0]] as const
    ) {
      const { path } = copied(box, INDEX.find(({ file }) => file === name)!);
      assert.equal((await box.run(["reddb", "check", path])).code, exit, name);
    }
    for (const name of ["chain-loop.rdb", "truncated-file.rdb", "payload-len-huge.rdb", "page-id-out-of-file.rdb"]) {
      const { path } = copied(box, INDEX.find(({ file }) => file === name)!);
      const { code, out } = await box.run(["reddb", "check", path, "--json"]);
      const { ok, problems } = JSON.parse(out);
      assert.deepEqual([code, ok], [6, false], name);
      assert.ok(problems.some(({ harmless }: { harmless: boolean }) => !harmless));
    }
  }));

Deno.test("coffer reddb takes its credential from the environment before a flag", () =>
  sandbox(async (box) => {
    const { path, key } = await bootstrapped(box);
    const certificate = Deno.readTextFileSync(box.path("certificate"));
    const wrong = box.file("wrong", "not the passphrase\n");
    const permissions = [...box.permissions(), "--allow-env=REDDB_CERTIFICATE,REDDB_VAULT_KEY"];
    const show = ["reddb", "show", path];
    await box.ok(show, { permissions, env: { REDDB_CERTIFICATE: certificate } });
    await box.ok(show, { permissions, env: { REDDB_CERTIFICATE: certificate, REDDB_VAULT_KEY: "x" } });
    const both = await box.ok([...show, "--passphrase-file", wrong], {
      permissions,
      env: { REDDB_CERTIFICATE: certificate },
    });
    assert.match(both.err, /REDDB_CERTIFICATE is set, so the credential file is not used/);
    await box.fails([...show, ...key], "reddb-decryption", 4, { permissions, env: { REDDB_VAULT_KEY: "x" } });
    await box.fails(show, "reddb-no-key", 4, { permissions, env: { REDDB_CERTIFICATE: "not hex" } });
    await box.fails(show, "reddb-no-key", 4);
    await box.ok([...show, ...key], { env: { REDDB_VAULT_KEY: "not readable, so it does not count" } });
    const files = [...box.permissions(), "--allow-env=REDDB_CERTIFICATE,REDDB_CERTIFICATE_FILE"];
    const env = { REDDB_CERTIFICATE_FILE: box.path("certificate") };
    await box.ok(show, { permissions: files, env });
    await box.fails(show, "conflicting-credentials", 2, {
      permissions: files,
      env: { ...env, REDDB_CERTIFICATE: certificate },
    });
  }));

Deno.test("coffer reddb says what is wrong with files that are none of RedDB's", () =>
  sandbox(async (box) => {
    const key = ["--passphrase-file", box.file("pass", "x\n")];
    await box.fails(["reddb", "show", box.path("missing.rdb"), ...key], "vault-not-found", 3);
    await box.fails(["reddb", "show", box.folder, ...key], "not-a-file", 6);
    for (const contents of ["", "text", "RDDB", "x".repeat(5000)]) {
      const path = box.file("none.rdb", contents);
      await box.fails(["reddb", "show", path, ...key], "reddb-page-file", 6);
      assert.equal(Deno.readTextFileSync(path), contents);
    }
    await box.fails(["reddb", "show", box.path("pass"), "--keyfile", box.path("pass")], "usage", 2);
    await box.fails(["reddb", "show", box.path("pass"), ...key, "--certificate-file", "x"], "usage", 2);
  }));

Deno.test("coffer reddb warns of a file that others can read, and reads it", () =>
  sandbox(async (box) => {
    const vector = INDEX.find(({ file }) => file === "single-page.rdb")!;
    const { path, key } = copied(box, vector);
    Deno.chmodSync(path, 0o644);
    assert.match((await box.ok(["reddb", "show", path, ...key])).err, /Other users can open/);
    const { err } = await box.ok(["reddb", "show", path, ...key, "--allow-insecure-permissions"]);
    assert.doesNotMatch(err, /Other users can open/);
  }));

Deno.test("coffer reddb keeps lines that it does not understand, and says so without their text", () =>
  sandbox(async (box) => {
    const { path, key } = await bootstrapped(box);
    const certificate = Deno.readTextFileSync(box.path("certificate"));
    {
      await using vault = await RedDbVault.openWithoutEnvironment(path, { certificate });
      await vault.update((state) =>
        void state.kept.push({ text: "FUTURE:a secret thing", reason: "unknown", line: 9 })
      );
    }
    const { err, out } = await box.ok(["reddb", "set", path, "a", "--value", "1", ...key]);
    assert.match(err, /1 line of the vault not understood, and kept as found/);
    assert.ok(!`${err}${out}`.includes("secret thing"));
    await using vault = await RedDbVault.openWithoutEnvironment(path, { certificate });
    assert.deepEqual((await vault.load())!.kept.map(({ text }) => text), ["FUTURE:a secret thing"]);
  }));
