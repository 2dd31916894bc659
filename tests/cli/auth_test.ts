import assert from "node:assert/strict";
import { type Result, type Sandbox, sandbox } from "./coffer.ts";

const PASSWORD = "correct horse";

/** A vault with an admin of the platform and a user of a tenant, both with the same password. */
async function withUsers(test: (box: Sandbox, password: string) => Promise<void>): Promise<void> {
  await sandbox(async (box) => {
    await box.init();
    const password = box.file("password", `${PASSWORD}\n`);
    await box.ok(["user", "add", "root", "--role", "admin", "--new-password-file", password, ...box.key]);
    await box.ok(["user", "add", "acme/alice", "--role", "write", "--new-password-file", password, ...box.key]);
    await test(box, password);
  });
}

Deno.test("coffer user adds, lists, shows, changes and removes users", async () => {
  await withUsers(async (box, password) => {
    assert.equal((await box.ok(["user", "ls", ...box.key])).out, "root\nacme/alice\n");
    assert.equal((await box.ok(["user", "ls", "--tenant", "acme", ...box.key])).out, "acme/alice\n");
    assert.equal((await box.ok(["user", "ls", "--platform", ...box.key])).out, "root\n");
    const [root, alice] = await box.json(["user", "ls", ...box.key]);
    assert.deepEqual([root.user, root.tenant, root.role], ["root", null, "admin"]);
    assert.deepEqual(Object.keys(alice), [
      ...["tenant", "name", "user", "role", "enabled", "createdAt", "updatedAt"],
      ...["hasPassword", "hasScram", "hasForeignHash"],
    ]);
    assert.match(
      (await box.ok(["user", "ls", "--long", ...box.key])).out,
      /acme\/alice +write +enabled +password\+scram/,
    );
    assert.equal((await box.json(["user", "role", "acme/alice", "read", ...box.key])).role, "read");
    assert.equal((await box.json(["user", "disable", "acme/alice", ...box.key])).enabled, false);
    await box.fails(["login", "acme/alice", "--password-file", password, ...box.key], "wrong-login", 4);
    await box.ok(["user", "enable", "acme/alice", ...box.key]);
    await box.ok(["user", "passwd", "acme/alice", "--new-password-file", "-", ...box.key], { stdin: "another horse" });
    await box.fails(["login", "acme/alice", "--password-file", password, ...box.key], "wrong-login", 4);
    const login = await box.ok(["login", "acme/alice", "--password-file", "-", ...box.key], {
      stdin: "another horse\n",
    });
    assert.equal(login.out, "acme/alice (read)\n");
    const shown = await box.json(["user", "show", "acme/alice", ...box.key]);
    assert.deepEqual([shown.user, shown.apiKeys], ["acme/alice", []]);
    assert.deepEqual(await box.json(["user", "rm", "acme/alice", ...box.key]), { removed: ["acme/alice"] });
    assert.equal((await box.ok(["user", "ls", ...box.key])).out, "root\n");
  });
});

Deno.test("coffer refuses what is no user, role or password, and changes nothing", async () => {
  await withUsers(async (box, password) => {
    const before = (await box.json(["status"])).generation;
    const file = (name: string, contents: string) => box.file(name, contents);
    const add = (user: string, ...flags: string[]) => ["user", "add", user, "--role", "read", ...flags];
    const cases: readonly (readonly [args: string[], code: string, exit: number])[] = [
      [add("a/b/c", "--no-password"), "invalid-user-name", 2],
      [add("", "--no-password"), "invalid-user-name", 2],
      [add("tab\there", "--no-password"), "invalid-user-name", 2],
      [add("ame\u0301lie", "--no-password"), "invalid-user-name", 2],
      [add("x".repeat(129), "--no-password"), "invalid-user-name", 2],
      [add("root", "--no-password"), "user-exists", 10],
      [["user", "add", "bob", "--no-password"], "usage", 2],
      [["user", "add", "bob", "--role", "root", "--no-password"], "usage", 2],
      [add("bob", "--no-password", "--new-password-file", password), "usage", 2],
      [add("bob"), "no-credential", 4],
      [add("bob", "--new-password-file", file("empty", "\n")), "malformed-credential", 4],
      [add("bob", "--new-password-file", file("long", "x".repeat(1025))), "invalid-password", 2],
      [add("bob", "--scram-file", file("scram", "SCRAM-SHA-256$4096:abc")), "malformed-verifier", 2],
      [add("bob", "--password-hash-file", file("hash", "$argon2i$v=19$m=1,t=1,p=1$a$b")), "malformed-verifier", 2],
      [["user", "ls", "--tenant", "nowhere"], "tenant-not-found", 3],
      [["user", "ls", "--tenant", "acme", "--platform"], "usage", 2],
      [["user", "show", "nobody"], "user-not-found", 3],
      [["user", "passwd", "nobody", "--new-password-file", password], "user-not-found", 3],
      [["user", "role", "nobody", "read"], "user-not-found", 3],
      [["user", "role", "acme/alice", "root"], "usage", 2],
      [["user", "rm", "acme/alice", "nobody"], "user-not-found", 3],
      [["user", "rm", "root"], "last-admin", 11],
      [["user", "disable", "root"], "last-admin", 11],
      [["user", "role", "root", "write"], "last-admin", 11],
      [["key", "add", "acme/alice", "--role", "admin"], "role-above-owner", 11],
      [["key", "add", "acme/alice", "--expires", "yesterday"], "usage", 2],
      [["key", "add", "acme/alice", "--expires", "2020-01-01"], "usage", 2],
      [["key", "add", "nobody"], "user-not-found", 3],
      [["key", "ls", "nobody"], "user-not-found", 3],
      [["key", "revoke", "0123456789abcdef"], "api-key-not-found", 3],
      [["session", "revoke"], "usage", 2],
      [["session", "revoke", "root", "--all"], "usage", 2],
      [["session", "revoke", "nobody"], "user-not-found", 3],
      [["login", "root", "--password-file", password, "--lifetime", "1h"], "usage", 2],
      [["login", "root", "--password-file", password, "--session", "--lifetime", "31d"], "usage", 2],
      [["login", "root", "--password-file", password, "--session", "--audience", ""], "usage", 2],
      [["session", "verify", "--file", password, "--audience", "x".repeat(257)], "usage", 2],
      [["user", "scram", "root", "--format", "mysql"], "usage", 2],
      [["verify", password], "usage", 2],
      [["verify", password, "--signature", "abc"], "usage", 2],
      [["bootstrap", "acme/boss", "--new-password-file", password], "usage", 2],
      [["bootstrap", "boss", "--new-password-file", password], "already-bootstrapped", 10],
      [["certificate", "rotate"], "slot-not-found", 3],
    ];
    for (const [args, code, exit] of cases) {
      const { err } = await box.fails([...args, ...box.key], code, exit);
      assert.doesNotMatch(err, /correct horse|SCRAM-SHA-256\$4096:abc|argon2i\$/);
    }
    const both = await box.fails(add("bob", "--new-password-file", password, "--scram-file", password), "usage", 2);
    assert.match(both.err, /--new-password-file and --scram-file/);
    // A password in the wrong place is no argument.
    await box.fails(["login", "root", "hunter2", ...box.key], "usage", 2);
    assert.equal((await box.json(["status"])).generation, before);
  });
});

Deno.test("coffer key shows a key once, and checks and revokes it", async () => {
  await withUsers(async (box) => {
    const { out } = await box.ok(["key", "add", "acme/alice", "--name", "ci", "--role", "write", ...box.key]);
    assert.match(out, /^coffer_[a-z2-7]{39}\n$/);
    const holder = await box.json(["key", "check", ...box.key], { stdin: out });
    assert.deepEqual([holder.user, holder.role], ["acme/alice", "write"]);
    const listed = await box.ok(["key", "ls", ...box.key]);
    assert.ok(!listed.out.includes(out.trim()));
    const [info] = await box.json(["key", "ls", "acme/alice", ...box.key]);
    assert.deepEqual([info.id, info.name], [holder.id, "ci"]);
    assert.ok(info.lastUsedAt);
    // Read-only, the check is right, and says that it could not be noted.
    const read = [`--allow-read=${box.folder}`];
    const lone = await box.ok(["key", "add", "root", ...box.key]);
    const noted = await box.ok(["key", "check", ...box.key], { stdin: lone.out, permissions: read });
    assert.match(noted.err, /warning: It could not be noted/);
    const wrong = `${out.slice(0, -2)}${out.at(-2) === "a" ? "b" : "a"}`;
    const { err } = await box.fails(["key", "check", ...box.key], "invalid-api-key", 4, { stdin: wrong });
    assert.ok(!err.includes(wrong));
    await box.ok(["key", "revoke", info.id, ...box.key]);
    await box.fails(["key", "check", ...box.key], "invalid-api-key", 4, { stdin: out });
    const made = await box.json(["key", "add", "acme/alice", "--expires", "30d", "--out", box.path("k"), ...box.key]);
    assert.ok(made.expiresAt && made.out && !("key" in made));
    assert.equal(Deno.statSync(box.path("k")).mode! & 0o777, 0o600);
    await box.ok(["key", "check", "--file", box.path("k"), ...box.key]);
    await box.fails(["key", "add", "acme/alice", "--out", box.path("k"), ...box.key], "file-exists", 10);
    assert.equal((await box.json(["key", "ls", "acme/alice", ...box.key])).length, 1);
  });
});

Deno.test("coffer login --session prints a token that coffer session verify knows until it is revoked", async () => {
  await withUsers(async (box, password) => {
    const login = ["login", "acme/alice", "--password-file", password, "--session", ...box.key];
    const { out } = await box.ok([...login, "--lifetime", "15m", "--audience", "shop"]);
    assert.match(out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const session = await box.json(["session", "verify", "--audience", "shop", ...box.key], { stdin: out });
    assert.deepEqual([session.user, session.role], ["acme/alice", "write"]);
    assert.equal(Date.parse(session.expiresAt) - Date.parse(session.issuedAt), 900_000);
    await box.fails(["session", "verify", ...box.key], "invalid-session", 4, { stdin: out });
    const [head, body, signature] = out.trim().split(".");
    const none = btoa(JSON.stringify({ alg: "none", typ: "JWT" })).replaceAll("=", "");
    for (
      const token of [`${none}.${body}.`, `${none}.${body}.${signature}`, `${head}.${body}.AAAA`, "x", "x".repeat(9000)]
    ) {
      const { err } = await box.fails(["session", "verify", ...box.key], "invalid-session", 4, { stdin: token });
      assert.ok(token.length < 2 || !err.includes(token));
    }
    await box.ok(["session", "revoke", "acme/alice", ...box.key]);
    await box.fails(["session", "verify", "--audience", "shop", ...box.key], "invalid-session", 4, { stdin: out });
    const again = await box.json(login);
    await box.ok(["session", "verify", ...box.key], { stdin: again.token });
    await box.ok(["session", "revoke", "--all", ...box.key]);
    await box.fails(["session", "verify", ...box.key], "invalid-session", 4, { stdin: again.token });
  });
});

Deno.test("coffer login counts failures of all processes, and answers alike for names that are none", async () => {
  await withUsers(async (box, password) => {
    const wrong = box.file("wrong", "wrong");
    const tries = (user: string, count: number): Promise<Result[]> =>
      Promise.all(Array.from({ length: count }, () => box.run(["login", user, "--password-file", wrong, ...box.key])));
    const messages = new Set<string>();
    for (const user of ["acme/alice", "nobody"]) {
      const results = [...await tries(user, 3), ...await tries(user, 3)];
      assert.ok(results.every(({ code, out }) => (code === 4 || code === 9) && out === ""));
      for (const { err, code } of results) if (code === 4) messages.add(err);
      const { err } = await box.fails(["login", user, "--password-file", password, ...box.key], "too-many-attempts", 9);
      assert.match(JSON.parse(err).error.hint, /Try again in [0-9]+ seconds?/);
    }
    assert.equal(messages.size, 1);
    await box.ok(["login", "root", "--password-file", password, ...box.key]);
    const failed = await box.json(["audit", "ls", "--op", "login.failed", ...box.key]);
    assert.ok(failed.every(({ name }: { name?: string }) => name === undefined || name === "acme/alice"));
  });
});

Deno.test("coffer login works where the vault may only be read; a failure that cannot be counted is one all the same", async () => {
  await withUsers(async (box, password) => {
    const permissions = [`--allow-read=${box.folder}`];
    await box.ok(["login", "root", "--password-file", password, ...box.key], { permissions });
    const args = ["login", "root", "--password-file", box.file("wrong", "wrong"), ...box.key];
    await box.fails(args, "wrong-login", 4, { permissions });
  });
});

Deno.test("coffer user scram prints verifiers that another vault takes", async () => {
  await withUsers(async (box, password) => {
    const { out } = await box.ok(["user", "scram", "acme/alice", ...box.key]);
    assert.match(out, /^SCRAM-SHA-256\$16384:[^:$]+\$[^:]+:[^:]+\n$/);
    const add = ["user", "add", "carol", "--role", "read", "--scram-file", "-", ...box.key];
    assert.equal((await box.json(add, { stdin: out })).hasPassword, false);
    await box.ok(["login", "carol", "--password-file", password, ...box.key]);
    const reddb = await box.json(["user", "scram", "acme/alice", "--format", "reddb", ...box.key]);
    assert.equal(reddb.format, "reddb");
    await box.ok(["user", "add", "dave", "--role", "read", "--no-password", ...box.key]);
    await box.fails(["user", "scram", "dave", ...box.key], "verifier-not-found", 3);
  });
});

Deno.test("coffer bootstrap works once, and shows a certificate that opens the vault", async () => {
  await sandbox(async (box) => {
    await box.init();
    const password = ["--new-password-file", box.file("password", PASSWORD)];
    const { out } = await box.ok(["bootstrap", ...password, ...box.key]);
    assert.match(out, /^[0-9a-f]{64}\n$/);
    await box.fails(["bootstrap", ...password, ...box.key], "already-bootstrapped", 10);
    const certificate = ["--certificate-file", box.file("certificate", out)];
    assert.equal((await box.ok(["user", "ls", ...certificate])).out, "admin\n");
    const rotated = await box.json(["certificate", "rotate", "--certificate-out", box.path("next"), ...certificate]);
    assert.equal(rotated.certificateFile, box.path("next"));
    await box.fails(["user", "ls", ...certificate], "wrong-credential", 4);
    await box.ok(["user", "ls", "--certificate-file", box.path("next")]);
    const shown = await box.json(["certificate", "rotate", "--slot", String(rotated.slot), ...box.key]);
    await box.ok(["user", "ls", "--certificate-file", box.file("third", shown.certificate)]);
  });
});

Deno.test("coffer bootstrap makes nothing when its certificate cannot be shown", async () => {
  await sandbox(async (box) => {
    await box.init();
    const password = ["--new-password-file", box.file("password", PASSWORD)];
    await box.fails(["bootstrap", ...password, "--certificate-out", box.path("key"), ...box.key], "file-exists", 10);
    const [program, ...args] = box.command(["bootstrap", ...password, ...box.key]);
    const full = await new Deno.Command("sh", {
      args: ["-c", 'exec "$0" "$@" > /dev/full', program, ...args],
      cwd: box.folder,
      stderr: "null",
    }).output();
    assert.notEqual(full.code, 0);
    assert.equal((await box.ok(["user", "ls", ...box.key])).out, "");
    assert.equal((await box.json(["slot", "ls", ...box.key])).length, 1);
    await box.ok(["bootstrap", ...password, ...box.key]);
  });
});

Deno.test("coffer key add makes no key that cannot be shown", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["user", "add", "alice", "--role", "read", "--no-password", ...box.key]);
    const { generation } = await box.json(["status"]);
    for (const json of [[], ["--json"]]) {
      const [program, ...args] = box.command(["key", "add", "alice", ...json, ...box.key]);
      const full = await new Deno.Command("sh", {
        args: ["-c", 'exec "$0" "$@" > /dev/full', program, ...args],
        cwd: box.folder,
        stderr: "null",
      }).output();
      assert.notEqual(full.code, 0);
    }
    // Not made and revoked: never there.
    assert.equal((await box.json(["status"])).generation, generation);
    assert.deepEqual(await box.json(["key", "ls", ...box.key]), []);
  });
});

Deno.test("coffer sign and verify agree on what was signed, and on nothing else", async () => {
  await sandbox(async (box) => {
    await box.init();
    const data = box.file("data", "order 17, paid");
    const { out } = await box.ok(["sign", data, ...box.key]);
    assert.match(out, /^[0-9a-f]{64}\n$/);
    assert.equal((await box.ok(["sign", ...box.key], { stdin: "order 17, paid" })).out, out);
    assert.deepEqual(await box.json(["verify", data, "--signature", out.trim(), ...box.key]), { verified: true });
    await box.ok(["verify", "--signature-file", box.file("signature", out), ...box.key], { stdin: "order 17, paid" });
    await box.fails(["verify", "--signature", out.trim(), ...box.key], "wrong-signature", 4, {
      stdin: "order 18, paid",
    });
    await box.fails(["verify", "--signature-file", "-", ...box.key], "usage", 2, { stdin: out });
    await box.json(["sign", data, "--out", box.path("out"), ...box.key]);
    assert.equal(Deno.readTextFileSync(box.path("out")), out);
  });
});
