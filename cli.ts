/**
 * The `coffer` command: parses, dispatches, turns an error into a message and an exit code. Only this file exits.
 *
 * @module
 */
import { VERSION } from "./lib/cli/version.ts";

if (import.meta.main) Deno.exit(await start(Deno.args));

/** The version alone needs nothing else to be loaded. */
async function start(args: readonly string[]): Promise<number> {
  if (args.length === 1 && args[0] === "--version") {
    // deno-lint-ignore no-console -- the one line that needs nothing else loaded
    console.log(VERSION);
    return 0;
  }
  const { main } = await import("./lib/cli/main.ts");
  return await main(args);
}
