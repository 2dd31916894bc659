/**
 * Completion for fish.
 *
 * @module
 */
import type { Proposal } from "../flags.ts";
import { innerRoutes, type Node, OPENING_FLAGS, patternsOf, valuedFlags } from "./nodes.ts";

/** The script. */
export function fish(nodes: readonly Node[]): string {
  const lines: string[] = [];
  for (const { route, subcommands, flags, operands, many } of nodes) {
    const at = `complete -c coffer -n '__coffer_at "${route}"'`;
    for (const { name, brief } of subcommands) lines.push(`${at} -a ${name} -d ${quote(brief)}`);
    for (const [index, proposal] of operands.entries()) {
      if (proposal.length === 0) continue;
      const where = many && index === operands.length - 1 ? "" : ` ${index}`;
      lines.push(`complete -c coffer -n '__coffer_at "${route}"${where}'${offer(proposal)}`);
    }
    for (const { name, letter, brief, proposes } of flags) {
      const value = proposes === undefined ? "" : proposes === "file" ? " -r -F" : ` -x${offer(proposes)}`;
      const short = letter === undefined ? "" : ` -s ${letter}`;
      lines.push(`${at} -l ${name.slice(2)}${short}${value} -d ${quote(brief)}`);
    }
  }
  return `# Completion of coffer for fish. Save it as ~/.config/fish/completions/coffer.fish

# What stands on the line: the command, how many arguments it has, and the flags that open its vault, each on a line.
function __coffer_line
    set -l command
    set -l flag
    set -l position 0
    set -l opening
    for word in (commandline -opc)[2..]
        if test -n "$flag"
            contains -- $flag ${OPENING_FLAGS.join(" ")}
            and set -a opening $flag (__coffer_plain $word)
            set flag
            continue
        end
        switch $word
            case --allow-insecure-permissions
                set -a opening $word
            case ${OPENING_FLAGS.map((name) => `'${name}=*'`).join(" ")}
                set -l parts (string split -m 1 = -- $word)
                set -a opening $parts[1] (__coffer_plain $parts[2])
            case '-*'
                switch "$command $word"
                    case ${patternsOf(valuedFlags(nodes)).map(fishPattern).join(" ")}
                        set flag $word
                end
            case '*'
                # What help is asked for is completed like the command itself.
                test -z "$command" -a "$word" = help
                and continue
                if contains -- "$command" ${innerRoutes(nodes).join(" ")}
                    set command (string trim -- "$command $word")
                else
                    set position (math $position + 1)
                end
        end
    end
    printf '%s\\n' "$command" $position $opening
end

# A word as it was typed, without its quotes; nothing in it is run.
function __coffer_plain
    set -l text (string unescape -- $argv[1])
    string replace -r '^~/' -- "$HOME/" "$text"
end

function __coffer_at
    set -l line (__coffer_line)
    test "$line[1]" = "$argv[1]"
    and begin
        test (count $argv) -lt 2
        or test $line[2] -eq $argv[2]
    end
end

# What is in the vault that the line opens, if it opens without a question.
function __coffer_names
    set -l line (__coffer_line)
    type -q coffer
    and coffer completions --names $argv[1] $line[3..] </dev/null 2>/dev/null
end

complete -c coffer -f
${lines.join("\n")}
`;
}

/** A pattern as fish writes it: what is quoted is expanded by `case` alone. */
function fishPattern(pattern: string): string {
  return `'${pattern.replaceAll('"', "")}'`;
}

function offer(proposal: Proposal): string {
  if (proposal === "file") return " -F";
  if (typeof proposal === "string") return ` -a '(__coffer_names ${proposal})'`;
  return proposal.length > 0 ? ` -a ${quote(proposal.join(" "))}` : "";
}

function quote(text: string): string {
  return `"${text.replace(/["\\$]/g, "\\$&")}"`;
}
