import assert from "node:assert/strict";
import { parse } from "dotenv";
import { type Sandbox, sandbox } from "./coffer.ts";
import { hasProgram, runProgram } from "./programs.ts";
import { Terminal, terminalTest } from "./terminal.ts";

const AGE = ["age", "age-keygen"].every(hasProgram);
const PLAINTEXT = ["export", "--plaintext", "--yes-plaintext", "vault.coffer"];
const VALUE = "two\nlines, 'and' \u00fc";

async function withSecrets(box: Sandbox): Promise<void> {
  await box.init();
  await box.ok(["set", "db/url", "--stdin", "--note", "n", "--tag", "t", ...box.key], { stdin: VALUE });
  await box.ok(["set", "TOKEN", "--value", "first", ...box.key]);
  await box.ok(["set", "TOKEN", "--value", "hunter2", "--type", "password", ...box.key]);
}

/** Makes a file with an age identity, and gives its recipient. */
function identity(box: Sandbox, name: string): string {
  runProgram("age-keygen", ["-o", box.path(name)]);
  return runProgram("age-keygen", ["-y", box.path(name)]).trim();
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

async function operations(box: Sandbox): Promise<string[]> {
  const entries = await box.json(["audit", "ls", ...box.key]);
  return entries.map(({ operation, name = "" }: { operation: string; name?: string }) => `${operation} ${name}`.trim());
}

Deno.test({
  name: "coffer export --to writes a private file that the age program opens for each recipient",
  ignore: !AGE,
  fn: () =>
    sandbox(async (box) => {
      await withSecrets(box);
      const to = ["id", "id2"].map((name) => identity(box, name)).flatMap((recipient) => ["--to", recipient]);
      const document = await box.json(["export", "--out", "e.age", "--history", ...to, ...box.key]);
      const { size, mode } = Deno.statSync(box.path("e.age"));
      assert.deepEqual(document, { file: "e.age", format: "age", secrets: 2, size });
      assert.equal(mode! & 0o777, 0o600);
      const [first, second] = ["id", "id2"].map((name) =>
        runProgram("age", ["-d", "-i", box.path(name), box.path("e.age")])
      );
      assert.equal(first, second);
      const { coffer, version, secrets } = JSON.parse(first!);
      assert.deepEqual({ coffer, version }, { coffer: "export", version: 1 });
      const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
      for (const secret of secrets) {
        for (const field of ["setAt", "createdAt", "updatedAt"]) {
          assert.match(secret[field], time);
          delete secret[field];
        }
        for (const older of secret.history ?? []) delete older.setAt;
      }
      const history = [{ version: 1, value: "first", encoding: "utf8" }];
      assert.deepEqual(secrets, [
        { name: "TOKEN", value: "hunter2", encoding: "utf8", version: 2, type: "password", history },
        { name: "db/url", value: VALUE, encoding: "utf8", version: 1, note: "n", tags: ["t"] },
      ]);
      assert.deepEqual((await operations(box)).slice(-3), [
        "export.encrypted",
        "secret.read TOKEN",
        "secret.read db/url",
      ]);
    }),
});

Deno.test("coffer export encrypts as a matter of course, and wants to be told for whom", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    await box.fails(["export", "--out", "e", ...box.key], "usage", 2);
    await box.fails(["export", ...box.key], "usage", 2);
    const secret = "AGE-SECRET-KEY-1QQQQQ";
    const { err } = await box.fails(["export", "--out", "e", "--to", secret, ...box.key], "usage", 2);
    assert.ok(!err.includes(secret));
    for (const flag of [["--format", "csv"], ["--yes-plaintext", "vault.coffer"]]) {
      await box.fails(["export", "--out", "e", "--to", "age1x", ...flag, ...box.key], "usage", 2);
    }
    assert.ok(!isThere(box.path("e")));
    assert.ok(!(await operations(box)).some((operation) => operation.startsWith("export")));
  });
});

Deno.test("coffer export --new-passphrase-file writes what coffer import opens with the passphrase", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    const passphrase = box.file("new", "correct horse\n");
    await box.ok(["export", "--out", "e.age", "--new-passphrase-file", passphrase, ...box.key]);
    const other = ["--vault", "other", ...box.key];
    await box.ok(["init", "--no-recovery", ...other]);
    await box.fails(["import", "e.age", ...other], "no-credential", 4);
    await box.fails(
      ["import", "e.age", "--age-passphrase-file", box.file("bad", "x"), ...other],
      "import-decryption",
      4,
    );
    assert.deepEqual(await box.json(["import", "e.age", "--age-passphrase-file", passphrase, ...other]), {
      format: "json",
      dryRun: false,
      new: ["TOKEN", "db/url"],
      same: [],
      changed: [],
      skipped: [],
      renamed: [],
      warnings: [],
    });
    assert.equal((await box.ok(["get", "db/url", ...other])).out, VALUE);
  });
});

terminalTest(
  "coffer export under a passphrase opens with the age program, and one of that program with coffer",
  async (box) => {
    if (!AGE) return;
    await withSecrets(box);
    const terminal = new Terminal(box, ["export", "--out", "e.age", ...box.key]);
    await terminal.sees("New passphrase: ");
    await terminal.type("correct horse\r");
    await terminal.sees("New passphrase again: ");
    await terminal.type("correct horse\r");
    await terminal.sees("Wrote 2 secrets to e.age");
    assert.equal((await terminal.end()).code, 0);
    // The age program asks for passphrases at its terminal, and nowhere else.
    const decrypt = new Terminal(box, [], () => "age -d -o dec.json e.age");
    await decrypt.sees("passphrase: ");
    await decrypt.type("correct horse\n");
    assert.equal((await decrypt.end()).code, 0);
    assert.equal(JSON.parse(Deno.readTextFileSync(box.path("dec.json"))).secrets.length, 2);

    const encrypt = new Terminal(box, [], () => "age -p -a -o own.age dec.json");
    await encrypt.sees("passphrase");
    await encrypt.sees(": ");
    await encrypt.type("battery staple\n");
    await encrypt.sees("onfirm passphrase: ");
    await encrypt.type("battery staple\n");
    assert.equal((await encrypt.end()).code, 0);
    await box.ok(["init", "--vault", "other", "--no-recovery", ...box.key]);
    const own = new Terminal(box, ["import", "own.age", "--vault", "other", ...box.key]);
    await own.sees("Passphrase for own.age: ");
    await own.type("battery staple\r");
    await own.sees("Imported from json: 2 new");
    assert.equal((await own.end()).code, 0);
  },
);

Deno.test("coffer export --plaintext writes each format into a private file, once the log has it", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    for (const [format, glob] of [["json", "**"], ["csv", "**"], ["dotenv", "TOKEN"]] as const) {
      const args = [...PLAINTEXT, "--format", format, "--out", format, glob, ...box.key];
      const { err } = await box.ok(args);
      assert.match(err, /warning: What was written is not encrypted/);
      assert.equal(Deno.statSync(box.path(format)).mode! & 0o777, 0o600);
      assert.ok((await operations(box)).includes("export.plaintext"));
      await box.fails(args, "file-exists", 10);
    }
    assert.equal(JSON.parse(Deno.readTextFileSync(box.path("json"))).secrets.length, 2);
    assert.equal(
      Deno.readTextFileSync(box.path("csv")),
      `name,value,note,tags,expires,type\r\nTOKEN,hunter2,,,,password\r\ndb/url,"${VALUE}",n,t,,\r\n`,
    );
    assert.equal(Deno.readTextFileSync(box.path("dotenv")), "TOKEN=hunter2\n");
    const piped = await box.ok([...PLAINTEXT, "--format", "dotenv", "--out", "-", "TOKEN", ...box.key]);
    assert.equal(piped.out, "TOKEN=hunter2\n");
  });
});

Deno.test("coffer export --format dotenv writes what the dotenv package reads back byte for byte", async () => {
  await sandbox(async (box) => {
    await box.init();
    const values = { A: VALUE, B: "", C: " # $x \\n ", D: "a\r\nb", E: 'say "so"' };
    for (const [name, value] of Object.entries(values)) {
      await box.ok(["set", `app/${name}`, "--stdin", ...box.key], { stdin: value });
    }
    await box.ok([...PLAINTEXT, "--format", "dotenv", "--out", ".env", "--under", "app", ...box.key]);
    assert.deepEqual({ ...parse(Deno.readTextFileSync(box.path(".env"))) }, values);
  });
});

Deno.test("coffer export names what a format cannot hold, and writes nothing", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    await box.ok(["set", "BINARY", "--stdin", ...box.key], { stdin: Uint8Array.of(0xff, 0) });
    const dotenv = await box.fails(
      [...PLAINTEXT, "--format", "dotenv", "--out", "e", ...box.key],
      "export-unsuited",
      2,
    );
    assert.match(dotenv.err, /names that are no variables: \\"db\/url\\"/);
    for (const format of ["dotenv", "csv"]) {
      const args = [...PLAINTEXT, "--format", format, "--out", "e", "[A-Z]*", ...box.key];
      assert.match((await box.fails(args, "export-unsuited", 2)).err, /: \\"BINARY\\"/);
    }
    await box.fails([...PLAINTEXT, "--format", "csv", "--history", "--out", "e", ...box.key], "usage", 2);
    await box.fails([...PLAINTEXT, "--out", "e", "no/such", ...box.key], "secret-not-found", 3);
    assert.ok(!isThere(box.path("e")));
  });
});

Deno.test("coffer export --plaintext wants the policy's leave and the vault's name", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    await box.fails(["export", "--plaintext", "--out", "e", ...box.key], "usage", 2);
    for (const name of ["", "vault", "./vault.coffer"]) {
      await box.fails(["export", "--plaintext", "--yes-plaintext", name, "--out", "e", ...box.key], "usage", 2);
    }
    await box.fails([...PLAINTEXT, "--to", "age1x", "--out", "e", ...box.key], "usage", 2);
    await box.fails([...PLAINTEXT, "--out", "-", ...box.key], "usage", 2);
    await box.ok(["policy", "set", "plaintext-export", "forbid", ...box.key]);
    await box.fails([...PLAINTEXT, "--out", "e", ...box.key], "export-refused", 11);
    assert.ok(!isThere(box.path("e")));
    assert.ok(!(await operations(box)).includes("export.plaintext"));
  });
});

terminalTest("coffer export --plaintext asks for the vault's name, and never writes to a terminal", async (box) => {
  await withSecrets(box);
  const asked = async (answer: string) => {
    const terminal = new Terminal(box, ["export", "--plaintext", "--out", "e", ...box.key]);
    await terminal.sees("Type the name of the vault, vault.coffer, to write them without encryption: ");
    await terminal.type(answer);
    return await terminal.end();
  };
  for (const wrong of ["\r", "y\r", "vault\r"]) assert.equal((await asked(wrong)).code, 2);
  assert.ok(!isThere(box.path("e")));
  assert.equal((await asked("vault.coffer\r")).code, 0);
  assert.equal(JSON.parse(Deno.readTextFileSync(box.path("e"))).secrets.length, 2);
  const { code, screen } = await new Terminal(box, [...PLAINTEXT, "--out", "-", ...box.key]).end();
  assert.equal(code, 2);
  assert.match(screen, /stdout is a terminal/);
  assert.doesNotMatch(screen, /hunter2/);
  await box.ok(["policy", "set", "plaintext-export", "forbid", ...box.key]);
  const refused = await new Terminal(box, ["export", "--plaintext", "--out", "f", ...box.key]).end();
  assert.equal(refused.code, 11);
});

Deno.test("coffer export of a vault whose log cannot be written gives nothing", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    Deno.mkdirSync(box.path("out"));
    const permissions = [`--allow-read=${box.folder}`, `--allow-write=${box.path("out")}`];
    await box.fails([...PLAINTEXT, "--out", "out/e", ...box.key], "missing-permission", 8, { permissions });
    assert.ok(!isThere(box.path("out/e")));
  });
});
