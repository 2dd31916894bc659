import assert from "node:assert/strict";
import { sandbox } from "./coffer.ts";

/** Commands that show something this once, which only counts when a change is committed. */
const SHOWING: readonly (readonly string[])[] = [
  ["certificate", "rotate"],
  ["bootstrap", "--new-password-file", "pass"],
  ["slot", "add", "--kind", "certificate"],
  ["slot", "add", "--kind", "recovery"],
  ["recovery", "new"],
  ["key", "add", "u"],
  ["rotate", "--drop-others"],
];

Deno.test("coffer shows no code, key or certificate where a reason is missing, in text nor in JSON nor in a file", async () => {
  await sandbox(async (box) => {
    await box.init();
    box.file("pass", "correct horse\n");
    await box.ok(["slot", "add", "--kind", "certificate", "--out", "cert", ...box.key]);
    await box.ok(["user", "add", "u", "--role", "read", "--no-password", ...box.key]);
    await box.ok(["policy", "set", "require-reason", "on", ...box.key]);
    const before = await Deno.readFile(box.vault);
    for (const args of SHOWING) {
      await box.fails([...args, ...box.key], "reason-required", 11);
      const { code, out } = await box.run([...args, ...box.key]);
      assert.deepEqual({ code, out }, { code: 11, out: "" }, args.join(" "));
    }
    assert.deepEqual(await Deno.readFile(box.vault), before);
    for (const args of SHOWING) await box.ok([...args, "--reason", "why", ...box.key]);
  });
});

Deno.test("coffer shows and asks for nothing in vain where it may not write, in a vault without an anchor too", async () => {
  await sandbox(async (box) => {
    await box.init("--no-anchor", "--no-recovery");
    box.file("pass", "correct horse\n");
    await box.ok(["slot", "add", "--kind", "certificate", "--out", "cert", ...box.key]);
    await box.ok(["user", "add", "u", "--role", "read", "--no-password", ...box.key]);
    const permissions = [`--allow-read=${box.folder}`];
    // Without a terminal, to ask would be an error of its own.
    const asking = [["set", "a"], ["user", "passwd", "u"], ["user", "add", "v", "--role", "read"], ["passwd"]];
    for (const args of [...SHOWING, ...asking]) {
      const { err } = await box.fails([...args, ...box.key], "missing-permission", 8, { permissions });
      assert.match(err, /--allow-write=/);
    }
  });
});
