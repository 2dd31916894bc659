import assert from "node:assert/strict";
import { encodeHex } from "../../lib/bytes.ts";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { leaves } from "../../lib/cli/help.ts";
import { Vault } from "../../mod.ts";
import { finish, type Result, Sandbox } from "./coffer.ts";
import { inSandbox, type Need, NEEDS, prepare, rowOf } from "./permissions.ts";
import { hasProgram } from "./programs.ts";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));

/** How many commands run at once. */
const AT_ONCE = 3;

Deno.test("there is a list of permissions for every command", async () => {
  const missing: string[] = [];
  for await (const [name] of leaves(COMMANDS)) {
    if (!NEEDS.some(({ command }) => command === name)) missing.push(name);
  }
  assert.deepEqual(missing, [], "tests/cli/permissions.ts lacks them");
});

Deno.test("every command runs with exactly its permissions, and without one of them says which, with nothing done", async (test) => {
  const base = await Deno.realPath(await Deno.makeTempDir({ prefix: "coffer-permissions-" }));
  try {
    await Deno.mkdir(`${base}/made`);
    await prepare(`${base}/made`);
    const waiting = [...NEEDS.entries()];
    const worker = async () => {
      for (let next; (next = waiting.shift()) !== undefined;) {
        const [index, need] = next;
        if (need.terminal && !hasProgram("script")) continue;
        const folder = `${base}/${index}`;
        copyFolder(`${base}/made`, folder);
        await test.step({ name: `coffer ${rowOf(need)}`, fn: () => hold(need, folder), ...UNORDERED });
        await Deno.remove(folder, { recursive: true });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    await Deno.remove(base, { recursive: true });
  }
});

const UNORDERED = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false } as const;

Deno.test("README has every command in its table of permissions, with the flags that tests run it with", () => {
  const part = README.split("\n## Permissions\n")[1]!.split("\n## ")[0]!;
  const listed = new Map<string, string[]>();
  for (const [, names, flags] of part.matchAll(/^\| ([^|]*`[^|]*)\|([^|]*)\|$/gm)) {
    for (const [, name = ""] of names!.matchAll(/`([^`]+)`/g)) {
      assert.ok(!listed.has(name), `README has ${name} in two rows`);
      listed.set(name, [...flags!.matchAll(/`([^`]+)`/g)].map(([, flag]) => flag!));
    }
  }
  for (const need of NEEDS) {
    assert.deepEqual(listed.get(rowOf(need))?.sort(), [...need.permissions].sort(), `README, row of ${rowOf(need)}`);
  }
  const known = new Set(NEEDS.map(rowOf));
  assert.deepEqual([...listed.keys()].filter((name) => !known.has(name)), []);
});

/** Runs a command without each of its permissions, and last with all of them. */
async function hold(need: Need, base: string): Promise<void> {
  const box = new Sandbox(`${base}/vault`);
  const { args, permissions } = inSandbox(need, box);
  const before = await contents(base);
  for (const [index, missing] of permissions.entries()) {
    const written = need.permissions[index]!;
    const milder = need.milder?.[written];
    const result = await run(box, need, args, permissions.filter((flag) => flag !== missing));
    const without = `${rowOf(need)} without ${missing}: exit ${result.code}\n${result.out}${result.err}`;
    if (milder?.exit !== undefined) {
      const { code, out, err } = result;
      assert.deepEqual({ code, out, err }, { code: milder.exit, out: "", err: "" }, without);
    } else if (milder !== undefined && milder.code === undefined) assert.equal(result.code, 0, without);
    else {
      const { code, hint } = errorOf(result) ?? assert.fail(without);
      assert.equal(code, milder?.code ?? "missing-permission", without);
      if (milder === undefined) {
        assert.equal(result.code, 8, without);
        assert.ok(hint.includes(`${missing.split("=")[0]}=`), without);
        if (!need.terminal) assert.equal(result.out, "", without);
      }
      assert.deepEqual(await contents(base), before, `something changed: ${without}`);
    }
    if (milder?.says !== undefined) assert.match(result.out + result.err, milder.says);
  }
  const { code, out, err } = await run(box, need, args, permissions);
  assert.equal(code, 0, `${rowOf(need)} with ${permissions.join(" ")}\n${out}${err}`);
  await check(box);
}

/** Runs a command, with errors as JSON. */
async function run(
  box: Sandbox,
  { env = {}, stdin, terminal }: Need,
  args: readonly string[],
  permissions: readonly string[],
): Promise<Result> {
  const words = ["--json", ...args];
  if (!terminal) {
    const path = `${box.path("bin")}:${Deno.env.get("PATH")}`;
    return await box.run(words, {
      permissions,
      env: { PATH: path, ...env },
      ...(stdin === undefined ? {} : { stdin }),
    });
  }
  const line = box.command(words, permissions).map((word) => `'${word}'`).join(" ");
  return await finish(
    new Deno.Command("script", {
      args: ["-q", "-e", "-c", line, "/dev/null"],
      cwd: box.folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1", SHELL: "/bin/sh" },
    }).spawn(),
  );
}

function errorOf({ out, err }: Result): { readonly code: string; readonly hint: string } | undefined {
  const line = `${out}${err}`.split(/\r?\n/).find((line) => line.startsWith('{"error":'));
  return line === undefined ? undefined : JSON.parse(line).error;
}

/** The vaults open and are sound, whatever was done to them; one that was moved or rotated keeps its key file. */
async function check(box: Sandbox): Promise<void> {
  for (const name of ["vault.coffer", "quiet.coffer"]) {
    const anchor = ["moved.anchor", "../out/anchor"].map((path) => box.path(path)).find(isThere);
    const moved = name === "vault.coffer" && anchor !== undefined;
    await using vault = await Vault.open(box.path(name), {
      keyFile: Deno.readFileSync(box.path("key")),
      ...(moved ? { anchor } : {}),
    });
    assert.deepEqual((await vault.check({ deep: true })).problems, []);
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Every file below a folder, with a digest of what is in it. */
async function contents(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) { for (const [inner, digest] of await contents(path)) found.set(inner, digest); }
    else found.set(path, encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", Deno.readFileSync(path)))));
  }
  return new Map([...found].sort());
}

/** Copies a folder, with the times of its files: some say how long ago a process died. */
function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to);
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    const [source, copy] = [`${from}/${name}`, `${to}/${name}`];
    if (isDirectory) {
      copyFolder(source, copy);
      continue;
    }
    Deno.copyFileSync(source, copy);
    const { atime, mtime } = Deno.statSync(source);
    Deno.utimeSync(copy, atime!, mtime!);
  }
}
