import assert from "node:assert/strict";
import { type Sandbox, sandbox, WEAK } from "./coffer.ts";
import { Terminal, terminalTest } from "./terminal.ts";

/** Words on the line, the last one unfinished, and what has to be among the completions. */
const LINES: readonly (readonly [readonly string[], readonly string[]])[] = [
  [[""], ["init", "set", "get", "ls", "slot", "restore-version", "completions", "--vault", "--version"]],
  [["in"], ["init"]],
  [["help", "sl"], ["slot"]],
  [["help", "slot", ""], ["ls", "add", "rm"]],
  [["slot", ""], ["ls", "add", "rm"]],
  [["--json", "slot", "a"], ["add"]],
  [["--vault", "x", "--timeout", "3", "stat"], ["status"]],
  [["get", "--"], ["--out", "--overwrite", "--version", "--force-tty", "--keyfile", "--help"]],
  [["audit", ""], ["ls", "prune"]],
  [["audit", "--"], ["--since", "--until", "--op", "--name", "--verify", "--keyfile", "--help"]],
  [["audit", "prune", "--"], ["--before", "--yes"]],
  [["audit", "--op", "secret.re"], ["secret.read", "secret.rename", "secret.restore"]],
  [["policy", ""], ["ls", "set"]],
  [["slot", "add", "--kind", ""], ["passphrase", "recovery", "keyfile", "certificate"]],
  [["repair", "--"], ["--older", "--dry-run", "--keyfile"]],
  [["salv"], ["salvage"]],
  [["salvage", "--"], ["--deep", "--new-passphrase-file", "--new-keyfile", "--kdf-memory"]],
  [["completions", ""], ["bash", "zsh", "fish"]],
  [["--vault", "ke"], ["key file"]],
  [["set", "--file", "ke"], ["key file"]],
  [["inject", "-i", "ke"], ["key file"]],
  [["--version", ""], ["init"]],
  [["user", "role", "acme/alice", ""], ["read", "write", "admin"]],
  [["policy", "set", ""], ["audit-reads", "max-secret-age"]],
];

/** The same where names of the vault are wanted: what stands on the line, and all that is offered for the last word. */
const NAMES: readonly (readonly [readonly string[], readonly string[]])[] = [
  [["get", "--keyfile", "key", "app"], ["app/password", "app/user"]],
  [["--keyfile", "key", "get", "db/w"], ["db/with blank $(x)"]],
  [["rm", "--keyfile", "key", "app/user", "app/p"], ["app/password"]],
  [["get", "--keyfile", "key", "app/user", "app"], []],
  [["get", "--keyfile", "'key file'", "app/u"], ["app/user"]],
  [["get", "--keyfile", "~/key", "app/u"], ["app/user"]],
  [["get", "--keyfile=key", "app/u"], ["app/user"]],
  [["get", "--keyfile", "key", "--vault", "elsewhere", "app"], []],
  [["get", "--keyfile", "wrong", "app"], []],
  [["get", "app"], []],
  [["run", "--keyfile", "key", "--stdin", "app/u"], ["app/user"]],
  [["set", "--keyfile", "key", "--stdin", "app/u"], ["app/user"]],
  [["user", "show", "--keyfile", "key", "acme/"], ["acme/alice", "acme/al@x:y"]],
  [["slot", "rm", "1"], ["1"]],
];

async function has(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function shell(box: Sandbox, program: string, args: readonly string[], script: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args, "-c", script],
    cwd: box.folder,
    env: { HOME: box.folder, PATH: `${box.folder}/bin:${Deno.env.get("PATH")}` },
  }).output();
  const decoder = new TextDecoder();
  assert.deepEqual([code, decoder.decode(stderr)], [0, ""]);
  return decoder.decode(stdout);
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** A vault with names, and a program \`coffer\` for the shell that completes, and otherwise prints how it was called. */
async function named(box: Sandbox): Promise<void> {
  await box.init();
  Deno.copyFileSync(box.path("key"), box.path("key file"));
  box.file("wrong", "w".repeat(64));
  for (const name of ["app/password", "app/user", "db/with blank $(x)"]) {
    await box.ok(["set", name, "--value", "v", ...box.key]);
  }
  for (const user of ["acme/alice", "acme/al@x:y"]) {
    await box.ok(["user", "add", user, "--role", "read", "--no-password", ...box.key]);
  }
  Deno.mkdirSync(box.path("bin"));
  const command = box.command([]).map(quote).join(" ");
  const program = `#!/bin/sh\n[ "$1" = completions ] || { printf '<%s>' "$@"; echo; exit; }\nexec ${command} "$@"\n`;
  box.file("bin/coffer", program, 0o700);
}

/** What bash offers for the last word. */
async function completed(box: Sandbox, words: readonly string[]): Promise<readonly string[]> {
  // As bash breaks a line into words: also at = : and @.
  const broken = words.flatMap((word) => word === "" ? [""] : word.match(/[=:@]+|[^=:@]+/g)!);
  const line = ["coffer", ...broken].map(quote).join(" ");
  const complete = `source ${box.path("script")}; COMP_WORDS=(${line}); COMP_CWORD=${broken.length}
COMP_LINE=${quote(["coffer", ...words].join(" "))}; _coffer; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const found = (await shell(box, "bash", ["--norc"], complete)).trim();
  return found === "" ? [] : found.split("\n");
}

Deno.test({
  name: "coffer completions bash completes commands, flags, choices and files",
  ignore: !await has("bash"),
  fn: () =>
    sandbox(async (box) => {
      box.file("script", (await box.ok(["completions", "bash"], { permissions: [] })).out);
      box.file("key file", "");
      for (const [words, wanted] of LINES) {
        const found = await completed(box, words);
        assert.deepEqual(wanted.filter((word) => !found.includes(word)), [], words.join(" "));
        assert.deepEqual(found.filter((word) => !word.startsWith(words.at(-1)!)), [], words.join(" "));
      }
    }),
});

Deno.test({
  name: "coffer completions bash offers each file once, whatever their names, and runs nothing",
  ignore: !await has("bash"),
  fn: () =>
    sandbox(async (box) => {
      box.file("script", (await box.ok(["completions", "bash"], { permissions: [] })).out);
      const names = ["f*", "f$(touch ran)", "f`touch ran`", "fine"];
      for (const name of names) box.file(name, "");
      assert.deepEqual([...await completed(box, ["import", "f"])].sort(), [...names].sort());
      assert.throws(() => Deno.statSync(box.path("ran")), Deno.errors.NotFound);
    }),
});

Deno.test({
  name: "coffer completions fish completes commands, flags, choices and files",
  ignore: !await has("fish"),
  fn: () =>
    sandbox(async (box) => {
      const script = box.file("script", (await box.ok(["completions", "fish"])).out);
      box.file("key file", "");
      for (const [words, wanted] of LINES.filter(([words]) => words.at(-1) !== "ke")) {
        // A fish that is asked for an empty word offers no flags.
        const line = ["coffer", ...words].join(" ");
        const found = (await shell(box, "fish", ["--no-config"], `source ${script}; complete -C ${quote(line)}`))
          .split("\n").map((row) => row.split("\t")[0]!);
        const missing = wanted.filter((word) => !word.startsWith("--") || words.at(-1) === "--")
          .filter((word) => !found.includes(word));
        assert.deepEqual(missing, [], words.join(" "));
      }
    }),
});

Deno.test({
  name: "coffer completions zsh prints a script that zsh reads",
  ignore: !await has("zsh"),
  fn: () =>
    sandbox(async (box) => {
      const script = box.file("script", (await box.ok(["completions", "zsh"])).out);
      const { success } = await new Deno.Command("zsh", { args: ["-f", "-n", script] }).output();
      assert.ok(success);
    }),
});

Deno.test({
  name: "coffer completions bash completes names of the vault that the line opens, and runs nothing of the line",
  ignore: !await has("bash"),
  fn: () =>
    sandbox(async (box) => {
      await named(box);
      box.file("script", (await box.ok(["completions", "bash"])).out);
      for (const [words, wanted] of NAMES) {
        const found = (await completed(box, words)).filter((word) => !word.startsWith("-"));
        const quoted = wanted.map((name) => name.replace(/[ $()]/g, "\\$&"));
        assert.deepEqual(found.sort(), [...quoted].sort(), words.join(" "));
      }
      // Only what follows the last break of the line is put in.
      assert.deepEqual(await completed(box, ["user", "show", "--keyfile", "key", "acme/al@x"]), ["x:y"]);
      // Where a number or a name can stand, flags are not in its way.
      assert.deepEqual(await completed(box, ["slot", "rm", ""]), ["1"]);
      assert.ok((await completed(box, ["run", "--", "cof"])).includes("coffer"));
      assert.deepEqual(await completed(box, ["get", "--keyfile", "$(touch ran)`touch ran`key", "app"]), []);
      assert.throws(() => Deno.statSync(box.path("ran")), Deno.errors.NotFound);
    }),
});

Deno.test({
  name: "coffer completions fish completes names of the vault that the line opens, and runs nothing of the line",
  ignore: !await has("fish"),
  fn: () =>
    sandbox(async (box) => {
      await named(box);
      const script = box.file("script", (await box.ok(["completions", "fish"])).out);
      const offered = async (line: string) =>
        (await shell(
          box,
          "fish",
          ["--no-config"],
          `source ${script}; complete -C ${quote(line).replace(/'\\''/g, "\\'")}`,
        ))
          .split("\n").map((row) => row.split("\t")[0]!).filter((word) => word !== "");
      for (const [words, wanted] of NAMES) {
        assert.deepEqual((await offered(`coffer ${words.join(" ")}`)).sort(), [...wanted].sort(), words.join(" "));
      }
      assert.deepEqual(await offered("coffer get --keyfile (touch ran) app"), []);
      assert.throws(() => Deno.statSync(box.path("ran")), Deno.errors.NotFound);
    }),
});

/** How each shell is started with nothing of its user's, and reads a script. */
const SHELL_STARTS = {
  bash: ["bash --norc -i", "source ./script"],
  zsh: ["zsh -f -i", "autoload -U compinit; compinit -u -D; source ./script"],
  fish: ["fish --no-config -i", "source ./script"],
} as const;

for (const [name, [start, load]] of Object.entries(SHELL_STARTS)) {
  if (!await has(name)) {
    // deno-lint-ignore no-console -- a skipped test must be seen
    console.warn(`SKIPPED: completion in a real ${name}, which is not installed`);
    continue;
  }
  terminalTest(`coffer completions ${name} completes on the line of a real ${name}`, async (box) => {
    await named(box);
    box.file("script", (await box.ok(["completions", name])).out);
    const path = `${box.folder}/bin:${Deno.env.get("PATH")}`;
    const shell = `stty cols 200; HOME=${quote(box.folder)} PATH=${quote(path)} TERM=dumb exec ${start}`;
    const terminal = new Terminal(box, [], () => shell);
    await terminal.type(`${load}; echo load''ed\r`);
    await terminal.sees("loaded");
    const typed: readonly (readonly [string, string])[] = [
      ["coffer stat\t\r", "<status>"],
      ["coffer get --keyfile key app/p\t\r", "<get><--keyfile><key><app/password>"],
      ["coffer get --keyfile key db/w\t\r", "<get><--keyfile><key><db/with blank $(x)>"],
      ["coffer --keyfile ~/key user show acme/ali\t\r", `<--keyfile><${box.path("key")}><user><show><acme/alice>`],
      ["coffer slot r\t1\r", "<slot><rm><1>"],
      ["coffer get --keyfile wrong app/p\t\r", "<get><--keyfile><wrong><app/p>"],
    ];
    for (const [keys, wanted] of typed) {
      await terminal.type(keys);
      await terminal.sees(wanted);
    }
    await terminal.type("exit\r");
    const { screen } = await terminal.end();
    assert.doesNotMatch(screen, /coffer: /);
    assert.throws(() => Deno.statSync(`${box.vault}.attempts`), Deno.errors.NotFound);
  });
}

Deno.test("coffer completions --names asks nothing, counts no try, and is silent where the vault does not open", async () => {
  await sandbox(async (box) => {
    await named(box);
    const quiet = async (...args: readonly string[]) => {
      const { code, out, err } = await box.run(["completions", "--names", ...args]);
      assert.deepEqual({ code, out, err }, { code: 1, out: "", err: "" }, args.join(" "));
    };
    assert.equal((await box.ok(["completions", "--names", "slots"])).out, "1\n");
    assert.deepEqual(await box.json(["completions", "--names", "users", ...box.key]), ["acme/al@x:y", "acme/alice"]);
    const { generation } = await box.json(["status"]);
    await quiet("secrets");
    await quiet("secrets", "--vault", "elsewhere", ...box.key);
    await quiet("secrets", "--keyfile", "nowhere");
    for (let round = 0; round < 6; round++) await quiet("secrets", "--keyfile", box.path("wrong"));
    assert.throws(() => Deno.statSync(`${box.vault}.attempts`), Deno.errors.NotFound);
    assert.equal((await box.json(["status"])).generation, generation);
    // Nor is it a way round the tries that count.
    await box.fails(["ls", "--keyfile", box.path("wrong")], "wrong-credential", 4);
    await quiet("secrets", ...box.key);
    await box.ok(["ls", ...box.key]);
    await box.ok(["completions", "--names", "secrets", ...box.key]);
    await box.fails(["completions"], "usage", 2);
    await box.fails(["completions", "bash", "--names", "slots"], "usage", 2);
  });
});

Deno.test("coffer completions --names derives no key that costs more than about a second", async () => {
  await sandbox(async (box) => {
    const pass = ["--passphrase-file", box.file("pass", "p4ss")];
    await box.ok(["init", "--no-recovery", ...pass, ...WEAK]);
    await box.ok(["set", "a", "--value", "v", ...pass]);
    assert.equal((await box.ok(["completions", "--names", "secrets", ...pass])).out, "a\n");
    const dear = ["--kdf-memory", "19", "--kdf-passes", "54"];
    await box.ok([
      "slot",
      "add",
      "--kind",
      "passphrase",
      "--new-passphrase-file",
      box.file("other", "x"),
      ...dear,
      ...pass,
    ]);
    assert.deepEqual((await box.run(["completions", "--names", "secrets", ...pass])).code, 1);
    await box.ok(["check", ...pass]);
  });
});

Deno.test("coffer completions names every command in each shell's script, and with --json wraps it", async () => {
  await sandbox(async (box) => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { out } = await box.ok(["completions", shell]);
      for (const command of ["init", "restore-version", "slot add", "completions"]) assert.ok(out.includes(command));
      assert.deepEqual(await box.json(["completions", shell]), { shell, script: out });
    }
  });
});
