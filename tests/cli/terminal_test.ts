import assert from "node:assert/strict";
import { type Sandbox, WEAK } from "./coffer.ts";
import { Terminal, terminalTest } from "./terminal.ts";

async function withPassphrase(box: Sandbox, passphrase: string): Promise<readonly string[]> {
  const flags = ["--passphrase-file", box.file("pass", passphrase)];
  await box.ok(["init", "--no-recovery", ...flags, ...WEAK]);
  return flags;
}

terminalTest("coffer init on a terminal asks twice without echo, and asks the recovery code back", async (box) => {
  const terminal = new Terminal(box, ["init", ...WEAK]);
  await terminal.sees("New passphrase: ");
  await terminal.type("s3cret pass\r");
  await terminal.sees("New passphrase again: ");
  await terminal.type("s3cret pass\r");
  await terminal.sees("write it down.");
  const shown = await terminal.sees("Type words ");
  const words = shown.trim().split(/\s+/);
  assert.equal(words.length, 24);
  assert.throws(() => Deno.statSync(box.vault), Deno.errors.NotFound, "no vault before the answer");
  await terminal.type("wrong wrong wrong\r");
  await terminal.sees("That is not what the code says.");
  await terminal.sees("Type words ");
  const positions = (await terminal.sees(" of the code")).match(/\d+/g)!.map(Number);
  assert.equal(new Set(positions).size, 3);
  await terminal.type(`${positions.map((position) => words[position - 1]).join(" ")}\r`);
  await terminal.sees("Created ");
  const { code, screen } = await terminal.end();
  assert.equal(code, 0);
  assert.doesNotMatch(screen + shown, /s3cret/);
  await box.ok(["check", "--passphrase-file", box.file("pass", "s3cret pass")]);
  await box.ok(["check", "--recovery-file", box.file("code", words.join(" "))]);
});

terminalTest("coffer init makes no vault when the recovery code is not confirmed", async (box) => {
  const terminal = new Terminal(box, ["init", "--new-keyfile", box.path("key")]);
  for (let attempt = 0; attempt < 3; attempt++) {
    await terminal.sees("of the code, or all 24: ");
    await terminal.type("no idea\r");
  }
  await terminal.sees("coffer: error: The recovery code was not confirmed, so no vault was made");
  assert.equal((await terminal.end()).code, 2);
  assert.throws(() => Deno.statSync(box.vault), Deno.errors.NotFound);
});

terminalTest(
  "coffer init that is given up at the question for the recovery code says that no vault was made",
  async (box) => {
    for (const keys of ["\u0003", "\u0004"]) {
      // In the place of the shell, whose own answer to Ctrl-C would be the exit code.
      const terminal = new Terminal(box, ["init", "--new-keyfile", box.path("key")], (command) => `exec ${command}`);
      await terminal.sees("of the code, or all 24: ");
      await terminal.type(keys);
      await terminal.sees("coffer: error: Interrupted");
      await terminal.sees("no vault was made");
      assert.equal((await terminal.end()).code, 1);
      assert.throws(() => Deno.statSync(box.vault), Deno.errors.NotFound);
    }
  },
);

terminalTest(
  "coffer asks without echo where - stands for a credential on a terminal, and says what it reads",
  async (box) => {
    const [, pass] = await withPassphrase(box, "p4ss");
    const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
      [["ls", "--passphrase-file", "-"], ["Passphrase: "]],
      [["passwd", "--passphrase-file", pass!, "--new-passphrase-file", "-", ...WEAK], [
        "New passphrase: ",
        "New passphrase again: ",
      ]],
    ];
    for (const [args, questions] of cases) {
      const terminal = new Terminal(box, args);
      for (const question of questions) {
        await terminal.sees(question);
        await terminal.type("p4ss\r");
      }
      const { code, screen } = await terminal.end();
      assert.equal(code, 0, screen);
      assert.doesNotMatch(screen, /p4ss/);
    }
    const recovery = new Terminal(box, ["ls", "--recovery-file", "-"]);
    await recovery.sees("Recovery code: ");
    await recovery.type("no code\r");
    assert.equal((await recovery.end()).code, 4);
    const value = new Terminal(box, ["set", "a", "--stdin", "--passphrase-file", pass!]);
    await value.sees("Reading the value of a, which shows as it is typed; end with Ctrl-D");
    await value.type("v\n\u0004");
    assert.equal((await value.end()).code, 0);
  },
);

terminalTest("coffer init takes the whole recovery code as an answer, and --no-confirm asks nothing", async (box) => {
  const terminal = new Terminal(box, ["init", "--new-keyfile", box.path("key")]);
  await terminal.sees("write it down.");
  const words = (await terminal.sees("Type words ")).trim().split(/\s+/);
  await terminal.sees("all 24: ");
  await terminal.type(`${words.slice(0, 12).join("  ").toUpperCase()} ${words.slice(12).join(" ")}\r`);
  await terminal.sees("Created ");
  assert.equal((await terminal.end()).code, 0);
  const quiet = new Terminal(box, ["init", "--vault", "other", "--new-keyfile", box.path("key"), "--no-confirm"]);
  const { code, screen } = await quiet.end();
  assert.equal(code, 0);
  assert.doesNotMatch(screen, /Type words/);
});

terminalTest("coffer asks for a hidden passphrase; keys edit it by characters, and pasting is safe", async (box) => {
  await withPassphrase(box, "grüße 🔑!");
  const encoder = new TextEncoder();
  const typed: readonly (string | Uint8Array)[] = [
    "grüße 🔑!\r",
    "grüße 🔑!\n",
    "wrong\u0015grüße 🔑!\r",
    "grüße é🔑\u007f\u007f🔑!\r",
    "grüß\u0008\u0008üße 🔑!\r",
    "\u001b[200~grüße 🔑!\u001b[201~\r",
    "gr\u001b[Dü\u001bOAße 🔑!\r",
    // One key on the keyboard, or one sign on the screen, is one for backspace.
    "grüe\u0301\u0323\u007fße 🔑!\r",
    "grü👩🏽‍💻🇩🇪\u007f\u007fße 🔑!\r",
    "grüße 🔑!e\u0301\u007f\r",
    "\u007f\u007fgrüße 🔑!\r",
    // What is pasted in the middle, with marks around it, and keys before and behind.
    "wrong\u0015gr\u001b[200~üße\u001b[201~ 🔑!\r",
    "\u001agrü\u0017ße\u0001 🔑!\u0000\r",
    // No UTF-8: a byte without its beginning, and one without its end.
    Uint8Array.of(0x9f, 0x7f, ...encoder.encode("grüße 🔑!\r")),
    Uint8Array.of(...encoder.encode("grüße 🔑!"), 0xf0, 0x9f, 0x7f, 0x0d),
  ];
  for (const keys of typed) {
    const terminal = new Terminal(box, ["ls"]);
    await terminal.sees("Passphrase for vault.coffer: ");
    // In two pieces, cut inside of a character.
    const bytes = typeof keys === "string" ? encoder.encode(keys) : keys;
    const cut = bytes.findIndex((byte) => byte >= 0xc0) + 1;
    await terminal.type(bytes.subarray(0, cut));
    await terminal.type(bytes.subarray(cut));
    const { code, screen } = await terminal.end();
    assert.equal(code, 0, `${JSON.stringify(keys)}: ${screen}`);
    assert.doesNotMatch(screen, /gr|ße/);
  }
  const terminal = new Terminal(box, ["ls"]);
  await terminal.sees("Passphrase for vault.coffer: ");
  await terminal.type("wrong\r");
  await terminal.sees("coffer: error: The credential does not open this vault");
  assert.equal((await terminal.end()).code, 4);
});

terminalTest("coffer stops at Ctrl-C and at Ctrl-D, and changes nothing", async (box) => {
  const flags = await withPassphrase(box, "p4ss");
  const before = await box.json(["status"]);
  for (const key of ["\u0003", "half\u0003", "\u0004", "half\u001c"]) {
    const terminal = new Terminal(box, ["set", "a", ...flags]);
    await terminal.sees("Value of a: ");
    await terminal.type(key);
    await terminal.sees("coffer: error: Interrupted");
    assert.equal((await terminal.end()).code, 1);
  }
  assert.equal((await box.json(["status"])).generation, before.generation);
});

terminalTest("coffer gives the terminal back as it was when a signal ends a hidden prompt", async (box) => {
  const flags = await withPassphrase(box, "p4ss");
  const { generation } = await box.json(["status"]);
  const prompts: readonly (readonly [readonly string[], string])[] = [
    [["ls"], "Passphrase for vault.coffer: "],
    [["set", "a", ...flags], "Value of a: "],
    [["passwd", ...flags, "--allow-weak-kdf"], "New passphrase: "],
  ];
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
  for (const [index, signal] of signals.entries()) {
    const [args, prompt] = prompts[index % prompts.length]!;
    const script = `echo $$ >'${box.path("pid")}'; exec "$@"`;
    const terminal = new Terminal(
      box,
      args,
      (command) => `sh -c '${script.replaceAll("'", "'\\''")}' sh ${command}; stty -a`,
    );
    await terminal.sees(prompt);
    await terminal.type("half a passw");
    Deno.kill(Number(Deno.readTextFileSync(box.path("pid"))), signal);
    await terminal.sees("coffer: error: Interrupted");
    const { screen } = await terminal.end();
    for (const setting of ["icanon", "echo", "isig", "icrnl"]) {
      assert.match(screen, new RegExp(`(^|\\s)${setting}(\\s|;)`), `${signal}: ${screen}`);
    }
  }
  assert.equal((await box.json(["status"])).generation, generation);
});

terminalTest("coffer gives the terminal back as it was however a hidden prompt ends", async (box) => {
  await withPassphrase(box, "p4ss");
  // Answered, given up, and answered by what is pasted, also when that never ends.
  for (
    const keys of ["p4ss\r", "wr\u0003", "wr\u001c", "\u0004", "\u001b[200~p4ss\u001b[201~\r", "\u001b[200~wr\u0003"]
  ) {
    const terminal = new Terminal(box, ["ls"], (command) => `${command}; stty -a`);
    await terminal.sees("Passphrase for vault.coffer: ");
    await terminal.type(keys);
    const { screen } = await terminal.end();
    for (const setting of ["icanon", "echo", "isig", "icrnl"]) {
      assert.match(screen, new RegExp(`(^|\\s)${setting}(\\s|;)`), `${JSON.stringify(keys)}: ${screen}`);
    }
    assert.doesNotMatch(screen, /p4ss|wr/);
  }
});

terminalTest("coffer set asks for a hidden value, and says what it saved", async (box) => {
  await box.init();
  const terminal = new Terminal(box, ["set", "a", ...box.key]);
  await terminal.sees("Value of a: ");
  await terminal.type("hunter2 ✓\r");
  await terminal.sees("Saved a, version 1");
  const { code, screen } = await terminal.end();
  assert.equal(code, 0);
  assert.doesNotMatch(screen, /hunter2/);
  assert.equal((await box.ok(["get", "a", ...box.key])).out, "hunter2 ✓");
});

terminalTest("coffer get adds a line end on a terminal only where one lacks, and refuses binary data", async (box) => {
  await box.init();
  const screenOf = async (value: string | Uint8Array, ...flags: string[]) => {
    await box.ok(["set", "a", "--stdin", ...box.key], { stdin: value });
    return await new Terminal(box, ["get", "a", ...box.key, ...flags]).end();
  };
  assert.deepEqual(await screenOf("text"), { code: 0, screen: "text\r\n" });
  assert.deepEqual(await screenOf("text\n"), { code: 0, screen: "text\r\n" });
  assert.deepEqual(await screenOf(""), { code: 0, screen: "" });
  for (const binary of [Uint8Array.of(0xff), "\u0000", "\u001b[2J"]) {
    const { code, screen } = await screenOf(binary);
    assert.equal(code, 2);
    assert.match(screen, /^coffer: error: The value is binary, and stdout is a terminal\r\ncoffer: hint: .*--out/);
  }
  assert.deepEqual(await screenOf("\u0007!", "--force-tty"), { code: 0, screen: "\u0007!\r\n" });
});

terminalTest("coffer passwd asks for the old passphrase once and for the new one twice", async (box) => {
  await withPassphrase(box, "old");
  const terminal = new Terminal(box, ["passwd", "--allow-weak-kdf"]);
  await terminal.sees("Passphrase for vault.coffer: ");
  await terminal.type("old\r");
  await terminal.sees("New passphrase: ");
  await terminal.type("new\r");
  await terminal.sees("New passphrase again: ");
  await terminal.type("other\r");
  await terminal.sees("The two are not the same.");
  await terminal.sees("New passphrase: ");
  await terminal.type("new\r");
  await terminal.sees("New passphrase again: ");
  await terminal.type("new\r");
  await terminal.sees("Changed the passphrase of slot 1");
  assert.equal((await terminal.end()).code, 0);
  await box.ok(["check", "--passphrase-file", box.file("pass", "new")]);
});

terminalTest("coffer colours its errors on a terminal alone, and not where NO_COLOR is set", async (box) => {
  const coloured = "\u001b[1mcoffer: \u001b[31merror:\u001b[0m No vault at ";
  const plain = "coffer: error: No vault at ";
  const screenOf = async (around: (command: string) => string) =>
    (await new Terminal(box, ["ls"], around).end()).screen;
  assert.ok((await screenOf((command) => `env -u NO_COLOR ${command}`)).startsWith(coloured));
  for (
    const around of [
      (command: string) => `env NO_COLOR=1 ${command}`,
      (command: string) => `env -u NO_COLOR ${command} 2>&1 | cat`,
    ]
  ) {
    const screen = await screenOf(around);
    assert.ok(screen.startsWith(plain) && !screen.includes("\u001b"), screen);
  }
});

terminalTest("coffer says that a vault is missing before it asks for anything", async (box) => {
  for (const args of [["ls"], ["set", "a"], ["passwd"], ["rm", "a"]]) {
    const { code, screen } = await new Terminal(box, args).end();
    assert.equal(code, 3);
    assert.match(screen, /^coffer: error: No vault at "vault\.coffer"\r\n/);
  }
});

terminalTest("coffer ls escapes on a terminal what a pipe gets as it is", async (box) => {
  await box.init();
  await box.ok(["set", "a\u202eb", "--value", "v", ...box.key]);
  assert.equal((await new Terminal(box, ["ls", ...box.key]).end()).screen, "a\\u{202e}b\r\n");
});
