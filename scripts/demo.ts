/**
 * Shows coffer at work: a real vault in a temporary folder, by way of the real command, one process a step.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a script speaks to whoever runs it
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../cli.ts", import.meta.url));

interface Step {
  /** What the step shows. */
  readonly title: string;
  /** Arguments after the vault and the credential. */
  readonly args: readonly string[];
  /** File with the passphrase. */
  readonly passphrase: "old" | "new";
  /** What goes to its standard input. */
  readonly input?: string;
  /** What it must answer. @default {0} */
  readonly exit?: number;
  /** What its output must hold. */
  readonly expect?: string;
}

const STEPS: readonly Step[] = [
  {
    title: "Make a vault: Argon2id with 256 MiB, and a recovery code",
    args: ["init", "--no-confirm", "--json"],
    passphrase: "old",
    expect: "recoveryCode",
  },
  { title: "Put a secret in", args: ["set", "db/password", "--stdin"], passphrase: "old", input: "hunter2" },
  { title: "And another", args: ["set", "api/token", "--stdin"], passphrase: "old", input: "s3cr3t-t0k3n" },
  { title: "Change the first", args: ["set", "db/password", "--stdin"], passphrase: "old", input: "hunter3" },
  { title: "Get it back", args: ["get", "db/password"], passphrase: "old", expect: "hunter3" },
  { title: "An old version", args: ["get", "db/password", "--version", "1"], passphrase: "old", expect: "hunter2" },
  { title: "List", args: ["ls"], passphrase: "old", expect: "api/token" },
  { title: "The versions that are kept", args: ["history", "db/password"], passphrase: "old" },
  { title: "Change the passphrase", args: ["passwd", "--new-passphrase-file", "new.txt"], passphrase: "old" },
  { title: "The old one no longer opens it", args: ["get", "db/password"], passphrase: "old", exit: 4 },
  { title: "The new one does", args: ["get", "db/password"], passphrase: "new", expect: "hunter3" },
  { title: "Check every page and every seal", args: ["check"], passphrase: "new" },
];

if (import.meta.main) await demo();

async function demo(): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "coffer-demo-" });
  try {
    await Deno.writeTextFile(`${folder}/old.txt`, "correct horse battery staple\n", { mode: 0o600 });
    await Deno.writeTextFile(`${folder}/new.txt`, "four new words instead\n", { mode: 0o600 });
    console.log(
      `Each step is a process of its own: deno run --no-prompt --allow-read=DIR --allow-write=DIR cli.ts …\n`,
    );
    const start = performance.now();
    for (const step of STEPS) await show(step, folder);
    console.log(`All ${STEPS.length} steps did what they should, in ${took(start)}; the folder is removed again.`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function show({ title, args, passphrase, input, exit = 0, expect }: Step, folder: string): Promise<void> {
  const all = [...args, "--vault", "app.coffer", "--passphrase-file", `${passphrase}.txt`];
  console.log(`# ${title}`);
  console.log(`$ ${input === undefined ? "" : `printf %s ${input} | `}coffer ${all.join(" ")}`);
  const start = performance.now();
  const { code, output, messages } = await coffer(all, input, folder);
  const time = took(start);
  for (const text of [output, messages]) if (text !== "") console.log(text.trimEnd());
  console.log(`  [${exit === 0 ? "" : `exit ${code}, `}${time}]\n`);
  assert.equal(code, exit, `"${title}" ended with exit code ${code}`);
  if (expect !== undefined) assert.ok(output.includes(expect), `"${title}" did not print what it should`);
}

async function coffer(
  args: readonly string[],
  input: string | undefined,
  folder: string,
): Promise<{ code: number; output: string; messages: string }> {
  const permissions = ["--no-prompt", `--allow-read=${folder}`, `--allow-write=${folder}`];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...permissions, CLI, ...args],
    cwd: folder,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout), messages: decoder.decode(stderr) };
}

function took(start: number): string {
  return `${Math.round(performance.now() - start)} ms`;
}
