import assert from "node:assert/strict";
import { finish } from "./coffer.ts";
import { leftIn, permissions, runTest, started } from "./run.ts";

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
