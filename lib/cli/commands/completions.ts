/**
 * The command for completion scripts.
 *
 * @module
 */
import { command, proposing } from "../define.ts";
import { choice, NAME_KINDS } from "../flags.ts";

/** The shells that completion scripts are written for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell that a completion script is written for. */
export type Shell = typeof SHELLS[number];

/** `coffer completions`. */
export const completions = command({
  brief: "Print a completion script",
  description: `Print a script that completes commands, flags and files, for a shell to read.

Names of secrets, users, API keys and slots are completed where the vault opens without a question: by a flag on the line,
or a variable. --names is what the scripts call for that; it prints nothing, with exit code 1, when the vault does not
open so, or not within about a second, and a credential that does not fit is not counted as a try.

JSON: shell, script; with --names an array of names`,
  examples: [["source <(coffer completions bash)", "in ~/.bashrc"], [
    "source <(coffer completions zsh)",
    "in ~/.zshrc, below compinit",
  ], [
    "coffer completions fish > ~/.config/fish/completions/coffer.fish",
  ]],
  load: () => import("../completions.ts"),
  flags: { names: choice("KIND", NAME_KINDS, "Print names instead: secrets, users, keys or slots") },
  positional: {
    kind: "tuple",
    parameters: [
      {
        brief: SHELLS.join(", "),
        placeholder: "SHELL",
        ...proposing(SHELLS),
        parse: choice("SHELL", SHELLS, "").parse,
        optional: true,
      },
    ],
  },
});
