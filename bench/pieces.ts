/**
 * The command as it is installed, for the benches that start it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** The command from source. */
export const SOURCE = `${ROOT}cli.ts`;

/** Makes the pieces that `deno task install` installs, puts them into a folder, and returns the one to run. */
export async function installedCommand(folder: string): Promise<string> {
  const args = ["task", "--quiet", "pieces"];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null" }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  // Elsewhere than beside the project's configuration, which the runtime would read at each start.
  const pieces = `${ROOT}dist/pieces`;
  await Deno.mkdir(`${folder}/coffer`);
  for await (const { name } of Deno.readDir(pieces)) {
    await Deno.copyFile(`${pieces}/${name}`, `${folder}/coffer/${name}`);
  }
  return `${folder}/coffer/coffer.js`;
}

/** Runs a program that must succeed, and returns what it printed. */
export async function output(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const command = new Deno.Command(program, { args: [...args], stdin: "null", ...(cwd === undefined ? {} : { cwd }) });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}
