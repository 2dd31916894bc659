/**
 * Commands on a pseudo-terminal.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Sandbox, sandbox } from "./coffer.ts";

/** A command on a pseudo-terminal. `script` makes one; what the command writes to it comes out at its stdout. */
export class Terminal {
  screen = "";
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #done: Promise<void>;
  #changed = Promise.withResolvers<void>();
  #ended = false;

  /** @param around turns the command into one of the shell */
  constructor(
    box: Sandbox,
    args: readonly string[],
    around = (command: string) => command,
    permissions: readonly string[] = box.permissions(),
  ) {
    const command = around(
      box.command(args, permissions).map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" "),
    );
    this.#child = new Deno.Command("script", {
      args: ["-q", "-e", "-c", command, "/dev/null"],
      cwd: box.folder,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      env: { NO_COLOR: "1", SHELL: "/bin/sh" },
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#done = this.#read();
  }

  /** Waits until the screen shows a text behind what was seen last, and returns what stood before it. */
  async sees(text: string): Promise<string> {
    while (!this.screen.includes(text)) {
      if (this.#ended) assert.fail(`The terminal ended before it showed "${text}":\n${this.screen}`);
      await this.#changed.promise;
    }
    const at = this.screen.indexOf(text);
    const seen = this.screen.slice(0, at);
    this.screen = this.screen.slice(at + text.length);
    return seen;
  }

  async type(keys: string | Uint8Array): Promise<void> {
    await this.#writer.write(typeof keys === "string" ? new TextEncoder().encode(keys) : keys);
  }

  /** Waits for the end, and returns the exit code and what else the screen showed. */
  async end(): Promise<{ code: number; screen: string }> {
    const { code } = await this.#child.status;
    await this.#done;
    await this.#writer.close().catch(() => {});
    return { code, screen: this.screen };
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const part of this.#child.stdout) {
      this.screen += decoder.decode(part, { stream: true });
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
    this.#ended = true;
    this.#changed.resolve();
  }
}

const available = await hasScript();
if (!available) {
  // deno-lint-ignore no-console -- a skipped test must be seen
  console.warn("SKIPPED: the terminal tests need `script` of util-linux");
}

/** Declares a test that is run where pseudo-terminals can be made. */
export function terminalTest(name: string, fn: (box: Sandbox) => Promise<void>): void {
  Deno.test({ name, ignore: !available, fn: () => sandbox(fn) });
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
