/**
 * Installs the command `coffer` for this user: from its pieces, which start quickest, or where these cannot be made from
 * source. The pieces are copied beside the command, which then needs this folder no more.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a script speaks to whoever runs it
import { PERMISSIONS } from "./permissions.ts";
import { makePieces, PIECES_FOLDER } from "./pieces.ts";

if (import.meta.main) Deno.exit(await install(Deno.args));

/** Arguments are those of `deno install`, such as `--root FOLDER`. */
async function install(args: readonly string[]): Promise<number> {
  const root = installationRoot(args);
  const made = await makePieces();
  if (!made) {
    console.error("coffer is installed from source, in this folder: the same command, which starts more slowly.");
  }
  const flags = ["install", "--global", "--force", "--name", "coffer", "--root", root, ...PERMISSIONS];
  const program = made ? [await copyPieces(`${root}/lib/coffer`)] : ["--config", "deno.json", "cli.ts"];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...flags, ...program],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  });
  return (await command.spawn().status).code;
}

/** Where Deno keeps commands: `--root`, else `DENO_INSTALL_ROOT`, else `.deno` in the home folder. */
function installationRoot(args: readonly string[]): string {
  const [flag, folder, ...rest] = args;
  if (flag === "--root" && folder !== undefined && rest.length === 0) return folder;
  if (flag !== undefined) throw new TypeError(`deno task install takes --root FOLDER and nothing else, got ${flag}`);
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE");
  const root = Deno.env.get("DENO_INSTALL_ROOT") ?? (home === undefined ? undefined : `${home}/.deno`);
  if (root === undefined) throw new TypeError("There is no home folder: name one with --root FOLDER");
  return root;
}

/** Puts the pieces into a folder of their own, in the place of older ones; returns the one to run. */
async function copyPieces(folder: string): Promise<string> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(folder, { recursive: true });
  for await (const { name } of Deno.readDir(PIECES_FOLDER)) {
    await Deno.copyFile(`${PIECES_FOLDER}/${name}`, `${folder}/${name}`);
  }
  return `${folder}/coffer.js`;
}
