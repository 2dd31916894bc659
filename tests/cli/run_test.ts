import assert from "node:assert/strict";
import { leftIn, permissions, runTest, shell, shellOk } from "./run.ts";

/** Flags, more variables of coffer's own, and what variables the command finds. */
const VARIABLES: readonly (readonly [readonly string[], Readonly<Record<string, string>>])[] = [
  [["--env", "A=app/db/url"], { A: "postgres://x?y='z' $HOME" }],
  [["--env", "A=app/db/url", "--env=B=app/api-key"], { A: "postgres://x?y='z' $HOME", B: "one\ntwo\n" }],
  [["--env", "A=my key", "--env", "B=app/empty"], { A: "s p a c e", B: "" }],
  [["--all-under", "app"], { DB_URL: "postgres://x?y='z' $HOME", API_KEY: "one\ntwo\n", EMPTY: "" }],
  [["--all-under", "app/db/", "--prefix", "PG_"], { PG_URL: "postgres://x?y='z' $HOME" }],
  [["--all-under", "app", "--env", "DB_URL=my key"], { DB_URL: "s p a c e", API_KEY: "one\ntwo\n", EMPTY: "" }],
  [["--env-file", "vars"], { URL: "<postgres://x?y='z' $HOME>", PLAIN: "1", ESCAPED: "coffer://app" }],
  [["--env-file", "vars", "--env", "URL=my key"], { URL: "s p a c e", PLAIN: "1" }],
  [["--env-file", "vars", "--all-under", "app"], { URL: "<postgres://x?y='z' $HOME>", API_KEY: "one\ntwo\n" }],
  [["--env-file", "vars", "--env-file", "more"], { URL: "s p a c e", PLAIN: "1" }],
  [["--env-file", "plain"], { PLAIN: "2" }],
];

runTest("coffer run gives the command the variables that flags, paths and files ask for", async (box) => {
  box.file("vars", "URL='<coffer://app/db/url>'\nexport PLAIN=1 # x\nESCAPED=\\coffer://app\n");
  box.file("more", "URL={{ coffer://my key }}");
  box.file("plain", "PLAIN=2");
  for (const [flags, wanted] of VARIABLES) {
    for (const [variable, value] of Object.entries(wanted)) {
      assert.equal(await shellOk(box, flags, `printf %s "$${variable}"`), value, flags.join(" "));
    }
  }
  assert.equal(await shellOk(box, ["--env-file", "-"], "printf %s $A", { stdin: "A=coffer://tiny" }), "xyz");
});

runTest("coffer run hands on arguments, folder and the environment as they are", async (box) => {
  const args = ["", "a b", "--", "--json", "-x", "--env=A=b", "*", "$HOME", "é"];
  const { out } = await box.ok([
    "run",
    "--env",
    "A=tiny",
    ...box.key,
    "--",
    "sh",
    "-c",
    'printf "%s|" "$@"',
    "sh",
    ...args,
  ], {
    permissions: permissions(box, "--allow-run=sh"),
  });
  assert.equal(out, args.map((arg) => `${arg}|`).join(""));
  assert.equal(
    await shellOk(box, ["--env", "A=tiny"], 'echo "$(pwd) $OTHER"', { env: { OTHER: "kept" } }),
    `${box.folder} kept\n`,
  );
  // Without dashes of its own a command needs no -- before it.
  const plain = await box.ok(["run", "--env", "A=tiny", ...box.key, "env"], {
    permissions: permissions(box, "--allow-run=env"),
  });
  assert.match(plain.out, /^A=xyz$/m);
});

runTest("coffer run replaces variables that are nothing but a reference, when it may read all of them", async (box) => {
  const env = {
    A: "coffer://app/db/url",
    B: "{{ coffer://my key }}",
    C: "x coffer://tiny",
    D: "\\coffer://tiny",
    E: "{{ coffer://",
  };
  const script = 'printf "%s|" "$A" "$B" "$C" "$D" "$E"';
  const all = permissions(box, "--allow-run=sh", "--allow-env");
  const untouched = "x coffer://tiny|\\coffer://tiny|{{ coffer://|";
  assert.equal(
    await shellOk(box, [], script, { env, permissions: all }),
    `postgres://x?y='z' $HOME|s p a c e|${untouched}`,
  );
  assert.equal(
    await shellOk(box, ["--env", "A=tiny"], script, { env }),
    `xyz|{{ coffer://my key }}|${untouched}`,
    "without the permission they are only text",
  );
  const some = permissions(box, "--allow-run=sh", "--allow-env=A,B");
  assert.match(
    await shellOk(box, ["--env", "X=tiny"], script, { env, permissions: some }),
    /^coffer:\/\/app\/db\/url\|/,
  );
  const missing = await shell(box, ["--json"], "true", { env: { A: "coffer://none" }, permissions: all });
  assert.equal(missing.code, 3);
  // What a flag gives instead is not looked for.
  assert.equal(
    await shellOk(box, ["--env", "A=tiny"], "printf $A", { env: { A: "coffer://none" }, permissions: all }),
    "xyz",
  );
});

runTest("coffer run names all that is missing at once, starts nothing then, and reads nothing", async (box) => {
  box.file("vars", "A=coffer://none/1\nB=coffer://app/db/url");
  const before = await box.json(["audit", ...box.key]);
  const flags = [
    "--env",
    "C=none/2",
    "--file",
    "D=none/3",
    "--stdin",
    "none/4",
    "--env-file",
    "vars",
    "--all-under",
    "nowhere",
  ];
  const { code, err } = await shell(box, ["--json", ...flags], "touch started");
  assert.equal(code, 3);
  const { error } = JSON.parse(err);
  assert.equal(error.code, "missing-references");
  assert.equal(error.message, 'Not in the vault: "none/2", "none/3", "none/1", "none/4", "nowhere/**"');
  assert.throws(() => Deno.statSync(box.path("started")), Deno.errors.NotFound);
  assert.deepEqual(await box.json(["audit", ...box.key]), before);
  assert.deepEqual(leftIn(box), []);
});

runTest(
  "coffer run notes every read in one commit, before the command starts, and what it does not give it does not read",
  async (box) => {
    const { generation } = await box.json(["status"]);
    await shellOk(box, ["--all-under", "app", "--env", "DB_URL=my key", "--actor", "me"], "true");
    const reads = await box.json(["audit", "--op", "secret.read", ...box.key]) as { name: string; actor: string }[];
    assert.deepEqual(reads.map(({ name }) => name), ["my key", "app/api-key", "app/empty"]);
    assert.ok(reads.every(({ actor }) => actor === "me"));
    assert.equal((await box.json(["status"])).generation, generation + 1);
  },
);

/** Arguments behind `run`, the error and its exit code. */
const REFUSED: readonly (readonly [readonly string[], string, number])[] = [
  [["--", "sh"], "usage", 2],
  [["--env", "A=tiny"], "usage", 2],
  [["--env", "A=tiny", "--"], "usage", 2],
  [["--env", "A", "--", "sh"], "usage", 2],
  [["--env", "=tiny", "--", "sh"], "usage", 2],
  [["--env", "1A=tiny", "--", "sh"], "usage", 2],
  [["--env", "A=", "--", "sh"], "invalid-name", 2],
  [["--file", "A-B=tiny", "--", "sh"], "usage", 2],
  [["--prefix", "X", "--env", "A=tiny", "--", "sh"], "usage", 2],
  [["--prefix", "9", "--all-under", "app", "--", "sh"], "usage", 2],
  [["--all-under", "", "--", "sh"], "invalid-name", 2],
  [["--env", "A=tiny", "--env", "A=my key", "--", "sh"], "variable-collision", 2],
  [["--env", "A=tiny", "--file", "A=tiny", "--", "sh"], "variable-collision", 2],
  [["--all-under", "twin", "--", "sh"], "variable-collision", 2],
  [["--env", "A=nul", "--", "sh"], "unfit-for-environment", 2],
  [["--env", "A=bytes", "--", "sh"], "unfit-for-environment", 2],
  [["--env-file", "bad", "--", "sh"], "malformed-template", 2],
  [["--env-file", "none", "--", "sh"], "file-not-found", 3],
  [["--env", "A=large", "--", "sh"], "environment-too-large", 2],
  [["--env", "A=large", "--redact", "--", "sh"], "too-much-to-redact", 2],
  [["--env", "A=tiny", "--", "no-such-program"], "command-not-found", 127],
  [["--env", "A=tiny", "--", "./none"], "command-not-found", 127],
  [["--env", "A=tiny", "--", "vault.coffer/x"], "command-not-found", 127],
  [["--env", "A=tiny", "--", "./plain"], "command-not-executable", 126],
  [["--env", "A=tiny", "--", "./folder"], "command-not-executable", 126],
];

runTest("coffer run refuses what cannot be, with a code and no child, and shows no value", async (box) => {
  for (const name of ["twin/a.b", "twin/a-b"]) await box.ok(["set", name, "--value", "v", ...box.key]);
  await box.ok(["set", "large", "--stdin", ...box.key], { stdin: "x".repeat(3 * 1024 * 1024) });
  box.file("bad", "A=1\nhunter2\n");
  box.file("plain", "echo never", 0o600);
  Deno.mkdirSync(box.path("folder"));
  for (const [args, code, exit] of REFUSED) {
    const all = permissions(box, "--allow-run");
    const { err } = await box.fails(["run", ...box.key, ...args], code, exit, { permissions: all });
    assert.doesNotMatch(err, /hunter2|a\\0b|xyz|xxxx/);
  }
  const { err } = await box.fails(["run", ...box.key, "--env", "A=nul", "--", "sh"], "unfit-for-environment", 2, {
    permissions: permissions(box, "--allow-run=sh"),
  });
  assert.match(err, /\\"nul\\"/);
});

runTest(
  "coffer run needs --allow-run=COMMAND, says so before it asks for anything, and tells it from what is not there",
  async (box) => {
    const none = ["run", "--env", "A=tiny", "--", "sh"];
    const { err } = await box.fails(none, "missing-permission", 8);
    assert.match(err, /--allow-run=sh\b/);
    await box.fails(none, "missing-permission", 8, { permissions: permissions(box, "--allow-run=env") });
    await box.fails(["run", "--env", "A=tiny", "--", "no-such-program"], "command-not-found", 127);
    // The loader's variables would run other code than the permission is for.
    const loaded = await box.fails(
      ["run", ...box.key, "--env", "LD_PRELOAD=tiny", "--", "sh"],
      "missing-permission",
      8,
      {
        permissions: permissions(box, "--allow-run=sh"),
      },
    );
    assert.match(loaded.err, /LD_/);
    assert.doesNotMatch(loaded.err, /xyz/);
  },
);

runTest("coffer run --stdin gives a value as stdin, whole, also to a command that does not read it", async (box) => {
  assert.equal(await shellOk(box, ["--stdin", "bytes"], "od -An -tx1"), " ff 0a 80\n");
  assert.equal(await shellOk(box, ["--stdin", "app/empty"], "wc -c | tr -d ' '"), "0\n");
  const large = "0123456789abcdef".repeat(2 ** 16);
  await box.ok(["set", "large", "--stdin", ...box.key], { stdin: large });
  assert.equal(await shellOk(box, ["--stdin", "large"], "cat"), large);
  for (const script of ["exit 3", "head -c 5 >/dev/null; exit 3", "exec 0<&-; sleep 0.2; exit 3"]) {
    assert.equal((await shell(box, ["--stdin", "large"], script)).code, 3, script);
  }
  assert.equal(await shellOk(box, ["--env", "A=tiny"], "cat", { stdin: "own stdin" }), "own stdin");
});

runTest("coffer run gives no credential of its own to the command, whether it may read them or not", async (box) => {
  const names = ["PASSPHRASE", "PASSPHRASE_FILE", "KEYFILE", "RECOVERY_FILE", "CERTIFICATE", "CERTIFICATE_FILE"];
  const env = { ...Object.fromEntries(names.map((name) => [`COFFER_${name}`, "hunter2"])), COFFER_VAULT: box.vault };
  const script = "env | grep COFFER_ | sort";
  const emptied = names.map((name) => `COFFER_${name}=\n`).sort().join("");
  const vault = `COFFER_VAULT=${box.vault}\n`;
  assert.equal(await shellOk(box, ["--env", "A=tiny"], script, { env }), emptied + vault);
  const all = permissions(box, "--allow-run=sh", "--allow-env");
  assert.equal(await shellOk(box, ["--env", "A=tiny"], script, { env, permissions: all }), vault);
  const one = permissions(box, "--allow-run=sh", "--allow-env=COFFER_KEYFILE,COFFER_VAULT");
  const used = await box.run(["run", "--env", "A=tiny", "--", "sh", "-c", script], {
    env: { ...env, COFFER_KEYFILE: box.path("key") },
    permissions: one,
  });
  assert.equal(used.out, emptied.replace("COFFER_KEYFILE=\n", "") + vault);
  // What is asked for by name is given.
  assert.equal(await shellOk(box, ["--env", "COFFER_PASSPHRASE=tiny"], "echo $COFFER_PASSPHRASE", { env }), "xyz\n");
});

runTest("coffer run --clean-env gives what was asked for and a few that programs cannot do without", async (box) => {
  const env = { OTHER: "x", HOME: box.folder, LANG: "C.UTF-8", TZ: "UTC", REFERENCE: "coffer://tiny" };
  const kept = "PATH,HOME,USER,LOGNAME,SHELL,TMPDIR,TERM,LANG,LC_ALL,LC_CTYPE,TZ";
  for (const permission of [`--allow-env=${kept}`, "--allow-env"]) {
    const out = await shellOk(box, ["--clean-env", "--env", "A=tiny"], "env", {
      env,
      permissions: permissions(box, "--allow-run=sh", permission),
    });
    const found = out.trim().split("\n").map((line) => line.split("=")[0]!);
    // The last three are the shell's own doing.
    const allowed = [...kept.split(","), "A", "PWD", "OLDPWD", "_", "SHLVL"];
    assert.deepEqual(found.filter((name) => !allowed.includes(name)), []);
    for (const line of ["A=xyz", `HOME=${box.folder}`, "LANG=C.UTF-8", "TZ=UTC"]) {
      assert.ok(out.includes(`${line}\n`), line);
    }
  }
  const { err } = await box.fails(["run", "--clean-env", "--env", "A=tiny", "--", "sh"], "missing-permission", 8, {
    permissions: permissions(box, "--allow-run=sh", "--allow-env=PATH,HOME"),
  });
  assert.ok(err.includes(`--allow-env=${kept}`));
});

/** A few programs that read their environment each in a way of its own. */
const PROGRAMS: readonly (readonly [string, readonly string[]])[] = [
  ["node", ["-e", "process.stdout.write(process.env.A)"]],
  ["deno", ["eval", "Deno.stdout.writeSync(new TextEncoder().encode(Deno.env.get('A')))"]],
  ["python3", ["-c", "import os; print(os.environ['A'], end='')"]],
  ["env", ["sh", "-c", 'printf %s "$A"']],
];

runTest("coffer run runs node, deno, python3 and others that are there", async (box) => {
  for (const [program, args] of PROGRAMS) {
    if (!await isThere(program)) continue;
    const result = await box.run(["run", "--env", "A=app/api-key", ...box.key, "--", program, ...args], {
      permissions: permissions(box, `--allow-run=${program}`),
    });
    assert.deepEqual([result.out, result.code], ["one\ntwo\n", 0], `${program}: ${result.err}`);
  }
});

/** A server that asks for a password in clear text, as PostgreSQL's protocol says, and prints what it gets. */
const SERVER = `require("node:net").createServer((socket) => {
  socket.once("data", () => {
    socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
    socket.once("data", (data) => { console.log(data.subarray(5, -1).toString()); process.exit(); });
  });
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });`;

runTest("coffer run lets psql log in with a password that only its environment holds", async (box) => {
  if (!await isThere("psql") || !await isThere("node")) return;
  const server = new Deno.Command("node", { args: ["-e", SERVER], stdout: "piped" }).spawn();
  const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = (await lines.read()).value!.trim();
  const env = { PGSSLMODE: "disable", PGGSSENCMODE: "disable" };
  const args = ["-w", "-h", "127.0.0.1", "-p", port, "-U", "me", "db"];
  const [received, { code }] = await Promise.all([
    lines.read(),
    box.run(["run", "--env", "PGPASSWORD=my key", ...box.key, "--", "psql", ...args], {
      permissions: permissions(box, "--allow-run=psql"),
      env,
    }),
  ]);
  assert.equal(received.value, "s p a c e\n");
  assert.equal(code, 2, "the server ends without an answer");
  await lines.cancel();
  await server.status;
});

async function isThere(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
