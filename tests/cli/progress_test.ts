import assert from "node:assert/strict";
import { BRACKETED_PASTE } from "../../lib/cli/hidden_answer.ts";
import { type Sandbox, WEAK } from "./coffer.ts";
import { Terminal, terminalTest } from "./terminal.ts";

const PASSPHRASE = "s3cret p4ss";
/** Goes to the start of a line and empties it. */
const EMPTY_LINE = "\r\u001b[K";

/** A vault whose lock somebody holds: what opens it waits, for as long as the work takes. */
async function whileLocked<T>(box: Sandbox, work: () => Promise<T>): Promise<T> {
  using file = Deno.openSync(box.vault, { read: true, write: true });
  file.lockSync(true);
  return await work();
}

/** Commands that wait for the lock, and what is done on the line meanwhile. */
const WAITING: readonly (readonly [readonly string[], string])[] = [
  [["ls"], "opening the vault… 1 s"],
  [["check"], "reading every page… 1 s"],
];

terminalTest(
  "coffer shows on a terminal what takes long, and for how long, on one line that goes again",
  async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "v", ...box.key]);
    for (const [args, wanted] of WAITING) {
      const terminal = await whileLocked(box, async () => {
        const terminal = new Terminal(box, [...args, ...box.key]);
        await terminal.sees(wanted);
        await terminal.sees("… 2 s");
        return terminal;
      });
      const { code, screen } = await terminal.end();
      assert.equal(code, 0);
      const after = screen.slice(screen.lastIndexOf(EMPTY_LINE) + EMPTY_LINE.length);
      assert.match(after, args[0] === "ls" ? /^a\r\n$/ : /^structure: .*\r\nok\r\n$/s, JSON.stringify(screen));
    }
  },
);

terminalTest(
  "coffer shows that a key is derived, beside no question, and never the passphrase",
  async (box) => {
    await box.ok(["init", "--no-recovery", "--passphrase-file", box.file("pass", PASSPHRASE), ...WEAK]);
    const terminal = new Terminal(box, ["set", "a"]);
    await terminal.sees("Passphrase for vault.coffer: ");
    const before = await whileLocked(box, async () => {
      // Longer than any patience: while somebody is asked, there is nothing to wait for.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await terminal.type(`${PASSPHRASE}\r`);
      return await terminal.sees("deriving the key and opening the vault… 1 s");
    });
    assert.equal(before, `${BRACKETED_PASTE.off}\r\n${EMPTY_LINE}`);
    await terminal.sees(`${EMPTY_LINE}${BRACKETED_PASTE.on}Value of a: `);
    await terminal.type("v\r");
    await terminal.sees("Saved a, version 1");
    const { code, screen } = await terminal.end();
    assert.equal(code, 0);
    assert.doesNotMatch(screen, /s3cret|…/);
    await box.ok(["check", "--passphrase-file", box.path("pass")]);
  },
);

terminalTest("coffer shows nothing of that with --json, nor where stderr is no terminal", async (box) => {
  await box.init();
  const ways: readonly (readonly [readonly string[], (command: string) => string])[] = [
    [["--json", "ls"], (command) => command],
    [["ls"], (command) => `${command} 2>err`],
  ];
  for (const [args, around] of ways) {
    const { code, screen } = await whileLocked(box, async () => {
      const terminal = new Terminal(box, [...args, "--timeout", "2", ...box.key], around);
      return await terminal.end();
    });
    assert.equal(code, 5);
    assert.ok(!screen.includes(EMPTY_LINE) && !screen.includes("…"), screen);
  }
  assert.match(Deno.readTextFileSync(box.path("err")), /^coffer: error: [^…\r]*\ncoffer: hint: [^…\r]*\n$/);
});
