import assert from "node:assert/strict";
import { type Sandbox, sandbox } from "./coffer.ts";
import { hasProgram, runProgram } from "./programs.ts";

const EMPTY = { new: [], same: [], changed: [], skipped: [], renamed: [], dryRun: false, warnings: [] };
const KEEPASSXC = "Group,Title,Username,Password,URL,Notes,TOTP\nRoot,Mail,kim,pw,,,otpauth://totp/x?secret=MZXW6\n";

async function value(box: Sandbox, name: string): Promise<string> {
  return (await box.ok(["get", name, ...box.key])).out;
}

async function names(box: Sandbox): Promise<string[]> {
  return (await box.json(["ls", ...box.key])).map(({ name }: { name: string }) => name);
}

Deno.test("coffer import takes a dotenv file over in one commit, below a path if told", async () => {
  await sandbox(async (box) => {
    await box.init();
    box.file(".env", "# mine\nexport A='one\ntwo'\nB=2 # two\n");
    const { generation } = await box.json(["status"]);
    const { err } = await box.ok(["import", ".env", "--under", "app", ...box.key]);
    assert.equal(err, "Imported from dotenv: 2 new\n");
    assert.deepEqual(await names(box), ["app/A", "app/B"]);
    assert.equal((await box.json(["status"])).generation, generation + 1);
    assert.equal(await value(box, "app/A"), "one\ntwo");
    const piped = await box.json(["import", "-", "--format", "dotenv", ...box.key], { stdin: "C=3" });
    assert.deepEqual(piped, { ...EMPTY, format: "dotenv", new: ["C"] });
  });
});

Deno.test("coffer import --dry-run shows names and never values, and changes nothing", async () => {
  await sandbox(async (box) => {
    await box.init();
    box.file(".env", "SAME=1\nOTHER=hunter2\nNEW=hunter3\n");
    await box.ok(["set", "SAME", "--value", "1", ...box.key]);
    await box.ok(["set", "OTHER", "--value", "hunter1", ...box.key]);
    const { generation } = await box.json(["status"]);
    const dry = ["import", ".env", "--dry-run", ...box.key];
    const cells = (out: string) => out.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
    const { out, err } = await box.ok(dry);
    assert.deepEqual(cells(out), [
      ["STATE", "NAME", "THEN"],
      ["new", "NEW"],
      ["same", "SAME"],
      ["changed", "OTHER", "conflict"],
    ]);
    const outcomes = { skip: "stays", overwrite: "is overwritten", rename: "becomes OTHER-2" };
    for (const [onConflict, outcome] of Object.entries(outcomes)) {
      assert.equal(cells((await box.ok([...dry, "--on-conflict", onConflict])).out)[3]![2], outcome);
    }
    const document = await box.json([...dry, "--on-conflict", "rename"]);
    assert.deepEqual(document, {
      format: "dotenv",
      dryRun: true,
      new: ["NEW"],
      same: ["SAME"],
      changed: ["OTHER"],
      skipped: [],
      renamed: [{ name: "OTHER", to: "OTHER-2" }],
      warnings: [],
    });
    assert.doesNotMatch(out + err + JSON.stringify(document), /hunter/);
    assert.equal((await box.json(["status"])).generation, generation);
  });
});

Deno.test("coffer import warns of values of a dotenv file that end at a # or hold a reference, by line and name", async () => {
  await sandbox(async (box) => {
    await box.init();
    box.file(".env", "# all\nCUT=hun#ter2\nREF=${API_KEY}/hunter2\n");
    const warnings = [
      { name: "CUT", where: "line 2", what: "the value ends at its #, as it has no quotes" },
      { name: "REF", where: "line 3", what: "${…} in the value is kept as it is" },
    ];
    const lines = warnings.map(({ name, where, what }) => `coffer: warning: ${where}, ${name}: ${what}\n`).join("");
    const { err } = await box.ok(["import", ".env", "--dry-run", ...box.key]);
    assert.equal(err, lines);
    const imported = await box.ok(["import", ".env", "--json", ...box.key]);
    assert.deepEqual(JSON.parse(imported.out).warnings, warnings);
    assert.equal(imported.err, lines);
    assert.deepEqual([await value(box, "CUT"), await value(box, "REF")], ["hun", "${API_KEY}/hunter2"]);
  });
});

Deno.test("coffer import fails on names that are taken unless told what to do, before anything is written", async () => {
  await sandbox(async (box) => {
    await box.init();
    box.file("a.json", '{"a":"2","b":"2"}');
    await box.ok(["set", "a", "--value", "1", ...box.key]);
    const { err } = await box.fails(["import", "a.json", ...box.key], "import-conflict", 10);
    assert.match(err, /taken by other values: \\"a\\"/);
    assert.deepEqual(await names(box), ["a"]);
    await box.ok(["import", "a.json", "--on-conflict", "skip", ...box.key]);
    assert.deepEqual([await value(box, "a"), await value(box, "b")], ["1", "2"]);
    await box.ok(["import", "a.json", "--on-conflict", "rename", ...box.key]);
    assert.deepEqual([await value(box, "a"), await value(box, "a-2")], ["1", "2"]);
    await box.ok(["import", "a.json", "--on-conflict", "overwrite", ...box.key]);
    assert.equal(await value(box, "a"), "2");
    assert.equal((await box.json(["history", "a", ...box.key])).versions.length, 2);
    assert.equal((await box.ok(["import", "a.json", ...box.key])).err, "Imported from json: 2 the same\n");
  });
});

Deno.test("coffer import says the line of what is wrong, never what stands there, and opens no vault for it", async () => {
  await sandbox(async (box) => {
    const files: readonly (readonly [string, string, string, number, RegExp, ...string[]])[] = [
      [".env", "A=1\nhunter2\n", "malformed-import", 6, /dotenv, line 2:/],
      ["a.csv", 'name,value\na,"hunter2', "malformed-import", 6, /CSV, line 2:/],
      ["a.json", '{"a":hunter2}', "malformed-import", 6, /JSON.*: it is no JSON/],
      ["b.json", '{"encrypted":true,"data":"hunter2"}', "import-encrypted", 2, /Bitwarden/],
      [
        "b.csv",
        'name,value\n"a\u0007hunter2",1\n,2\n',
        "import-names",
        2,
        /line 2: .*control character; line 3: it is empty/,
      ],
      ["d.csv", "user,pass\nhunter2,x", "malformed-import", 6, /wants the columns name and value/, "--format", "csv"],
      ["notes.txt", "hunter2", "usage", 2, /not certain/],
      ["c.csv", "user,pass\nhunter2,x", "usage", 2, /not certain/],
    ];
    for (const [name, contents, code, exit, message, ...args] of files) {
      box.file(name, contents);
      const { err } = await box.fails(["import", name, ...args], code, exit);
      assert.match(err, message);
      if (args.length > 0) assert.doesNotMatch(err, /name its format/);
      assert.doesNotMatch(err, /hunter2/);
    }
    await box.fails(["import", "none.env"], "file-not-found", 3);
    await box.fails(["import", ".env", "--format", "age"], "import-decryption", 4);
    await box.fails(["import", ".env", "--identity", "x"], "usage", 2);
    await box.fails(["import", ".", "--format", "json"], "usage", 2);
    await box.fails(["import", "."], "missing-permission", 8);
    // Larger than any import; no byte of it is read.
    Deno.truncateSync(box.path(".env"), 257 * 1024 * 1024);
    assert.match((await box.fails(["import", ".env"], "exchange-limit", 2)).err, /268435456/);
  });
});

Deno.test("coffer import finds out what managers wrote, and keeps their one-time codes apart", async () => {
  await sandbox(async (box) => {
    await box.init();
    box.file("k.csv", KEEPASSXC);
    box.file("o.csv", "Title,Url,Username,Password,OTPAuth\nShop,,lee,pw2,\n");
    box.file("b.json", '{"encrypted":false,"items":[{"name":"Bank","login":{"password":"pw3","totp":"MZXW6"}}]}');
    box.file("c.csv", "name,url,username,password,note\nNews,https://news.example,,pw4,\n");
    const formats = [["k.csv", "keepassxc"], ["o.csv", "1password"], ["b.json", "bitwarden"], ["c.csv", "browser-csv"]];
    for (const [file, format] of formats) {
      assert.equal((await box.json(["import", file!, ...box.key])).format, format);
    }
    const all = await box.json(["ls", ...box.key]);
    assert.deepEqual(all.map(({ name, type }: { name: string; type?: string }) => [name, type]), [
      ["Bank", "password"],
      ["Bank/otp", "otpauth"],
      ["Mail", "password"],
      ["Mail/otp", "otpauth"],
      ["Mail/username", undefined],
      ["News", "password"],
      ["News/url", "url"],
      ["Shop", "password"],
      ["Shop/username", undefined],
    ]);
    // The same file as plain JSON, as it was asked for.
    assert.equal((await box.json(["import", "b.json", "--format", "json", "--dry-run", ...box.key])).format, "json");
  });
});

Deno.test({
  name: "coffer import opens what the age program wrote, in binary and as text, with the identity",
  ignore: !["age", "age-keygen"].every(hasProgram),
  fn: () =>
    sandbox(async (box) => {
      await box.init();
      runProgram("age-keygen", ["-o", box.path("id")]);
      runProgram("age-keygen", ["-o", box.path("other")]);
      const recipient = runProgram("age-keygen", ["-y", box.path("id")]).trim();
      box.file("plain", "A=1\n");
      runProgram("age", ["-r", recipient, "-o", box.path("prod.env.age"), box.path("plain")]);
      runProgram("age", ["-a", "-r", recipient, "-o", box.path("armored"), box.path("plain")]);
      await box.fails(["import", "prod.env.age", ...box.key], "no-credential", 4);
      await box.fails(["import", "prod.env.age", "--identity", "other", ...box.key], "import-decryption", 4);
      const from = async (...args: string[]) => await box.json(["import", ...args, "--identity", "id", ...box.key]);
      assert.deepEqual(await from("prod.env.age"), { ...EMPTY, format: "dotenv", new: ["A"] });
      assert.deepEqual(await from("armored", "--format", "dotenv"), { ...EMPTY, format: "dotenv", same: ["A"] });
      const { err } = await box.fails(
        ["import", "armored", "--format", "age", "--identity", "id", ...box.key],
        "malformed-import",
        6,
      );
      assert.match(err, /Cannot read JSON/);
      const bytes = Deno.readFileSync(box.path("prod.env.age"));
      box.file("cut.age", bytes.slice(0, -3));
      await box.fails(["import", "cut.age", "--identity", "id", ...box.key], "import-decryption", 4);
    }),
});

Deno.test({
  name: "coffer import gives gpg none of coffer's own credentials",
  ignore: Deno.build.os === "windows",
  fn: () =>
    sandbox(async (box) => {
      await box.init();
      Deno.mkdirSync(box.path("bin"));
      Deno.mkdirSync(box.path("store"));
      box.file("bin/gpg", `#!/bin/sh\nenv >'${box.path("env")}'\necho hunter2\n`, 0o700);
      box.file("store/bank.gpg", "sealed");
      const env = { COFFER_KEYFILE: box.path("key"), PATH: `${box.path("bin")}:${Deno.env.get("PATH")}` };
      const permissions = [...box.permissions(), "--allow-run=gpg", "--allow-env=COFFER_KEYFILE"];
      await box.ok(["import", box.path("store")], { permissions, env });
      assert.doesNotMatch(Deno.readTextFileSync(box.path("env")), /^COFFER_[A-Z_]+=./m);
      assert.equal(await value(box, "bank"), "hunter2");
    }),
});

Deno.test({
  name: "coffer import reads a store of pass with gpg, all of it or nothing",
  ignore: !hasProgram("gpg"),
  fn: () =>
    sandbox(async (box) => {
      await box.init();
      // The name of a socket has to be short.
      const home = await Deno.makeTempDir({ prefix: "gpg" });
      const env = { GNUPGHOME: home };
      const gpg = (...args: string[]) =>
        runProgram("gpg", ["--batch", "--quiet", "--trust-model", "always", ...args], env);
      try {
        Deno.chmodSync(home, 0o700);
        gpg("--passphrase", "", "--quick-generate-key", "test@example.org", "future-default", "default", "never");
        const entries = {
          "web/mail": "pw 1\nlogin: kim\notpauth://totp/x?secret=MZXW6\nnote",
          "bank": "pw2\n",
          ".git/hidden": "no",
        };
        for (const [name, text] of Object.entries(entries)) {
          Deno.mkdirSync(box.path(`store/${name}`).replace(/\/[^/]*$/, ""), { recursive: true });
          gpg("-r", "test@example.org", "-o", box.path(`store/${name}.gpg`), "--encrypt", box.file("plain", text));
        }
        box.file("store/.gpg-id", "test@example.org\n");
        Deno.symlinkSync("bank.gpg", box.path("store/link.gpg"));
        const options = { permissions: [...box.permissions(), "--allow-run=gpg"], env };
        await box.fails(["import", "store", ...box.key], "missing-permission", 8);
        const document = await box.json(["import", "store", "--under", "pass", ...box.key], options);
        assert.deepEqual(document, {
          ...EMPTY,
          format: "pass",
          new: ["pass/bank", "pass/web/mail", "pass/web/mail/username", "pass/web/mail/otp"],
        });
        assert.equal(await value(box, "pass/web/mail"), "pw 1");
        assert.equal((await box.json(["meta", "pass/web/mail", ...box.key])).note, "note");
        box.file("store/broken.gpg", "hunter2");
        const { err } = await box.fails(["import", "store", ...box.key], "import-decryption", 4, options);
        assert.match(err, /export GPG_TTY=/);
        assert.match(err, /store\/broken\.gpg/);
        assert.doesNotMatch(err, /hunter2/);
        Deno.mkdirSync(box.path("none"));
        await box.fails(["import", "none", ...box.key], "malformed-import", 6, options);
      } finally {
        new Deno.Command("gpgconf", { args: ["--kill", "gpg-agent"], env }).outputSync();
        await Deno.remove(home, { recursive: true });
      }
    }),
});
