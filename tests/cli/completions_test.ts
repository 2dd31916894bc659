import assert from "node:assert/strict";
import { type Sandbox, sandbox } from "./coffer.ts";

/** Words on the line, the last one unfinished, and what has to be among the completions. */
const LINES: readonly (readonly [readonly string[], readonly string[]])[] = [
  [[""], ["init", "set", "get", "ls", "slot", "restore-version", "completions", "--vault", "--version"]],
  [["in"], ["init"]],
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
  [["--version", ""], ["init"]],
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
    env: { HOME: box.folder },
  }).output();
  const decoder = new TextDecoder();
  assert.deepEqual([code, decoder.decode(stderr)], [0, ""]);
  return decoder.decode(stdout);
}

function quote(word: string): string {
  return `'${word}'`;
}

Deno.test({
  name: "coffer completions bash completes commands, flags, choices and files",
  ignore: !await has("bash"),
  fn: () =>
    sandbox(async (box) => {
      const script = box.file("script", (await box.ok(["completions", "bash"], { permissions: [] })).out);
      box.file("key file", "");
      for (const [words, wanted] of LINES) {
        const line = ["coffer", ...words].map(quote).join(" ");
        const complete = `source ${script}; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _coffer
printf '%s\\n' "\${COMPREPLY[@]}"`;
        const found = (await shell(box, "bash", ["--norc"], complete)).trim().split("\n");
        assert.deepEqual(wanted.filter((word) => !found.includes(word)), [], words.join(" "));
        assert.deepEqual(found.filter((word) => !word.startsWith(words.at(-1)!)), [], words.join(" "));
      }
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

Deno.test("coffer completions names every command in each shell's script, and with --json wraps it", async () => {
  await sandbox(async (box) => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { out } = await box.ok(["completions", shell]);
      for (const command of ["init", "restore-version", "slot add", "completions"]) assert.ok(out.includes(command));
      assert.deepEqual(await box.json(["completions", shell]), { shell, script: out });
    }
  });
});
