import assert from "node:assert/strict";
import { type Sandbox, sandbox } from "./coffer.ts";

/** Runs a command by way of a shell, which can close and redirect what a child process of Deno's can not. */
async function inShell(
  box: Sandbox,
  args: readonly string[],
  around: (command: string) => string,
): Promise<{ code: number; out: string; err: string }> {
  const quoted = box.command(args).map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", around(quoted)],
    cwd: box.folder,
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test({
  name: "coffer works with stdin, stdout or stderr closed, and tells by its exit code what happened",
  ignore: Deno.build.os === "windows",
  async fn() {
    await sandbox(async (box) => {
      await box.init();
      await box.ok(["set", "a", "--value", "v", ...box.key]);
      const get = ["get", "a", ...box.key];
      const run = (args: readonly string[], redirection: string) =>
        inShell(box, args, (command) => `${command} ${redirection}`);
      assert.deepEqual(await run(get, "<&-"), { code: 0, out: "v", err: "" });
      assert.deepEqual(await run(get, "2>&-"), { code: 0, out: "v", err: "" });
      assert.deepEqual(await run(get, ">&-"), { code: 0, out: "", err: "" });
      assert.equal((await run(get, "<&- >&- 2>&-")).code, 0);
      const missing = ["get", "missing", ...box.key];
      for (const closed of ["2>&-", "<&- >&- 2>&-"]) {
        assert.deepEqual(await run(missing, closed), { code: 3, out: "", err: "" });
      }
      // Nobody can be asked there.
      assert.equal((await run(["set", "a", ...box.key], "<&-")).code, 2);
      assert.equal((await run(["ls"], "<&-")).code, 4);
      assert.equal((await run(["ls", "--passphrase-file", "-"], "<&-")).code, 4);
      // What is opened first gets the number of what was closed: nothing may be written into the vault by mistake.
      assert.equal((await run(["set", "b", "--value", "w", "--json", ...box.key], ">&- 2>&-")).code, 0);
      assert.equal((await box.ok(["get", "b", ...box.key])).out, "w");
    });
  },
});

Deno.test({
  name: "coffer makes no vault and no slot when nobody reads the recovery code",
  ignore: Deno.build.os === "windows",
  async fn() {
    await sandbox(async (box) => {
      await box.init();
      const unread = async (args: readonly string[]) => {
        // The reader is gone long before anything is written.
        const { out } = await inShell(box, args, (command) => `{ sleep 0.2; ${command}; echo $? >exit; } | true`);
        assert.equal(out, "");
        return Deno.readTextFileSync(box.path("exit"));
      };
      for (const json of [[], ["--json"]]) {
        for (
          const args of [["init", "--vault", "new", ...box.key], ["slot", "add", "--kind", "recovery", ...box.key]]
        ) {
          assert.equal(await unread([...args, ...json]), "1\n", args.join(" "));
        }
      }
      assert.throws(() => Deno.statSync(box.path("new")), Deno.errors.NotFound);
      assert.equal((await box.json(["slot", "ls"])).length, 1);
    });
  },
});

Deno.test("coffer takes an empty COFFER_VAULT for none, and refuses an empty --vault", async () => {
  await sandbox(async (box) => {
    await box.init();
    const options = { env: { COFFER_VAULT: "" }, permissions: [...box.permissions(), "--allow-env=COFFER_VAULT"] };
    assert.equal((await box.json(["status"], options)).path, "vault.coffer");
    await box.fails(["status", "--vault="], "usage", 2, options);
  });
});

Deno.test("coffer needs no home folder, and no variable but its own", async () => {
  await sandbox(async (box) => {
    await box.init();
    // The runtime itself keeps its cache below the home folder, unless told where.
    const cache = JSON.parse(
      new TextDecoder().decode((await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output()).stdout),
    ).denoDir;
    for (const HOME of ["", "/nonexistent", "/proc"]) {
      const options = { env: { HOME, DENO_DIR: cache, XDG_CONFIG_HOME: HOME, TMPDIR: "/nonexistent" } };
      await box.ok(["set", "a", "--value", HOME, ...box.key], options);
      assert.equal((await box.ok(["get", "a", ...box.key], options)).out, HOME);
      await box.ok(["init", "--vault", `of${HOME.replace("/", "-")}`, ...box.key, "--no-recovery"], options);
      await box.ok(["get", "a", "--out", "out", "--overwrite", ...box.key], options);
    }
  });
});

Deno.test("coffer keeps names that are dashes or look like flags apart from flags", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const name of ["-", "--", "-x", "--json", "--help", "--vault=x", "-h", "=", "help"]) {
      await box.ok(["set", "--value", `of ${name}`, ...box.key, "--", name]);
      assert.equal((await box.ok(["get", ...box.key, "--", name])).out, `of ${name}`);
      assert.equal((await box.ok(["ls", ...box.key, "--", name])).out.split("\n")[0], name);
      await box.ok(["mv", ...box.key, "--", name, `${name}-`]);
      await box.ok(["rm", ...box.key, "--", `${name}-`]);
    }
    assert.equal((await box.ok(["ls", ...box.key])).out, "");
    await box.ok(["set", "--value", "v", ...box.key, "-"]);
    assert.equal((await box.ok(["get", "-", ...box.key])).out, "v", "a dash alone is no flag");
    for (const args of [["get", "-x"], ["--", "get", "a"], ["get", "--"], ["get", "a", "--", "b"]]) {
      await box.fails([...box.key, ...args], "usage", 2);
    }
  });
});

Deno.test("coffer refuses names that are too long for a secret or for a file, and makes nothing", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "n".repeat(512), "--value", "v", ...box.key]);
    await box.fails(["get", "n".repeat(513), ...box.key], "invalid-name", 2);
    await box.fails(["get", "é".repeat(257), ...box.key], "invalid-name", 2);
    const long = "f".repeat(256);
    const init = ["init", "--vault", "new"];
    for (
      const args of [
        ["init", "--vault", long, ...box.key],
        [...init, "--new-keyfile", long],
        [...init, "--recovery-out", long, ...box.key],
        ["get", "n".repeat(512), "--out", long, ...box.key],
        ["ls", "--vault", `${"x/".repeat(3000)}x`, ...box.key],
        ["ls", "--keyfile", long],
      ]
    ) await box.fails(args, "io-error", 1);
    assert.deepEqual([...Deno.readDirSync(box.folder)].map(({ name }) => name).sort(), [
      "key",
      "vault.coffer",
      "vault.coffer.anchor",
    ]);
  });
});
