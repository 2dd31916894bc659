/**
 * The command for completion scripts.
 *
 * @module
 */
import { command } from "../define.ts";
import { choice } from "../flags.ts";

/** The shells that completion scripts are written for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell that a completion script is written for. */
export type Shell = typeof SHELLS[number];

/** `coffer completions`. */
export const completions = command({
  brief: "Print a completion script",
  description: `Print a script that completes commands, flags and files, for a shell to read.

JSON: shell, script`,
  examples: [["source <(coffer completions bash)"], [
    "coffer completions fish > ~/.config/fish/completions/coffer.fish",
  ]],
  load: () => import("../completions.ts"),
  flags: {},
  positional: {
    kind: "tuple",
    parameters: [{ brief: SHELLS.join(", "), placeholder: "SHELL", parse: choice("SHELL", SHELLS, "").parse }],
  },
});
