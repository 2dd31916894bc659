/**
 * Runs the command line as users do: as processes of its own, in a folder of its own, with no permission but for that
 * folder. A vault that a test leaves behind is checked whole.
 *
 * @module
 */
import assert from "node:assert/strict";
import { newKeyFile, Vault } from "../../mod.ts";
import { checkWhole } from "../helpers.ts";

const CLI = new URL("../../cli.ts", import.meta.url).pathname;

/** The weakest key derivation that there is; tests are not about its cost. */
export const WEAK = ["--allow-weak-kdf", "--kdf-memory", "1", "--kdf-passes", "1"];

/** How to run one command. */
export interface RunOptions {
  /** What stdin holds; nothing by default. */
  readonly stdin?: string | Uint8Array;
  /** Permissions instead of the usual two. */
  readonly permissions?: readonly string[];
  /** Environment variables; also needs a permission. */
  readonly env?: Record<string, string>;
}

/** What a command answered. */
export interface Result {
  readonly code: number;
  readonly bytes: Uint8Array;
  readonly out: string;
  readonly err: string;
}

/** A folder with a vault in it. */
export class Sandbox {
  /** Whether the vault is damaged on purpose, and must not be checked. */
  damaged = false;
  #keyed = false;

  constructor(readonly folder: string) {}

  /** The usual vault. */
  get vault(): string {
    return this.path("vault.coffer");
  }

  /** Flags that open the usual vault. */
  get key(): readonly string[] {
    return ["--keyfile", this.path("key")];
  }

  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Writes a file that only its owner can read. */
  file(name: string, contents: string | Uint8Array, mode = 0o600): string {
    const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
    Deno.writeFileSync(this.path(name), bytes, { mode });
    Deno.chmodSync(this.path(name), mode);
    return this.path(name);
  }

  /** The command that runs coffer, and its arguments. */
  command(args: readonly string[], permissions = this.permissions()): [string, ...string[]] {
    return [Deno.execPath(), "run", "--no-prompt", "--quiet", ...permissions, CLI, ...args];
  }

  permissions(): readonly string[] {
    return [`--allow-read=${this.folder}`, `--allow-write=${this.folder}`];
  }

  spawn(args: readonly string[], options: RunOptions = {}): Deno.ChildProcess {
    const [program, ...rest] = this.command(args, options.permissions ?? this.permissions());
    return new Deno.Command(program, {
      args: rest,
      cwd: this.folder,
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      clearEnv: true,
      env: { ...surroundings(), NO_COLOR: "1", ...options.env },
    }).spawn();
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const child = this.spawn(args, options);
    if (options.stdin !== undefined) await feed(child, options.stdin);
    return await finish(child);
  }

  /** Runs a command that must succeed, and returns what it printed. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const result = await this.run(args, options);
    assert.equal(result.code, 0, `coffer ${args.join(" ")}: ${result.err}`);
    return result;
  }

  /** Runs a command with --json that must succeed, and returns its document. */
  // deno-lint-ignore no-explicit-any -- tests look into documents of many shapes
  async json(args: readonly string[], options: RunOptions = {}): Promise<any> {
    const { out } = await this.ok(["--json", ...args], options);
    assert.equal(out.indexOf("\n"), out.length - 1, "a document is one line");
    return JSON.parse(out);
  }

  /** Runs a command that must fail with an error and its exit code, with nothing on stdout. */
  async fails(args: readonly string[], code: string, exit: number, options: RunOptions = {}): Promise<Result> {
    const result = await this.run(["--json", ...args], options);
    const { error } = JSON.parse(result.err.trim().split("\n").at(-1)!);
    assert.deepEqual({ code: error.code, exit: result.code, out: result.out }, { code, exit, out: "" }, result.err);
    assert.deepEqual(Object.keys(error), ["code", "message", "hint"]);
    assert.doesNotMatch(result.err, /\n\s+at |Stack|Deno requests|Allow\?/);
    return result;
  }

  /** Makes the usual vault, which opens with the key file: without flags as `init --no-recovery` does, but sooner. */
  async init(...args: readonly string[]): Promise<this> {
    if (args.length > 0) await this.ok(["init", "--new-keyfile", this.path("key"), ...args]);
    else {
      const keyFile = newKeyFile();
      this.file("key", keyFile);
      await (await Vault.create(this.vault, { keyFile, policies: { "audit-reads": true } })).close();
    }
    this.#keyed = true;
    return this;
  }

  async finish(): Promise<void> {
    if (!this.damaged && this.#keyed) await checkWhole(this.vault, { keyFile: Deno.readFileSync(this.path("key")) });
    assert.deepEqual([...Deno.readDirSync(this.folder)].filter(({ name }) => name.endsWith(".tmp")), []);
  }
}

/** The environment of the tests without what of it is coffer's, such as `COFFER_DEEP`, or whoever runs them may have set. */
export function surroundings(): Record<string, string> {
  return Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("COFFER_")));
}

/** Runs a test in a sandbox of its own. */
export async function sandbox(test: (box: Sandbox) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "coffer-cli-" });
  try {
    const box = new Sandbox(await Deno.realPath(folder));
    await test(box);
    await box.finish();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Waits for a process and its output. */
export async function finish(child: Deno.ChildProcess): Promise<Result> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, bytes: stdout, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Writes all of stdin. A process that stops reading, as for a value that is too large, is no failure here. */
async function feed(child: Deno.ChildProcess, contents: string | Uint8Array): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(typeof contents === "string" ? new TextEncoder().encode(contents) : contents);
    await writer.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
