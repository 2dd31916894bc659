/**
 * `coffer run` on scripts of the shell, over a vault with secrets of all kinds.
 *
 * @module
 */
import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { type Result, type RunOptions, type Sandbox, sandbox } from "./coffer.ts";

const LINUX = Deno.build.os === "linux";

/** Secrets of the usual vault. */
const SECRETS: Readonly<Record<string, string | Uint8Array>> = {
  "app/db/url": "postgres://x?y='z' $HOME",
  "app/api-key": "one\ntwo\n",
  "app/empty": "",
  "my key": "s p a c e",
  "bytes": Uint8Array.of(0xff, 0x0a, 0x80),
  "nul": "a\0b",
  "tiny": "xyz",
};

/** A vault with secrets, made by one process: what a test is about comes after it. */
export function runTest(name: string, test: (box: Sandbox) => Promise<void>): void {
  Deno.test({
    name,
    // Scripts of a shell, and /proc to know when it is time for a signal.
    ignore: !LINUX,
    fn: () =>
      sandbox(async (box) => {
        await box.init();
        const { Vault } = await import("../../lib/vault.ts");
        await using vault = await Vault.open(box.vault, { keyFile: Deno.readFileSync(box.path("key")) });
        await vault.transaction(({ secrets }) => {
          for (const [name, value] of Object.entries(SECRETS)) secrets.set(name, value);
        });
        await vault.close();
        await test(box);
      }),
  });
}

export function permissions(box: Sandbox, ...more: readonly string[]): readonly string[] {
  return [...box.permissions(), ...more];
}

/** Runs `coffer run` on a script of the shell, with the permission for that and no other. */
export async function shell(
  box: Sandbox,
  flags: readonly string[],
  script: string,
  options: RunOptions = {},
): Promise<Result> {
  return await box.run(["run", ...box.key, ...flags, "--", "sh", "-c", script], {
    permissions: permissions(box, "--allow-run=sh"),
    ...options,
    env: { TMPDIR: box.folder, ...options.env },
  });
}

export async function shellOk(
  box: Sandbox,
  flags: readonly string[],
  script: string,
  options?: RunOptions,
): Promise<string> {
  const { code, out, err } = await shell(box, flags, script, options);
  assert.deepEqual({ code, err }, { code: 0, err: "" });
  return out;
}

/** Starts it, and waits until the script has printed a line, and coffer listens to signals. */
export async function started(
  box: Sandbox,
  flags: readonly string[],
  script: string,
): Promise<{ child: Deno.ChildProcess; line: string; rest: Promise<Result> }> {
  const child = box.spawn(["run", ...box.key, ...flags, "--", "sh", "-c", script], {
    permissions: permissions(box, "--allow-run=sh"),
    env: { TMPDIR: box.folder },
  });
  const [first, second] = child.stdout.tee();
  let line = "";
  const reader = first.pipeThrough(new TextDecoderStream()).getReader();
  while (!line.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    line += value;
  }
  void reader.cancel();
  await listening(child.pid);
  const rest = (async () => {
    const [out, err, { code }] = await Promise.all([
      new Response(second).text(),
      new Response(child.stderr).text(),
      child.status,
    ]);
    return { code, out, err, bytes: encodeUtf8(out) };
  })();
  return { child, line: line.split("\n")[0]!, rest };
}

/** The command may be faster than the moment in which coffer begins to listen. SIGUSR2 is the last one it does. */
export async function listening(pid: number): Promise<void> {
  const bit = 1n << 11n;
  while (true) {
    const { stdout } = await new Deno.Command("grep", { args: ["SigCgt", `/proc/${pid}/status`], stderr: "null" })
      .output();
    const caught = new TextDecoder().decode(stdout).trim().split("\t")[1];
    if (caught === undefined || (BigInt(`0x${caught}`) & bit) !== 0n) return;
  }
}

export function leftIn(box: Sandbox): readonly string[] {
  return [...Deno.readDirSync(box.folder)].map(({ name }) => name).filter((name) => name.startsWith("coffer-private-"));
}

/** A number of one process: no other may ever reach a call that kills. */
export function asPid(text: string | undefined): number {
  assert.match(text ?? "", /^[1-9]\d*$/);
  return Number(text);
}
