import assert from "node:assert/strict";
import { asPid, leftIn, permissions, runTest, shell, shellOk, started } from "./run.ts";

runTest(
  "coffer run writes --file values to private files, and removes them whatever becomes of the command",
  async (box) => {
    const flags = ["--file", "KEY=bytes", "--file", "OTHER=my key"];
    const script = 'stat -c "%a %F" "$KEY" "$(dirname "$KEY")"; od -An -tx1 <"$KEY"; cat "$OTHER"; dirname "$KEY"';
    const out = await shellOk(box, flags, script);
    const [file, folder, bytes, last] = out.split("\n");
    assert.deepEqual([file, folder, bytes!.trim()], ["600 regular file", "700 directory", "ff 0a 80"]);
    assert.ok(last!.startsWith(`s p a c e${box.folder}/coffer-private-`));
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

runTest(
  "coffer run keeps values out of every command line and of its own environment, and holds no vault open",
  async (box) => {
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
  },
);
