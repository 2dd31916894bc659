/**
 * `coffer completions SHELL`: a script that completes commands, flags, files and names.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { COMMANDS } from "./commands.ts";
import { type Shell, SHELLS } from "./commands/completions.ts";
import { bash } from "./completions/bash.ts";
import { fish } from "./completions/fish.ts";
import { nodesOf } from "./completions/nodes.ts";
import { zsh } from "./completions/zsh.ts";
import type { GlobalFlags, NameKind } from "./flags.ts";
import { writeJson, writeOut } from "./output.ts";

/** Flags of `completions`. */
export interface CompletionsFlags extends GlobalFlags {
  /** What names to print, as the scripts want them. */
  readonly names?: NameKind;
}

/** Prints a completion script, or what such a script asks for. */
export default async function completions(flags: CompletionsFlags, shell?: Shell): Promise<void> {
  if (flags.names !== undefined) {
    if (shell !== undefined) throw new UsageError("--names prints no script, so it takes no SHELL");
    const { printNames } = await import("./completions/names.ts");
    return await printNames(flags, flags.names);
  }
  if (shell === undefined) throw new UsageError("Missing argument SHELL", { hint: `Give one of ${SHELLS.join(", ")}` });
  const script = { bash, zsh, fish }[shell](await nodesOf(COMMANDS));
  if (flags.json) await writeJson({ shell, script });
  else await writeOut(script);
}
