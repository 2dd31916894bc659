import assert from "node:assert/strict";
import { type Result, type Sandbox, sandbox } from "./coffer.ts";
import { Terminal, terminalTest } from "./terminal.ts";

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** An editor: a script of the shell that gets the file as $1. */
function editor(box: Sandbox, script: string): string {
  return box.file("editor", `#!/bin/sh\n${script}\n`, 0o700);
}

function permissions(box: Sandbox, ...more: readonly string[]): readonly string[] {
  return [...box.permissions(), `--allow-run=${box.path("editor")}`, ...more];
}

/** Runs `coffer edit` with a script for an editor. */
async function edit(box: Sandbox, name: string, script: string, ...flags: readonly string[]): Promise<Result> {
  const args = ["edit", name, "--editor", editor(box, script), ...flags, ...box.key];
  return await box.run(args, { permissions: permissions(box) });
}

function leftovers(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.startsWith("coffer-private-"));
}

async function value(box: Sandbox, name: string): Promise<string> {
  return (await box.ok(["get", name, ...box.key])).out;
}

async function set(box: Sandbox, name: string, stdin: string | Uint8Array): Promise<void> {
  await box.ok(["set", name, "--stdin", ...box.key], { stdin });
}

Deno.test("coffer edit keeps what the editor wrote, in a private file of a private folder that is gone afterwards", async () => {
  await sandbox(async (box) => {
    await box.init();
    await set(box, "a", "one\ntwo\n");
    const script = `stat -c '%a %n' "$1" "$(dirname "$1")" >${box.path("modes")}; cp "$1" ${box.path("seen")}
echo three >>"$1"; echo swap >"$(dirname "$1")/.secret.txt.swp"`;
    const { code, out, err } = await edit(box, "a", script);
    assert.equal(code, 0, err);
    assert.equal(out, "");
    assert.equal(err, "Saved a, version 2\n");
    assert.equal(await value(box, "a"), "one\ntwo\nthree\n");
    assert.equal(Deno.readTextFileSync(box.path("seen")), "one\ntwo\n");
    const [file, folder] = Deno.readTextFileSync(box.path("modes")).trimEnd().split("\n");
    assert.match(file!, /^600 .*\/coffer-private-[^/]+\/secret\.txt$/);
    assert.match(folder!, /^700 /);
    assert.deepEqual(leftovers(box.folder), []);
  });
});

Deno.test("coffer edit gives the editor none of coffer's own credentials", async () => {
  await sandbox(async (box) => {
    await box.init();
    await set(box, "a", "x");
    const args = ["edit", "a", "--editor", editor(box, `env | sort >${box.path("env")}`)];
    const env = { COFFER_KEYFILE: box.path("key"), OTHER: "kept" };
    for (const permission of ["--allow-env", "--allow-env=COFFER_KEYFILE"]) {
      await box.ok(args, { permissions: permissions(box, permission), env });
      const seen = Deno.readTextFileSync(box.path("env"));
      assert.doesNotMatch(seen, /^COFFER_[A-Z_]+=./m);
      assert.match(seen, /^OTHER=kept$/m);
    }
    // What coffer may not look at, it takes away all the same.
    await box.ok([...args, ...box.key], { permissions: permissions(box), env: { COFFER_PASSPHRASE: "hunter2" } });
    assert.doesNotMatch(Deno.readTextFileSync(box.path("env")), /hunter2/);
  });
});

Deno.test("coffer edit takes the line end away that editors add, unless the value had one", async () => {
  await sandbox(async (box) => {
    await box.init();
    await set(box, "bare", "x");
    await edit(box, "bare", `echo y >"$1"`);
    assert.equal(await value(box, "bare"), "y");
    await set(box, "ended", "x\n");
    await edit(box, "ended", `echo y >"$1"`);
    assert.equal(await value(box, "ended"), "y\n");
    await edit(box, "new", `echo first >"$1"`);
    assert.equal(await value(box, "new"), "first");
  });
});

Deno.test("coffer edit commits nothing when the value is the same, or the editor fails, or leaves what is no text", async () => {
  await sandbox(async (box) => {
    await box.init();
    await set(box, "a", "x");
    const generation = async () => (await box.json(["history", "a", ...box.key])).versions.length;
    const scripts: readonly (readonly [string, string | undefined, number])[] = [
      [":", undefined, 0],
      [`printf 'x\\n' >"$1"`, undefined, 0],
      [`echo y >"$1"; exit 3`, "editor-failed", 1],
      [`echo y >"$1"; kill -9 $$`, "editor-failed", 1],
      // A real-time signal, of which the runtime has no name.
      ...(Deno.build.os === "linux" ? [[`echo y >"$1"; kill -34 $$`, "editor-failed", 1] as const] : []),
      [`printf '\\377' >"$1"`, "malformed-text", 2],
      [`rm "$1"`, "file-not-found", 3],
      [`rm -r "$(dirname "$1")"`, "file-not-found", 3],
      [`head -c 17000000 /dev/zero >"$1"`, "value-too-large", 2],
    ];
    for (const [script, code, exit] of scripts) {
      const result = await edit(box, "a", script, "--json");
      assert.equal(result.code, exit, `${script}: ${result.err}`);
      if (code === undefined) assert.deepEqual(JSON.parse(result.out), { name: "a", version: 1, changed: false });
      else assert.equal(JSON.parse(result.err.trim().split("\n").at(-1)!).error.code, code, result.err);
      if (code === "editor-failed") assert.match(result.err, /The editor \\"\S+\/editor\\" ended/);
      assert.deepEqual(leftovers(box.folder), []);
    }
    assert.equal(await generation(), 1);
    await edit(box, "new", ":");
    await box.fails(["get", "new", ...box.key], "secret-not-found", 3);
    await set(box, "binary", Uint8Array.of(0xff));
    const refused = await edit(box, "binary", `touch ${box.path("ran")}`);
    assert.equal(refused.code, 2);
    assert.ok(!isThere(box.path("ran")));
  });
});

Deno.test("coffer edit does not overwrite what somebody else changed meanwhile", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const [name, meanwhile] of [["a", "set a --value theirs"], ["b", "rm b"], ["c", "set c --value theirs"]]) {
      if (name !== "c") await set(box, name!, "x");
      const other = box.command([...meanwhile!.split(" "), ...box.key]).map((word) => `'${word}'`).join(" ");
      const result = await edit(box, name!, `cd ${box.folder}; ${other} || exit 9; echo mine >"$1"`, "--json");
      assert.equal(result.code, 5, result.err);
      assert.match(result.err, /"secret-changed"/);
    }
    assert.deepEqual([await value(box, "a"), await value(box, "c")], ["theirs", "theirs"]);
    // Another note, or another secret, is no conflict.
    const other = box.command(["meta", "a", "--note", "n", ...box.key]).map((word) => `'${word}'`).join(" ");
    assert.equal((await edit(box, "a", `cd ${box.folder}; ${other} || exit 9; echo mine >"$1"`)).code, 0);
    assert.equal(await value(box, "a"), "mine");
  });
});

Deno.test("coffer edit takes VISUAL before EDITOR, with arguments, and names the permission that it lacks", async () => {
  await sandbox(async (box) => {
    await box.init();
    await set(box, "a", "x");
    const script = editor(box, `echo "$1 $2" >"$3"`);
    const env = { VISUAL: `${script} --wait 'two words'`, EDITOR: "false" };
    const args = ["edit", "a", ...box.key];
    await box.ok(args, { env, permissions: permissions(box, "--allow-env=VISUAL,EDITOR") });
    assert.equal(await value(box, "a"), "--wait two words");
    await box.fails(args, "usage", 2, { env, permissions: permissions(box) });
    const { err } = await box.fails([...args, "--editor", "vi -n"], "missing-permission", 8);
    assert.match(err, /--allow-run=vi"/);
    const none = box.path("none");
    const missing = { permissions: [...box.permissions(), `--allow-run=${none}`] };
    // Where the program is missing the runtime does not even take the permission.
    const { code } = await box.run([...args, "--editor", none], missing);
    assert.ok([1, 8].includes(code));
    assert.deepEqual(leftovers(box.folder), []);
  });
});

Deno.test({
  name: "coffer edit works in the folder for such files where it may, and takes away what a killed one left there",
  fn: () =>
    sandbox(async (box) => {
      await box.init();
      await set(box, "a", "x");
      const runtime = box.path("runtime");
      Deno.mkdirSync(runtime);
      const options = {
        permissions: permissions(box, "--allow-env=XDG_RUNTIME_DIR"),
        env: { XDG_RUNTIME_DIR: runtime },
      };
      const started = box.path("started");
      const script = editor(
        box,
        `echo "$1" >${started}.new; echo $$ >${box.path("pid")}; mv ${started}.new ${started}; exec sleep 60`,
      );
      const child = box.spawn(["edit", "a", "--editor", script, ...box.key], options);
      while (!isThere(started)) await new Promise((resolve) => setTimeout(resolve, 20));
      const path = Deno.readTextFileSync(started).trim();
      assert.ok(path.startsWith(`${runtime}/coffer-private-`));
      child.kill("SIGKILL");
      await child.status;
      Deno.kill(Number(Deno.readTextFileSync(box.path("pid"))), "SIGKILL");
      assert.ok(isThere(path));
      await box.ok(["edit", "a", "--editor", editor(box, `echo "$1" >"$1"`), ...box.key], options);
      assert.ok(!isThere(path));
      assert.ok((await value(box, "a")).startsWith(runtime));
      assert.deepEqual(leftovers(runtime), []);
    }),
});

terminalTest("coffer edit gives the terminal to the editor, and leaves Ctrl-C to it", async (box) => {
  await box.init();
  await set(box, "a", "x");
  const script = editor(
    box,
    `trap 'echo caught' INT; printf 'Text: '; read line; [ -n "$line" ] || read line; echo "$line" >"$1"`,
  );
  const words = [...box.command(["edit", "a", "--editor", script, ...box.key], permissions(box))];
  const terminal = new Terminal(
    box,
    [],
    () => `exec ${words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")}`,
  );
  await terminal.sees("Text: ");
  await terminal.type("\u0003");
  await terminal.sees("caught");
  await terminal.type("typed text\n");
  await terminal.sees("Saved a, version 2");
  assert.equal((await terminal.end()).code, 0);
  assert.equal(await value(box, "a"), "typed text");
});

Deno.test("coffer edit removes the value when a signal ends it, and the editor with it", async () => {
  await sandbox(async (box) => {
    await box.init();
    await set(box, "a", "x");
    for (const signal of ["SIGTERM", "SIGHUP"] as const) {
      const started = box.path(`started-${signal}`);
      const script = editor(box, `echo y >"$1"; echo $$ >${started}.new; mv ${started}.new ${started}; exec sleep 60`);
      const child = box.spawn(["edit", "a", "--editor", script, ...box.key], { permissions: permissions(box) });
      while (!isThere(started)) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(leftovers(box.folder).length, 1);
      child.kill(signal);
      const { code, stderr } = await child.output();
      assert.equal(code, 1);
      assert.match(new TextDecoder().decode(stderr), /error: Interrupted/);
      assert.deepEqual(leftovers(box.folder), []);
      const editorId = Number(Deno.readTextFileSync(started));
      const alive = new Deno.Command("kill", { args: ["-0", `${editorId}`], stderr: "null" });
      while (alive.outputSync().success) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(await value(box, "a"), "x");
  });
});
