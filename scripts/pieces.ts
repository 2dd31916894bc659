/**
 * Makes `dist/pieces/`, the command in few files that start quickly: what most runs need in one, and the rest apart.
 *
 * The runtime looks at every module that a program could load before the first line runs, and again when each is loaded.
 * From source that are three hundred; here it is ten. See docs/decisions.md.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a script speaks to whoever runs it
import { rollup } from "rollup";

/** Where {@linkcode makePieces} puts them. */
export const PIECES_FOLDER = "dist/pieces";

const PROGRAM = `${PIECES_FOLDER}/coffer.js`;
/** Sources of what `get`, `set`, `ls` and `run` load when they run. One that is missing here costs time, and nothing else. */
const COMMON = [
  "lib/cli/main.ts",
  "lib/cli/commands/secrets.ts",
  "lib/cli/run/commands.ts",
  "lib/cli/get.ts",
  "lib/cli/set.ts",
  "lib/cli/ls.ts",
  "lib/cli/run.ts",
  "lib/vault.ts",
  "lib/storage/file.ts",
  "lib/storage/anchor_file.ts",
  "lib/storage/attempts_file.ts",
  "lib/auth/transaction_users.ts",
  "lib/auth/transaction_api_keys.ts",
  "lib/exchange/redact.ts",
];

if (import.meta.main) Deno.exit(await makePieces() ? 0 : 1);

/** Makes the files and tries them; says why where that fails. */
export async function makePieces(): Promise<boolean> {
  const parts = await Deno.makeTempDir({ prefix: "coffer-pieces-" });
  try {
    // As many modules as there are ways to reach them: types gone, packages found.
    const split = ["bundle", "--quiet", "--code-splitting", "--keep-names", "--outdir", parts, "cli.ts"];
    const made = await run(split);
    if (!made.success) {
      console.error(`${made.stderr}\nThe bundler comes from the npm registry: reach it once.`);
      return false;
    }
    await join(`${await Deno.realPath(parts)}/`);
  } finally {
    await Deno.remove(parts, { recursive: true });
  }
  const version = await run(["run", "--no-prompt", PROGRAM, "--version"]);
  if (!version.success) {
    console.error(`${PROGRAM} was made but does not run:\n${version.stderr}`);
    return false;
  }
  console.log(`${PROGRAM}: coffer ${version.stdout.trim()}, ${[...Deno.readDirSync(PIECES_FOLDER)].length} files`);
  return true;
}

/** Joins the many modules to few. */
async function join(folder: string): Promise<void> {
  const sources = new Map<string, readonly string[]>();
  for (const { name } of Deno.readDirSync(folder)) {
    const text = await Deno.readTextFile(folder + name);
    // The bundler writes above each part which file it is from.
    sources.set(folder + name, Array.from(text.matchAll(/^\/\/ (\S+)$/gm), ([, source]) => source!));
  }
  const common = COMMON.map((source) => {
    const found = [...sources].find(([, parts]) => parts.includes(source));
    if (found === undefined) throw new Error(`${source} is no part of the command any more`);
    return found[0];
  });
  const bundle = await rollup({
    input: { coffer: `${folder}cli.js` },
    external: /^node:/,
    treeshake: { moduleSideEffects: false },
    onwarn: (warning) => {
      // Modules of one file may need each other; files that do would be run in the wrong order.
      if (warning.code !== "CIRCULAR_DEPENDENCY") throw new Error(warning.message);
    },
  });
  const pieces = new Map<string, string>();
  await Deno.remove(PIECES_FOLDER, { recursive: true }).catch(() => {});
  await bundle.write({
    dir: PIECES_FOLDER,
    format: "es",
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
    hoistTransitiveImports: false,
    manualChunks: (id, { getModuleInfo }) => {
      if (id === `${folder}cli.js`) return;
      if (pieces.size === 0) {
        const needs = (module: string) => getModuleInfo(module)!.importedIds.filter((other) => sources.has(other));
        for (const module of reach([`${folder}cli.js`], needs)) pieces.set(module, "start");
        for (const module of reach(common, needs)) if (!pieces.has(module)) pieces.set(module, "common");
        // What only passes on what others hold belongs to them.
        for (const [module, parts] of sources) {
          if (parts.length === 0 && !pieces.has(module) && needs(module).every((other) => pieces.has(other))) {
            pieces.set(module, "common");
          }
        }
      }
      return pieces.get(id) ?? packageOf(sources.get(id)!) ?? "rest";
    },
  });
  await bundle.close();
}

/** Modules that are loaded with some of them. */
function reach(from: readonly string[], needs: (module: string) => readonly string[]): Set<string> {
  const found = new Set<string>();
  const left = [...from];
  for (let module = left.pop(); module !== undefined; module = left.pop()) {
    if (found.has(module)) continue;
    found.add(module);
    left.push(...needs(module));
  }
  return found;
}

/** The first package in a module that holds packages alone: each is loaded only where it is needed. */
function packageOf(sources: readonly string[]): string | undefined {
  if (sources.length === 0 || sources.some((source) => /^(lib\/|mod\.ts|cli\.ts)/.test(source))) return undefined;
  const [, name] = /.*\/((?:@[^/]+\/)?[^/]+)\/\d+\.\d+\.\d+[^/]*\//.exec(sources.at(-1)!) ?? [];
  return name?.replace(/\W+/g, "_");
}

async function run(args: string[]): Promise<{ success: boolean; stdout: string; stderr: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
