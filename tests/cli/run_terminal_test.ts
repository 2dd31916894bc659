import assert from "node:assert/strict";
import { type Sandbox, sandbox, WEAK } from "./coffer.ts";

/** `coffer run` on a pseudo-terminal that `script` makes, with a script of the shell as its command. */
class Terminal {
  #screen = "";
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #done: Promise<void>;
  #changed = Promise.withResolvers<void>();
  #ended = false;

  /** @param around turns the command into one of the shell */
  constructor(box: Sandbox, flags: readonly string[], script: string, around = (command: string) => `exec ${command}`) {
    const words = box.command(["run", ...flags, "--", "sh", "-c", script], [...box.permissions(), "--allow-run=sh"]);
    this.#child = new Deno.Command("script", {
      args: [
        "-q",
        "-e",
        "-c",
        around(words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")),
        "/dev/null",
      ],
      cwd: box.folder,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      env: { NO_COLOR: "1", SHELL: "/bin/sh", TMPDIR: box.folder },
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#done = this.#read();
  }

  /** Waits until the screen shows a text behind what was seen last, and returns what stood before it. */
  async sees(text: string): Promise<string> {
    while (!this.#screen.includes(text)) {
      if (this.#ended) assert.fail(`The terminal ended before it showed "${text}":\n${this.#screen}`);
      await this.#changed.promise;
    }
    const at = this.#screen.indexOf(text);
    const seen = this.#screen.slice(0, at);
    this.#screen = this.#screen.slice(at + text.length);
    return seen;
  }

  /** The next line of the screen. */
  async line(): Promise<string> {
    return await this.sees("\r\n");
  }

  async type(keys: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(keys));
  }

  /** Waits for the end, and returns the exit code and what else the screen showed. */
  async end(): Promise<{ code: number; screen: string }> {
    const { code } = await this.#child.status;
    await this.#done;
    await this.#writer.close().catch(() => {});
    return { code, screen: this.#screen };
  }

  /** Takes the terminal away, as when its window is closed. */
  async close(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.end();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const part of this.#child.stdout) {
      this.#screen += decoder.decode(part, { stream: true });
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
    this.#ended = true;
    this.#changed.resolve();
  }
}

const available = Deno.build.os === "linux" && await hasScript();
if (!available) {
  // deno-lint-ignore no-console -- a skipped test must be seen
  console.warn("SKIPPED: the terminal tests of `coffer run` need Linux and `script` of util-linux");
}

async function hasScript(): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command("script", { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).includes("util-linux");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function terminalTest(name: string, test: (box: Sandbox, flags: readonly string[]) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !available,
    fn: () =>
      sandbox(async (box) => {
        await box.init();
        await box.ok(["set", "a", "--value", "s3cret", ...box.key]);
        await test(box, [...box.key, "--env", "A=a"]);
      }),
  });
}

/** Prints the process of coffer, which is the shell's parent, once it listens to signals: SIGUSR2 is the last one. */
const READY = `
  while ! grep SigCgt /proc/$PPID/status | grep -q '[89a-f]..$'; do sleep 0.01; done
  echo ready $PPID`;

/** A loop that signals can interrupt. */
const WAIT = "while :; do sleep 0.02; done";

terminalTest(
  "coffer run leaves the terminal a terminal, whole, and what is typed goes to the command",
  async (box, flags) => {
    const terminal = new Terminal(
      box,
      flags,
      `for fd in 0 1 2; do test -t $fd && echo tty$fd; done; stty size; stty -echo; printf 'Name? '; read name
     stty echo; echo; echo "hello $name $A"`,
      (command) => `stty rows 33 cols 77; ${command}`,
    );
    assert.equal(await terminal.sees("33 77\r\n"), "tty0\r\ntty1\r\ntty2\r\n");
    await terminal.sees("Name? ");
    await terminal.type("ann\r");
    await terminal.sees("\r\nhello ann s3cret\r\n");
    assert.deepEqual(await terminal.end(), { code: 0, screen: "" });
  },
);

terminalTest("coffer run tells a command of Ctrl-C once, and waits for it to end as it wants", async (box, flags) => {
  const script = `count=0; trap 'count=$((count + 1)); echo "got $count"' INT; ${READY}
    while [ ! -e stop ]; do sleep 0.02; done; sleep 0.3; echo "ends with $count"; exit 7`;
  const terminal = new Terminal(box, flags, script);
  await terminal.sees("ready");
  await terminal.line();
  await terminal.type("\u0003");
  await terminal.sees("got 1\r\n");
  await terminal.type("\u0003");
  await terminal.sees("got 2\r\n");
  box.file("stop", "");
  await terminal.sees("ends with 2\r\n");
  assert.deepEqual(await terminal.end(), { code: 7, screen: "" });
});

terminalTest(
  "coffer run dies of Ctrl-C and Ctrl-\\ as the command does, so that a script stops there",
  async (box, flags) => {
    const both = [...flags, "--file", "F=a"];
    // A shell goes on behind a command that handled Ctrl-C itself, and stops behind one that died of it.
    const script = new Terminal(
      box,
      both,
      `${READY}; exec sleep 30`,
      (command) => `sh -c '"$@"; echo not-reached' sh ${command}`,
    );
    await script.sees("ready");
    await script.line();
    await script.type("\u0003");
    const { code, screen } = await script.end();
    assert.equal(code, 130);
    assert.doesNotMatch(screen, /not-reached/);
    const quit = new Terminal(box, both, `ulimit -c 0; ${READY}; exec sleep 30`);
    await quit.sees("ready");
    await quit.line();
    await quit.type("\u001c");
    assert.equal((await quit.end()).code, 131);
    assert.deepEqual([...Deno.readDirSync(box.folder)].filter(({ name }) => name.startsWith("coffer-private-")), []);
  },
);

terminalTest(
  "coffer run on a terminal passes on what somebody sends to it, but not what the terminal sends itself",
  async (box, flags) => {
    const traps = ["INT", "TERM", "HUP", "WINCH", "USR1"].map((name) => `trap 'echo got-${name}' ${name}`).join("; ");
    const terminal = new Terminal(box, flags, `${traps}; tty; ${READY}; while [ ! -e stop ]; do sleep 0.02; done`);
    const device = (await terminal.line()).trim();
    await terminal.sees("ready ");
    const pid = Number(await terminal.line());
    assert.ok(pid > 1);
    for (const name of ["INT", "TERM", "HUP", "USR1"] as const) {
      Deno.kill(pid, `SIG${name}`);
      // This one is left to the terminal, which cannot be told from whoever else sends it.
      if (name !== "INT") assert.equal(await terminal.sees(`got-${name}\r\n`), "");
    }
    const resized = await new Deno.Command("stty", { args: ["-F", device, "rows", "20", "cols", "44"] }).output();
    assert.ok(resized.success);
    assert.equal(await terminal.sees("got-WINCH\r\n"), "");
    box.file("stop", "");
    assert.deepEqual(await terminal.end(), { code: 0, screen: "" });
  },
);

terminalTest("coffer run tells the command when the terminal goes away, and removes its files", async (box, flags) => {
  const script = `trap 'echo "hup" >>told; exit' HUP; ${READY}; ${WAIT}`;
  const terminal = new Terminal(box, [...flags, "--file", "F=a"], script);
  await terminal.sees("ready ");
  const pid = Number(await terminal.line());
  await terminal.close();
  while (await isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.match(Deno.readTextFileSync(box.path("told")), /^hup\n/);
  assert.deepEqual([...Deno.readDirSync(box.folder)].filter(({ name }) => name.startsWith("coffer-private-")), []);
});

terminalTest("coffer run stops at Ctrl-Z together with the command, and both go on", async (box, flags) => {
  const script = `${READY}; echo before; sleep 0.2; read line; echo "after $line"`;
  const terminal = new Terminal(
    box,
    flags,
    script,
    (command) => `bash --norc -i -c 'set -m; "$@"; echo stopped; fg' bash ${command}`,
  );
  await terminal.sees("before\r\n");
  await terminal.type("\u001a");
  await terminal.sees("stopped\r\n");
  await terminal.type("x\r");
  await terminal.sees("after x\r\n");
  assert.equal((await terminal.end()).code, 0);
});

terminalTest("coffer run gives the terminal back after the passphrase, and the command has it whole", async (box) => {
  await box.ok(["init", "--vault", "other", "--no-recovery", "--passphrase-file", box.file("pass", "p4ss"), ...WEAK]);
  await box.ok(["set", "a", "--value", "s3cret", "--vault", "other", "--passphrase-file", box.path("pass")]);
  const terminal = new Terminal(
    box,
    ["--vault", "other", "--env", "A=a"],
    'echo ready; read line; echo "<$line $A>"; stty -a',
  );
  await terminal.sees("Passphrase for other: ");
  await terminal.type("p4ss\r");
  await terminal.sees("\r\nready\r\n");
  await terminal.type("typed\r");
  await terminal.sees("<typed s3cret>\r\n");
  const { code, screen } = await terminal.end();
  assert.equal(code, 0);
  for (const setting of ["icanon", "echo", "isig", "icrnl"]) {
    assert.match(screen, new RegExp(`(^|\\s)${setting}(\\s|;)`));
  }
});

terminalTest("coffer run --redact leaves stdin a terminal, and shows a prompt at once", async (box, flags) => {
  const script = `test -t 0 && echo tty0; test -t 1 || echo pipe1; test -t 2 || echo pipe2
    printf 'Password for s3cret: ' >&2; read line; echo "$line"`;
  const terminal = new Terminal(box, [...flags, "--redact"], script);
  await terminal.sees("Password for ***: ");
  await terminal.type("my s3cret\r");
  await terminal.sees("my s3cret\r\n");
  await terminal.sees("my ***\r\n");
  assert.equal((await terminal.end()).code, 0);
});

async function isRunning(pid: number): Promise<boolean> {
  return (await new Deno.Command("test", { args: ["-d", `/proc/${pid}`] }).output()).success;
}
