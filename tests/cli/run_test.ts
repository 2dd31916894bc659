import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { finish, type Result, type RunOptions, type Sandbox, sandbox } from "./coffer.ts";

const LINUX = Deno.build.os === "linux";

/** Secrets of the usual vault. */
const SECRETS: Readonly<Record<string, string | Uint8Array>> = {
  "app/db/url": "postgres://x?y='z' $HOME",
  "app/api-key": "one\ntwo\n",
  "app/empty": "",
  "my key": "s p a c e",
  "bytes": Uint8Array.of(0xff, 0x0a, 0x80),
  "nul": "a\0b",
  "tiny": "xyz",
};

/** A vault with secrets, made by one process: what a test is about comes after it. */
function runTest(name: string, test: (box: Sandbox) => Promise<void>): void {
  Deno.test({
    name,
    // Scripts of a shell, and /proc to know when it is time for a signal.
    ignore: !LINUX,
    fn: () =>
      sandbox(async (box) => {
        await box.init();
        const { Vault } = await import("../../lib/vault.ts");
        await using vault = await Vault.open(box.vault, { keyFile: Deno.readFileSync(box.path("key")) });
        await vault.transaction(({ secrets }) => {
          for (const [name, value] of Object.entries(SECRETS)) secrets.set(name, value);
        });
        await vault.close();
        await test(box);
      }),
  });
}

function permissions(box: Sandbox, ...more: readonly string[]): readonly string[] {
  return [...box.permissions(), ...more];
}

/** Runs `coffer run` on a script of the shell, with the permission for that and no other. */
async function shell(
  box: Sandbox,
  flags: readonly string[],
  script: string,
  options: RunOptions = {},
): Promise<Result> {
  return await box.run(["run", ...box.key, ...flags, "--", "sh", "-c", script], {
    permissions: permissions(box, "--allow-run=sh"),
    ...options,
    env: { TMPDIR: box.folder, ...options.env },
  });
}

async function shellOk(box: Sandbox, flags: readonly string[], script: string, options?: RunOptions): Promise<string> {
  const { code, out, err } = await shell(box, flags, script, options);
  assert.deepEqual({ code, err }, { code: 0, err: "" });
  return out;
}

/** Starts it, and waits until the script has printed a line, and coffer listens to signals. */
async function started(
  box: Sandbox,
  flags: readonly string[],
  script: string,
): Promise<{ child: Deno.ChildProcess; line: string; rest: Promise<Result> }> {
  const child = box.spawn(["run", ...box.key, ...flags, "--", "sh", "-c", script], {
    permissions: permissions(box, "--allow-run=sh"),
    env: { TMPDIR: box.folder },
  });
  const [first, second] = child.stdout.tee();
  let line = "";
  const reader = first.pipeThrough(new TextDecoderStream()).getReader();
  while (!line.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    line += value;
  }
  void reader.cancel();
  await listening(child.pid);
  const rest = (async () => {
    const [out, err, { code }] = await Promise.all([
      new Response(second).text(),
      new Response(child.stderr).text(),
      child.status,
    ]);
    return { code, out, err, bytes: encodeUtf8(out) };
  })();
  return { child, line: line.split("\n")[0]!, rest };
}

/** The command may be faster than the moment in which coffer begins to listen. SIGUSR2 is the last one it does. */
async function listening(pid: number): Promise<void> {
  const bit = 1n << 11n;
  while (true) {
    const { stdout } = await new Deno.Command("grep", { args: ["SigCgt", `/proc/${pid}/status`], stderr: "null" })
      .output();
    const caught = new TextDecoder().decode(stdout).trim().split("\t")[1];
    if (caught === undefined || (BigInt(`0x${caught}`) & bit) !== 0n) return;
  }
}

function leftIn(box: Sandbox): readonly string[] {
  return [...Deno.readDirSync(box.folder)].map(({ name }) => name).filter((name) => name.startsWith("coffer-private-"));
}

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

/** Scripts, and how they end: exit code, and the signal that coffer dies of. */
const ENDS: readonly (readonly [string, number, Deno.Signal | null])[] = [
  ["exit 0", 0, null],
  ["exit 1", 1, null],
  ["exit 42", 42, null],
  ["exit 255", 255, null],
  ["kill -TERM $$", 143, "SIGTERM"],
  ["kill -INT $$", 130, "SIGINT"],
  ["kill -HUP $$", 129, "SIGHUP"],
  ["kill -USR1 $$", 138, "SIGUSR1"],
  ["kill -KILL $$", 137, "SIGKILL"],
  // These would write the memory of coffer to the disk, so it only says so.
  ["ulimit -c 0; kill -QUIT $$", 131, null],
  ["ulimit -c 0; kill -ABRT $$", 134, null],
  ["ulimit -c 0; kill -SEGV $$", 139, null],
  // A real-time signal, of which the runtime has no name.
  ...(Deno.build.os === "linux" ? [["kill -34 $$", 162, null] as const] : []),
];

runTest("coffer run ends as the command does, by the same code or the same signal", async (box) => {
  for (const flags of [[], ["--redact"], ["--file", "F=tiny"]]) {
    for (const [script, code, signal] of ENDS) {
      const child = box.spawn([
        "run",
        ...box.key,
        "--env",
        "A=my key",
        ...flags,
        "--",
        "sh",
        "-c",
        `echo "$A"; ${script}`,
      ], {
        permissions: permissions(box, "--allow-run=sh"),
        env: { TMPDIR: box.folder },
      });
      const [status, { out, err }] = await Promise.all([child.status, finish(child)]);
      assert.deepEqual([status.code, status.signal, out], [
        code,
        signal,
        flags[0] === "--redact" ? "***\n" : "s p a c e\n",
      ], script);
      assert.match(err, /^(coffer: warning: .*fewer than 4.*\n)?$/);
    }
  }
  assert.deepEqual(leftIn(box), []);
});

runTest("coffer run passes signals on to the command, which ends when it wants to", async (box) => {
  for (const signal of ["INT", "TERM", "HUP", "QUIT", "WINCH", "USR1", "USR2"]) {
    const script =
      `trap 'echo got-${signal}; sleep 0.2; echo done; exit 5' ${signal}; echo ready; while :; do sleep 0.02; done`;
    const { child, rest } = await started(box, ["--env", "A=tiny"], script);
    child.kill(`SIG${signal}` as Deno.Signal);
    const { code, out } = await rest;
    assert.deepEqual({ code, out }, { code: 5, out: `ready\ngot-${signal}\ndone\n` });
  }
});

runTest("coffer run dies of a signal that the command dies of, and leaves nothing behind", async (box) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const script = `echo "$F"; cat "$F" >/dev/null; exec sleep 30`;
    const { child, line, rest } = await started(box, ["--file", "F=my key"], script);
    assert.equal(Deno.readTextFileSync(line), "s p a c e");
    child.kill(signal);
    await rest;
    assert.equal((await child.status).signal, signal);
    assert.deepEqual(leftIn(box), [], signal);
  }
});

runTest("coffer run leaves ignored what it was told to ignore, as under nohup", async (box) => {
  const run = box.command(
    ["run", ...box.key, "--env", "A=tiny", "--", "sh", "-c", "kill -HUP $$; kill -INT $$; echo alive"],
    permissions(box, "--allow-run=sh"),
  );
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `trap '' HUP INT; "$@"`, "sh", ...run],
    cwd: box.folder,
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "alive\n");
});

runTest(
  "coffer run writes --file values to private files, and removes them whatever becomes of the command",
  async (box) => {
    const flags = ["--file", "KEY=bytes", "--file", "OTHER=my key"];
    const script = 'stat -c "%a %F" "$KEY" "$(dirname "$KEY")"; od -An -tx1 <"$KEY"; cat "$OTHER"; dirname "$KEY"';
    if (LINUX) {
      const out = await shellOk(box, flags, script);
      const [file, folder, bytes, last] = out.split("\n");
      assert.deepEqual([file, folder, bytes!.trim()], ["600 regular file", "700 directory", "ff 0a 80"]);
      assert.ok(last!.startsWith(`s p a c e${box.folder}/coffer-private-`));
    }
    // It may be gone already, read-only, or hold more than was put there.
    for (
      const last of ['rm -r "$(dirname "$KEY")"', 'chmod 0 "$KEY"', 'touch "$KEY.more"', "exit 3", "kill -KILL $$"]
    ) {
      const { err } = await shell(box, flags, last);
      assert.deepEqual([err, leftIn(box)], ["", []], last);
    }
    const failed = await box.run(["run", ...box.key, ...flags, "--", "./none"], {
      permissions: permissions(box, "--allow-run"),
      env: { TMPDIR: box.folder },
    });
    assert.equal(failed.code, 127);
    assert.deepEqual(leftIn(box), []);
  },
);

runTest(
  "coffer run leaves its files when it is killed, and takes away what others left, but nothing that is used",
  async (box) => {
    const script = 'echo "$F"; exec 2>/dev/null >/dev/null; exec sleep 30';
    const used = await started(box, ["--file", "F=my key"], script);
    const lost = await started(box, ["--file", "F=my key"], `echo $$; ${script}`);
    const sleeper = asPid(lost.line);
    while (leftIn(box).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    lost.child.kill("SIGKILL");
    await lost.rest;
    Deno.kill(sleeper, "SIGKILL");
    assert.equal(leftIn(box).length, 2, "nobody is there to remove it");
    // One that its maker had no time to lock yet.
    Deno.mkdirSync(box.path("coffer-private-young"));
    assert.equal(await shellOk(box, ["--file", "F=tiny"], 'cat "$F"'), "xyz");
    assert.equal(Deno.readTextFileSync(used.line), "s p a c e");
    assert.deepEqual(leftIn(box).length, 2);
    used.child.kill("SIGTERM");
    await used.rest;
    assert.deepEqual(leftIn(box), ["coffer-private-young"]);
    Deno.utimeSync(box.path("coffer-private-young"), 1, 1);
    await shellOk(box, ["--file", "F=tiny"], "true");
    assert.deepEqual(leftIn(box), []);
  },
);

runTest("coffer run needs a place for files, and says which permission that takes", async (box) => {
  const { err } = await box.fails(["run", ...box.key, "--file", "F=tiny", "--", "sh"], "missing-permission", 8, {
    permissions: permissions(box, "--allow-run=sh"),
    env: { TMPDIR: "/nonexistent" },
  });
  assert.match(err, /--allow-write/);
  Deno.mkdirSync(box.path("run"), { mode: 0o700 });
  const out = await shellOk(box, ["--file", "F=tiny"], 'echo "$F"', {
    permissions: permissions(box, "--allow-run=sh", "--allow-env=XDG_RUNTIME_DIR"),
    env: { XDG_RUNTIME_DIR: box.path("run") },
  });
  assert.ok(out.startsWith(box.path("run/coffer-private-")));
});

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

Deno.test({
  name: "coffer run keeps values out of every command line and of its own environment, and holds no vault open",
  ignore: !LINUX,
  fn: () =>
    sandbox(async (box) => {
      await box.init();
      const value = "v4lue-of-this-test";
      await box.ok(["set", "a", "--stdin", ...box.key], { stdin: value });
      const flags = ["--env", "A=a", "--file", "F=a", "--redact"];
      const { child, line, rest } = await started(box, flags, "echo $$; exec sleep 30");
      const program = (name: string, ...args: readonly string[]) =>
        new TextDecoder("latin1").decode(
          new Deno.Command(name, { args: [...args], stderr: "null" }).outputSync().stdout,
        );
      const read = (pid: number | string, name: string) => program("cat", `/proc/${pid}/${name}`);
      assert.ok(read(line, "environ").includes(`A=${value}\0`), "it is where it was asked for");
      for (const [pid, name] of [[line, "cmdline"], [child.pid, "cmdline"], [child.pid, "environ"]] as const) {
        assert.ok(!read(pid, name).includes(value), `${pid} ${name}`);
      }
      for (const pid of [line, child.pid]) {
        const open = program("sh", "-c", `for file in /proc/${pid}/fd/*; do readlink "$file"; done`).split("\n");
        assert.deepEqual(open.filter((path) => path.startsWith(box.vault)), []);
        assert.equal(open.some((path) => path.includes("coffer-private-")), pid === child.pid);
      }
      child.kill("SIGTERM");
      await rest;
      // Nothing of it is left in any file of the folder either.
      for (const { name, isFile } of Deno.readDirSync(box.folder)) {
        if (isFile) {
          assert.ok(!new TextDecoder("latin1").decode(Deno.readFileSync(box.path(name))).includes(value), name);
        }
      }
    }),
});

runTest(
  "coffer run --redact masks values in stdout and stderr, as they are and encoded, also across pieces",
  async (box) => {
    const value = "s3cret/v4lue+with=ü";
    await box.ok(["set", "a", "--stdin", ...box.key], { stdin: value });
    const flags = ["--env", "A=a", "--env", "B=tiny", "--file", "F=app/api-key", "--redact"];
    const script = `
    echo "plain $A." ; echo "err $A." >&2
    printf s3cret/ ; sleep 0.1 ; printf v4lue+ ; sleep 0.1 ; printf 'with=\\303' ; sleep 0.1 ; printf '\\274\\n'
    printf s3cret/v ; sleep 0.1 ; echo 5
    printf %s "$A" | base64 ; printf 'xx%sxx' "$A" | base64 ; printf %s "$A" | od -An -v -tx1 | tr -d ' \\n' ; echo
    cat "$F" ; echo "short $B"
    printf s3cret`;
    const { code, out, err } = await shell(box, flags, script);
    const encoded = btoa(`xx${String.fromCharCode(...encodeUtf8(value))}xx`);
    // Two bytes before the value, and two behind it: three characters and their neighbours' bits at each end.
    const embedded = `${encoded.slice(0, 3)}***${encoded.slice(Math.floor((2 + encodeUtf8(value).length) * 8 / 6))}`;
    assert.equal(code, 0);
    assert.equal(out, `plain ***.\n***\ns3cret/v5\n***\n${embedded}\n***\n***\nshort xyz\ns3cret`);
    assert.equal(
      err,
      'coffer: warning: The value of "tiny" has fewer than 4 characters, and is not masked\nerr ***.\n',
    );
  },
);

runTest("coffer run --redact passes on at once what is no part of a value, and all bytes as they are", async (box) => {
  const script = "printf 'Name? '; printf 'say s3'>&2; exec sleep 30";
  await box.ok(["set", "a", "--value", "s3cret", ...box.key]);
  const child = box.spawn(["run", ...box.key, "--env", "A=a", "--redact", "--", "sh", "-c", script], {
    permissions: permissions(box, "--allow-run=sh"),
  });
  const first = async (stream: ReadableStream<Uint8Array>) => {
    const { value } = await stream.getReader().read();
    return new TextDecoder().decode(value);
  };
  const [out, err] = await Promise.all([first(child.stdout), first(child.stderr)]);
  assert.deepEqual([out, err], ["Name? ", "say "]);
  child.kill("SIGTERM");
  await child.status;
  const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) % 251);
  box.file("bytes", bytes);
  const { bytes: copied } = await shell(box, ["--env", "A=a", "--redact"], "cat bytes");
  assert.deepEqual(copied, bytes);
});

runTest(
  "coffer run --redact ends when its reader goes away, and waits for what the command left running",
  async (box) => {
    const run = (script: string) =>
      box.command(
        ["run", ...box.key, "--env", "A=my key", "--redact", "--", "sh", "-c", script],
        permissions(box, "--allow-run=sh"),
      );
    const quoted = run("yes").map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const { stdout } = await new Deno.Command("sh", { args: ["-c", `${quoted} | head -n 2`], cwd: box.folder })
      .output();
    assert.equal(new TextDecoder().decode(stdout), "y\ny\n");
    const { out } = await shell(box, ["--env", "A=my key", "--redact"], '(sleep 0.3; echo "late $A") & echo early');
    assert.equal(out, "early\nlate ***\n");
    // A signal ends the wait.
    const { child, line, rest } = await started(
      box,
      ["--env", "A=my key", "--redact"],
      'sleep 30 & echo "$! $$"; exit 4',
    );
    const [sleeper, shellItself] = line.split(" ").map(asPid);
    while (isRunning(shellItself!)) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGTERM");
    assert.equal((await rest).code, 4);
    Deno.kill(sleeper!, "SIGKILL");
  },
);

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

/** A number of one process: no other may ever reach a call that kills. */
function asPid(text: string | undefined): number {
  assert.match(text ?? "", /^[1-9]\d*$/);
  return Number(text);
}

function isRunning(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function isThere(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
