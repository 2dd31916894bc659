import assert from "node:assert/strict";
import { type Sandbox, WEAK } from "./coffer.ts";
import { Terminal, terminalTest } from "./terminal.ts";

const ON = "\u001b[?2004h";
const OFF = "\u001b[?2004l";
/** Between parts of what is pasted, as when it comes over a network. */
const PAUSE = "pause";

/** What a terminal sends that marks what is pasted; line ends are as most of them send those. */
function marked(text: string, end = "\r"): string {
  return `\u001b[200~${text.replaceAll("\n", end)}\u001b[201~`;
}

/** Of a terminal without marks, nothing tells a pasted line end from Enter. */
function unmarked(text: string): string {
  return text.replaceAll("\n", "\r");
}

/** Runs coffer as a shell does, which takes the next line itself. Whatever was pasted, that must be what is typed then. */
async function paste(
  box: Sandbox,
  args: readonly string[],
  question: string,
  ...keys: readonly string[]
): Promise<{ code: number; screen: string }> {
  const terminal = new Terminal(
    box,
    args,
    (command) => `${command}; echo "ended $?"; IFS= read -r line; echo "next <$line>"; stty -a`,
  );
  const before = await terminal.sees(question);
  assert.ok(before.endsWith(ON), "the marks are wanted before the question shows");
  for (const part of keys) {
    if (part === PAUSE) await new Promise((resolve) => setTimeout(resolve, 30));
    else await terminal.type(part);
  }
  const screen = await terminal.sees("ended ");
  assert.equal(screen.split(OFF).length, 2, "the marks are not wanted any more");
  const code = Number(await terminal.sees("\r\n"));
  await terminal.type("typed\r");
  assert.match(await terminal.sees("next <typed>\r\n"), /^(typed\r\n)?$/);
  const { screen: settings } = await terminal.end();
  for (const setting of ["icanon", "echo", "isig", "icrnl"]) assert.match(settings, new RegExp(`\\s${setting}(\\s|;)`));
  return { code, screen };
}

const KEY = `-----BEGIN KEY-----\n${"s3cret\tline of a key\n".repeat(300)}-----END KEY-----\n`;

terminalTest("coffer set keeps a pasted text of many lines, of a terminal that marks what is pasted", async (box) => {
  await box.init();
  const cases: readonly (readonly [readonly string[], string, number])[] = [
    [[marked(KEY), "\r"], KEY, 302],
    [[marked(KEY, "\r\n"), "\r"], KEY, 302],
    [[marked(KEY, "\n"), "\r"], KEY, 302],
    [[marked("s3cret a\n\n"), "\r"], "s3cret a\n\n", 2],
    [[marked("s3cret a\nb"), "\r"], "s3cret a\nb", 2],
    // The end of one line is what copying brought along.
    [[marked("s3cret a\n"), "\r"], "s3cret a", 1],
    [[marked("s3cret a"), "\r"], "s3cret a", 1],
    // Keys before and behind, two pastes, a mark in two pieces, and a line that is typed away.
    [["s3cret ", marked("a\nb"), " c\u007f\u007f", marked("\nd"), "\r\n"], "s3cret a\nb\nd", 3],
    [["wrong", marked("a\nb"), "\u0015", "\u001b[20", "0~s3cret\r\na\u001b[2", "01~\r"], "s3cret\na", 2],
  ];
  for (const [keys, value, lines] of cases) {
    const { code, screen } = await paste(box, ["set", "a", ...box.key], "Value of a: ", ...keys);
    assert.equal(code, 0, screen);
    assert.equal((await box.ok(["get", "a", ...box.key])).out, value);
    assert.equal(screen.match(/Took (\d+) lines/)?.[1], lines > 1 ? String(lines) : undefined);
    assert.doesNotMatch(screen, /s3cret/);
  }
});

terminalTest("coffer refuses several pasted lines, and nothing of them reaches the shell", async (box) => {
  await box.init();
  await box.ok(["init", "--vault", "other", "--no-recovery", "--passphrase-file", box.file("pass", "p4ss"), ...WEAK]);
  const set = [["set", "a", ...box.key], "Value of a: "] as const;
  const passphrase = [["ls", "--vault", "other"], "Passphrase for other: "] as const;
  const several = "Several lines were pasted";
  const cases: readonly (readonly [readonly [readonly string[], string], readonly string[], number, string])[] = [
    [set, [unmarked("s3cret\ntouch pwned\n")], 2, several],
    [set, [unmarked("s3cret\ntouch pwned")], 2, several],
    [set, [unmarked(KEY)], 2, several],
    // More than the queue of a terminal holds, and in parts.
    [set, [unmarked(KEY.repeat(4)), unmarked("touch pwned\n"), unmarked("touch pwned\n")], 2, several],
    [set, [unmarked("s3cret\ntouch pwned\n"), PAUSE, unmarked("touch pwned\n")], 2, several],
    [set, ["\u001b[200~s3cret\r\u0003", PAUSE, "touch pwned\r", PAUSE, "touch pwned\r\u001b[201~"], 1, "Interrupted"],
    [passphrase, [unmarked("p4ss\ntouch pwned\n")], 2, several],
    [passphrase, [marked("p4ss\ntouch pwned\n"), "\r"], 2, several],
    [passphrase, [marked("p4ss\n\n"), "\r"], 2, several],
    [passphrase, [marked("p4ss\n"), "\r"], 0, ""],
    [passphrase, ["p4ss\r\n"], 0, ""],
    // What ends the question early must not leave the rest to the shell either.
    [set, [`${marked("s3cret\n")}\u0003${unmarked("touch pwned\n")}`], 1, "Interrupted"],
    [set, [`\u001b[200~s3cret\r\u0003touch pwned\r\u001b[201~`], 1, "Interrupted"],
    [set, [`\u0004${unmarked("touch pwned\n")}`], 1, "Interrupted"],
    [set, [marked("x".repeat(70_000)) + unmarked("touch pwned\n")], 2, "at most 65536 bytes"],
    [set, [marked("s3cret\u0008\n"), "\r"], 2, "control characters"],
    [set, [marked("s3cret\u001b[31m\n"), "\r"], 2, "control characters"],
  ];
  for (const [[args, question], keys, exit, message] of cases) {
    const { code, screen } = await paste(box, args, question, ...keys);
    assert.equal(code, exit, `${JSON.stringify(keys).slice(0, 100)}: ${screen}`);
    assert.ok(screen.includes(message), screen);
    assert.doesNotMatch(screen, /s3cret|p4ss|pwned/);
  }
  assert.equal((await box.ok(["ls", ...box.key])).out, "");
});

terminalTest("coffer asks a dumb terminal for no marks, nor one that does not show the question", async (box) => {
  await box.init();
  const permissions = [...box.permissions(), "--allow-env=TERM"];
  const screenOf = async (around: (command: string) => string, sees: string) => {
    const terminal = new Terminal(box, ["set", "a", ...box.key], around, permissions);
    await terminal.sees(sees);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await terminal.type("s3cret\r");
    return await terminal.end();
  };
  const dumb = await screenOf((command) => `TERM=dumb ${command}`, "Value of a: ");
  assert.equal(dumb.code, 0);
  assert.ok(!dumb.screen.includes("\u001b"));
  await screenOf((command) => `echo begin; ${command} 2>'${box.path("err")}'`, "begin");
  assert.ok(!Deno.readTextFileSync(box.path("err")).includes("\u001b"));
});

terminalTest(
  "coffer refuses several lines for an answer that may be seen, and nothing reaches the shell",
  async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "v", ...box.key]);
    for (const keys of ["y\rtouch pwned\r", "n\rtouch pwned"]) {
      const terminal = new Terminal(
        box,
        ["rm", "a", ...box.key],
        (command) => `${command}; echo "ended $?"; IFS= read -r line; echo "next <$line>"`,
      );
      await terminal.sees("[y/N] ");
      await terminal.type(keys);
      await terminal.sees("Several lines were pasted");
      await terminal.sees("ended 2\r\n");
      await terminal.type("typed\r");
      await terminal.sees("next <typed>\r\n");
      await terminal.end();
    }
    assert.equal((await box.ok(["ls", ...box.key])).out, "a\n");
  },
);

terminalTest("coffer init takes the recovery code back in the lines in which it showed it", async (box) => {
  for (const end of ["\r", ""]) {
    const vault = `vault${end.length}`;
    const terminal = new Terminal(box, ["init", "--vault", vault, "--new-keyfile", box.path("key")]);
    await terminal.sees("write it down.");
    const lines = (await terminal.sees("Type words ")).trim().split("\r\n");
    assert.equal(lines.length, 4);
    await terminal.sees("all 24: ");
    await terminal.type(lines.join("\r") + end);
    await terminal.sees("Created ");
    assert.equal((await terminal.end()).code, 0);
  }
});
