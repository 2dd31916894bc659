/**
 * Completion for zsh.
 *
 * @module
 */
import type { Proposal } from "../flags.ts";
import { innerRoutes, type Node, OPENING_FLAGS, operandPatterns, patternsOf, valuedFlags } from "./nodes.ts";

/** The script. */
export function zsh(nodes: readonly Node[]): string {
  const valued = valuedFlags(nodes);
  const flagCases = valued.map((flag) => `    (${patternsOf([flag])[0]}) ${offer(flag.proposes)}; return ;;`);
  const operandCases = nodes.flatMap(operandPatterns)
    .map(([pattern, proposal]) => `    (${pattern}) ${offer(proposal)} ;;`);
  const entry = (name: string, brief: string) => quote(`${name.replaceAll(":", "\\:")}:${brief}`);
  const cases = nodes.map(({ route, subcommands, flags }) =>
    `    ("${route}")
      commands=(${subcommands.map(({ name, brief }) => entry(name, brief)).join(" ")})
      options=(${flags.map(({ name, brief }) => entry(name, brief)).join(" ")}) ;;`
  );
  return `#compdef coffer
# Completion of coffer for zsh. Save it as _coffer in a folder of $fpath, or load it with:
#   source <(coffer completions zsh)

# A word as it was typed, without its quotes; nothing in it is run.
_coffer_plain() {
  REPLY="$1"
  [[ "$REPLY" == "~/"* ]] && REPLY="\${(q)HOME}/\${REPLY[3,-1]}"
  REPLY="\${(Q)REPLY}"
}

# What is in the vault that the line opens, if it opens without a question.
_coffer_names() {
  local -a names
  names=("\${(@f)$(coffer completions --names "$1" "\${opening[@]}" </dev/null 2>/dev/null)}")
  names=("\${(@)names:#}")
  (( \${#names} )) && compadd -- "\${names[@]}"
}

_coffer() {
  local command="" flag="" previous word REPLY
  local -i i position=0
  local -a commands options opening
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    if [[ -n "$flag" ]]; then
      case "$flag" in (${OPENING_FLAGS.join("|")}) _coffer_plain "$word"; opening+=("$flag" "$REPLY") ;; esac
      flag=""
      continue
    fi
    case "$word" in
      (--)
        [[ "$command" == run ]] || return
        if ((i == CURRENT - 1)); then _command_names -e; else _default; fi
        return ;;
      (--allow-insecure-permissions) opening+=("$word") ;;
      (--*=*)
        case "\${word%%=*}" in
          (${OPENING_FLAGS.join("|")}) _coffer_plain "\${word#*=}"; opening+=("\${word%%=*}" "$REPLY") ;;
        esac ;;
      (-*) case "$command $word" in (${patternsOf(valued).join("|")}) flag="$word" ;; esac ;;
      (*)
        # What help is asked for is completed like the command itself.
        [[ -z "$command" && "$word" == help ]] && continue
        case "$command" in
          (${innerRoutes(nodes).join("|")}) command="\${command:+$command }$word" ;;
          (*) position=$((position + 1)) ;;
        esac ;;
    esac
  done
  previous="$flag"
  if [[ -z "$flag" ]] && compset -P '--*='; then previous="\${\${words[CURRENT]}%%=*}"; fi
  case "$command $previous" in
${flagCases.join("\n")}
  esac
  case "$command" in
${cases.join("\n")}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe -o option options
    return
  fi
  (( \${#commands} )) && _describe command commands
  case "$command $position" in
${operandCases.join("\n")}
    (*) (( \${#commands} )) || _describe -o option options ;;
  esac
}
if [[ "$funcstack[1]" == _coffer ]]; then _coffer "$@"; else compdef _coffer coffer; fi
`;
}

function offer(proposal: Proposal): string {
  if (proposal === "file") return "_files";
  if (typeof proposal === "string") return `_coffer_names ${proposal}`;
  return proposal.length > 0 ? `compadd -- ${proposal.join(" ")}` : ":";
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
