/**
 * The vault that processes race for, and the processes.
 *
 * @module
 */
import assert from "node:assert/strict";
import { inspectAnchor } from "../../lib/sealed/anchor.ts";
import { Vault } from "../../lib/vault.ts";
import { checkWhole, patterned } from "../helpers.ts";

/** What opens it. */
export const KEY = patterned(32, 11);
/** So many names the token may have. */
export const TOKENS = 5;

/** What a process does again and again. */
export type Role = "add" | "rename" | "slots" | "rotate" | "read" | "backup";

const WORKER = new URL("worker.ts", import.meta.url).pathname;

/** A process at work, and what it has said. */
export interface Worker {
  readonly process: Deno.ChildProcess;
  /** What it said, line by line, as it comes. */
  readonly lines: string[];
  /** Resolves once it has said a line. */
  readonly says: (line: string) => Promise<void>;
  /** Resolves when it ended and all it said is there. */
  readonly ended: Promise<Deno.CommandStatus & { readonly err: string }>;
}

/** Makes the vault. */
export async function makeVault(folder: string): Promise<string> {
  const path = `${folder}/app.coffer`;
  await using vault = await Vault.create(path, { keyFile: KEY });
  await vault.transaction((tx) => {
    for (const name of ["counter", "mirror"]) tx.secrets.set(name, "0");
    tx.secrets.set("token/0", "token");
  });
  return path;
}

/** How a process works. */
export interface StartOptions {
  /** How long it waits for a lock, in milliseconds. @default {60000} */
  readonly timeout?: number;
  /** Whether it begins only when a byte comes in. @default {false} */
  readonly waits?: boolean;
}

/** Starts processes that begin at the same moment: the first must not be done before the last is there. */
export async function startTogether(
  roles: readonly Role[],
  path: string,
  times: (role: Role) => number,
): Promise<Worker[]> {
  const workers = roles.map((role) => start(role, path, times(role), { waits: true }));
  await Promise.all(workers.map(({ says }) => says("ready")));
  await Promise.all(workers.map(letGo));
  return workers;
}

/** Gives a process the byte that it waits for. */
export async function letGo({ process }: Worker): Promise<void> {
  const writer = process.stdin.getWriter();
  await writer.write(new Uint8Array(1));
  await writer.close();
}

/** Starts a process. */
export function start(role: Role | "mix" | "hold", path: string, times: number, options: StartOptions = {}): Worker {
  const { timeout = 60_000, waits = false } = options;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", WORKER, role, path, `${times}`, `${timeout}`, `${waits}`],
    stdin: role === "hold" || waits ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines: string[] = [];
  const waiting: { readonly line: string; readonly resolve: () => void }[] = [];
  const read = async () => {
    let rest = "";
    for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      lines.push(...parts);
      for (const { line, resolve } of waiting) if (lines.includes(line)) resolve();
    }
    for (const { resolve } of waiting) resolve();
  };
  const ended = Promise.all([process.status, read(), new Response(process.stderr).text()])
    .then(([status, , err]) => ({ ...status, err }));
  const says = (line: string) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (lines.includes(line)) resolve();
    else waiting.push({ line, resolve });
    return promise;
  };
  return { process, lines, says, ended };
}

/** How often a line was said. */
export function count(workers: readonly Worker[], wanted: string): number {
  return workers.reduce((sum, { lines }) => sum + lines.filter((line) => line === wanted).length, 0);
}

/** What vault and anchor say is the newest. */
export async function generations(path: string): Promise<[vault: number, anchor: number]> {
  const records = inspectAnchor(await Deno.readFile(`${path}.anchor`), "");
  return [(await Vault.inspect(path)).generation, Math.max(...records.map(({ generation }) => generation))];
}

/** The counter, when both halves agree. */
export async function counterOf(path: string): Promise<number> {
  await using vault = await Vault.open(path, { keyFile: KEY });
  const counter = await vault.secrets.getText("counter");
  assert.equal(await vault.secrets.getText("mirror"), counter);
  // Versions are counted too: no increment was lost and made up for by another.
  assert.equal((await vault.secrets.info("counter")).version, Number(counter) + 1);
  return Number(counter);
}

/** Fails unless vault, log and anchor are sound and agree. */
export async function assertSound(path: string): Promise<void> {
  {
    await using vault = await Vault.open(path, { keyFile: KEY });
    // The next change moves an anchor up that was left behind.
    await vault.transaction((tx) => tx.secrets.set("end", "end"));
    const { length } = await vault.audit.verify();
    assert.equal(length, await vault.audit.length());
  }
  const [vault, anchor] = await generations(path);
  assert.equal(anchor, vault, "the anchor is level");
  await checkWhole(path, { keyFile: KEY });
}
