import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { asPid, permissions, runTest, shell, started } from "./run.ts";

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

function isRunning(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
