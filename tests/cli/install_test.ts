import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sandbox, WEAK } from "./coffer.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

Deno.test("deno task install makes a command that starts from few files and does all that coffer does", async () => {
  await sandbox(async (box) => {
    const install = new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "install", "--root", box.path("root")],
      cwd: ROOT,
      stdin: "null",
    });
    const made = await install.output();
    assert.ok(made.success, new TextDecoder().decode(made.stderr));
    const program = box.path(`root/bin/coffer${Deno.build.os === "windows" ? ".cmd" : ""}`);
    // It runs from beside itself, whatever becomes of the source.
    assert.ok(Deno.readTextFileSync(program).includes("root/lib/coffer/coffer.js"));
    assert.ok(!Deno.readTextFileSync(program).includes(ROOT));

    const environment = { COFFER_VAULT: box.vault, COFFER_KEYFILE: box.path("key"), NO_COLOR: "1" };
    const coffer = async (...args: readonly string[]) => {
      const { stdout, stderr, code } = await new Deno.Command(program, {
        args: [...args],
        env: environment,
        stdin: "null",
      }).output();
      const decoder = new TextDecoder();
      return { out: decoder.decode(stdout), err: decoder.decode(stderr), code };
    };
    const prints = async (expected: RegExp, ...args: readonly string[]) => {
      const { out, err, code } = await coffer(...args);
      assert.equal(code, 0, `coffer ${args.join(" ")}: ${err}`);
      assert.match(out, expected);
    };
    await prints(/^\d+\.\d+\.\d+\n$/, "--version");
    await prints(/^$/, "init", "--new-keyfile", box.path("key"), "--no-recovery");
    await prints(/^$/, "set", "a/b", "--value", "hunter2");
    await prints(/^hunter2$/, "get", "a/b");
    await prints(/^X=hunter2$/m, "run", "--env", "X=a/b", "--", "env");
    // One of each file that is loaded only when it is needed.
    await prints(/COMMANDS/, "help");
    await prints(/^$/, "user", "add", "alice", "--role", "read", "--no-password");
    await prints(
      /^$/,
      "slot",
      "add",
      "--kind",
      "passphrase",
      "--new-passphrase-file",
      box.file("pass", "b ".repeat(20)),
      ...WEAK,
    );
    await prints(/^$/, "export", "--out", box.path("all.age"), "--new-passphrase-file", box.path("pass"));
    await prints(/"secrets"/, "status", "--json", "--unlock");
    assert.match((await coffer("ls", "--verbose")).err, /Opened/);
    const { code, err } = await coffer("get", "a/c");
    assert.equal(code, 3, err);
    assert.match(err, /No secret named "a\/c"/);
  });
});
