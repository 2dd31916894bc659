import assert from "node:assert/strict";
import type { Sandbox } from "./coffer.ts";
import { Terminal, terminalTest } from "./terminal.ts";

const VALUE = "hunter2 \u2713\n";
const SET = `\x1b]52;c;${btoa(String.fromCharCode(...new TextEncoder().encode(VALUE)))}\x07`;
const CLEAR = "\x1b]52;c;\x07";

async function prepared(box: Sandbox): Promise<void> {
  await box.init();
  await box.ok(["set", "a", "--stdin", ...box.key], { stdin: VALUE });
}

terminalTest("coffer copy sets the terminal's clipboard, and clears it when the time is over", async (box) => {
  await prepared(box);
  const terminal = new Terminal(box, ["copy", "a", "--for", "1", ...box.key]);
  assert.equal(await terminal.sees(SET), "");
  await terminal.sees("Copied a. The clipboard is cleared in 1 s, or with Ctrl-C.");
  assert.equal((await terminal.sees(CLEAR)).trim(), "");
  const { code, screen } = await terminal.end();
  assert.deepEqual({ code, screen }, { code: 0, screen: "" });
});

terminalTest("coffer copy clears the clipboard at once on Ctrl-C and on signals", async (box) => {
  await prepared(box);
  for (const signal of ["", "SIGTERM", "SIGHUP"] as const) {
    const pid = box.path("pid");
    const around = (command: string) => `echo $$ >'${pid}'; exec ${command}`;
    const terminal = new Terminal(box, ["--json", "copy", "a", ...box.key], around);
    await terminal.sees(SET);
    await terminal.sees("cleared in 45 s");
    if (signal === "") await terminal.type("\u0003");
    else Deno.kill(Number(Deno.readTextFileSync(pid)), signal);
    await terminal.sees(CLEAR);
    const { code, screen } = await terminal.end();
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(screen), { name: "a", seconds: 45 });
  }
});

terminalTest(
  "coffer copy uses the terminal at stderr when stdout is none, and leaves large values alone",
  async (box) => {
    await prepared(box);
    const terminal = new Terminal(
      box,
      ["copy", "a", "--for", "1", ...box.key],
      (command) => `${command} >'${box.path("out")}'`,
    );
    await terminal.sees(SET);
    await terminal.sees(CLEAR);
    assert.equal((await terminal.end()).code, 0);
    assert.equal(Deno.readTextFileSync(box.path("out")), "");
    await box.ok(["set", "large", "--stdin", ...box.key], { stdin: "x".repeat(64 * 1024 + 1) });
    const refused = await new Terminal(box, ["copy", "large", ...box.key]).end();
    assert.equal(refused.code, 2);
    assert.match(refused.screen, /65537 bytes/);
    assert.equal((await new Terminal(box, ["copy", "missing", ...box.key]).end()).code, 3);
  },
);
