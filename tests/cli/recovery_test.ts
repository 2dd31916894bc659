import assert from "node:assert/strict";
import { type Sandbox, sandbox, WEAK } from "./coffer.ts";

const WORDS = /^([a-z]+ ){23}[a-z]+$/;

async function recoverySlots(box: Sandbox): Promise<number[]> {
  const slots: { id: number; kind: string }[] = await box.json(["slot", "ls"]);
  return slots.filter(({ kind }) => kind === "recovery").map(({ id }) => id);
}

Deno.test("coffer recovery new puts another code in the place of all old ones", async () => {
  await sandbox(async (box) => {
    await box.init("--recovery-out", box.path("first"));
    await box.ok(["slot", "add", "--kind", "recovery", "--out", "second", ...box.key]);
    const { out } = await box.ok(["recovery", "new", ...box.key]);
    assert.match(out.trim(), WORDS);
    assert.deepEqual(await recoverySlots(box), [4]);
    for (const old of ["first", "second"]) {
      await box.fails(["recovery", "verify", "--recovery-file", old], "wrong-credential", 4);
    }
    const third = box.file("third", out);
    await box.ok(["recovery", "verify", "--recovery-file", third]);
    // The code itself may be what is left.
    const document = await box.json(["recovery", "new", "--recovery-file", third]);
    assert.match(document.recoveryCode, WORDS);
    assert.deepEqual([document.id, document.kind, document.removed.map(({ id }: { id: number }) => id)], [
      5,
      "recovery",
      [4],
    ]);
    const last = await box.json(["recovery", "new", "--recovery-out", "last", ...box.key]);
    assert.deepEqual([last.recoveryFile, last.recoveryCode], ["last", undefined]);
    await box.ok(["recovery", "verify", "--recovery-file", "last"]);
  });
});

Deno.test("coffer recovery new changes nothing when the file for the code is taken", async () => {
  await sandbox(async (box) => {
    await box.init("--recovery-out", box.path("first"));
    const before = Deno.readFileSync(box.vault);
    await box.fails(["recovery", "new", "--recovery-out", "first", ...box.key], "file-exists", 10);
    assert.deepEqual(Deno.readFileSync(box.vault), before);
    await box.ok(["recovery", "verify", "--recovery-file", "first"]);
  });
});

Deno.test("coffer recovery verify says ok and no more, and exits 4 when the code does not open the vault", async () => {
  await sandbox(async (box) => {
    await box.init("--recovery-out", box.path("code"));
    assert.deepEqual(
      await box.run(["recovery", "verify", "--recovery-file", "code"]).then(({ code, out, err }) => [code, out, err]),
      [0, "ok\n", ""],
    );
    assert.deepEqual(await box.json(["recovery", "verify", "--recovery-file", "code"]), { ok: true });
    await box.ok(["init", "--vault", "other", "--keyfile", "key", "--recovery-out", "foreign"]);
    const code = Deno.readTextFileSync(box.path("code"));
    const fails = async (file: string, what: string) => {
      const { err } = await box.fails(["recovery", "verify", "--recovery-file", file], what, 4);
      assert.ok(!err.includes(code.slice(0, 12)));
    };
    await fails("foreign", "wrong-credential");
    await fails(box.file("typo", code.replace(/^\S+/, "zebra zebra")), "malformed-credential");
    await box.fails(["recovery", "verify"], "no-credential", 4);
    await box.fails(["recovery", "verify", ...box.key], "usage", 2);
  });
});

Deno.test("coffer recovery verify and rotate ask a person once, and do not show what is typed", async () => {
  await sandbox(async (box) => {
    const pass = "p p p";
    await box.ok(["init", ...WEAK, "--new-passphrase-file", box.file("pass", pass), "--recovery-out", "code"]);
    const code = Deno.readTextFileSync(box.path("code")).trim();
    const asked = await onTerminal(box, ["recovery", "verify"], `${code}\n`);
    assert.match(asked, /Recovery code of .*:/);
    assert.match(asked, /\bok\b/);
    assert.ok(!asked.includes(code.slice(0, 12)), "the code shows");
    const rotated = await onTerminal(box, ["rotate", "--no-recovery", "--drop-others", "--yes"], `${pass}\n`);
    assert.equal(rotated.split("Passphrase for").length, 2, rotated);
    assert.match(rotated, /new key, of epoch 2/);
    await box.ok(["check", "--passphrase-file", "pass"]);
  });
});

/** Runs a command on a pseudo-terminal and types when it asks; gives all that showed. */
async function onTerminal(box: Sandbox, args: readonly string[], keys: string): Promise<string> {
  const command = box.command(args).map((word) => `'${word}'`).join(" ");
  const child = new Deno.Command("script", {
    args: ["-q", "-e", "-c", command, "/dev/null"],
    cwd: box.folder,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    env: { NO_COLOR: "1", SHELL: "/bin/sh" },
  }).spawn();
  const writer = child.stdin.getWriter();
  const decoder = new TextDecoder();
  let screen = "";
  let typed = false;
  for await (const part of child.stdout) {
    screen += decoder.decode(part, { stream: true });
    if (typed || !/:\s/.test(screen)) continue;
    typed = true;
    await writer.write(new TextEncoder().encode(keys));
  }
  assert.equal((await child.status).code, 0, screen);
  await writer.close().catch(() => {});
  return screen;
}
