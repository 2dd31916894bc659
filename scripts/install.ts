/**
 * Installs the command `coffer` for this user: from its pieces, which start quickest, or where these cannot be made from
 * source. It keeps running from this folder.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a script speaks to whoever runs it
import { PERMISSIONS } from "./permissions.ts";
import { makePieces, PIECES } from "./pieces.ts";

if (import.meta.main) Deno.exit(await install(Deno.args));

/** Arguments are those of `deno install`, such as `--root FOLDER`. */
async function install(args: readonly string[]): Promise<number> {
  const made = await makePieces();
  if (!made) console.error("coffer is installed from source: the same command, which starts more slowly.");
  const program = made ? ["--no-config", PIECES] : ["--config", "deno.json", "cli.ts"];
  const flags = ["install", "--global", "--force", "--name", "coffer", ...args, ...PERMISSIONS];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...flags, ...program],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  });
  return (await command.spawn().status).code;
}
