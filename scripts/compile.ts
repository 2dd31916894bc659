/**
 * Makes `dist/coffer`, one program with the runtime inside, and tries it.
 *
 * The permissions are built in, and never asked for: nobody can add one later.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a script speaks to whoever runs it
import { PERMISSIONS } from "./permissions.ts";
import { run } from "./run.ts";

const OUTPUT = Deno.build.os === "windows" ? "dist/coffer.exe" : "dist/coffer";

if (import.meta.main) Deno.exit(await compile());

async function compile(): Promise<number> {
  const { success, stderr } = await run(Deno.execPath(), ["compile", ...PERMISSIONS, "--output", OUTPUT, "cli.ts"]);
  if (!success) {
    console.error(stderr);
    if (/dl\.deno\.land|denort|error sending request|[Dd]ownload/.test(stderr)) {
      console.error(
        `The base of a compiled program could not be downloaded. It is not in the npm registry: reach dl.deno.land once, or\n` +
          `name a denort of version ${Deno.version.deno} in DENORT_BIN. Without it, \`deno task install\` gives the same command.`,
      );
    }
    return 1;
  }
  const version = await run(`./${OUTPUT}`, ["--version"]);
  if (!version.success) {
    console.error(`${OUTPUT} was made but does not run:\n${version.stderr}`);
    return 1;
  }
  console.log(`${OUTPUT}: coffer ${version.stdout.trim()}`);
  return 0;
}
