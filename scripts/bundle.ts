/**
 * Makes `dist/coffer.js`, the command in one file for any machine that has Deno, and tries it.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a script speaks to whoever runs it
import { run } from "./run.ts";

const OUTPUT = "dist/coffer.js";

if (import.meta.main) Deno.exit(await bundle());

async function bundle(): Promise<number> {
  await Deno.mkdir("dist", { recursive: true });
  // Names are kept because errors tell theirs; the rest is made small, and holds no path of this machine.
  const args = ["bundle", "--quiet", "--minify", "--keep-names", "--output", OUTPUT, "cli.ts"];
  const made = await run(Deno.execPath(), args);
  if (!made.success) {
    console.error(made.stderr);
    console.error("The bundler comes from the npm registry: reach it once.");
    return 1;
  }
  const version = await run(Deno.execPath(), ["run", "--no-prompt", OUTPUT, "--version"]);
  if (!version.success) {
    console.error(`${OUTPUT} was made but does not run:\n${version.stderr}`);
    return 1;
  }
  const { size } = await Deno.stat(OUTPUT);
  console.log(`${OUTPUT}: coffer ${version.stdout.trim()}, ${(size / 1e6).toFixed(1)} MB`);
  return 0;
}
