/**
 * Completion for bash.
 *
 * @module
 */
import type { Proposal } from "../flags.ts";
import { innerRoutes, type Node, OPENING_FLAGS, operandPatterns, patternsOf, valuedFlags } from "./nodes.ts";

/** The script. */
export function bash(nodes: readonly Node[]): string {
  const valued = valuedFlags(nodes);
  const flagCases = valued.map((flag) => `    ${patternsOf([flag])[0]}) ${offer(flag.proposes)}; return ;;`);
  const operandCases = nodes.flatMap(operandPatterns)
    .map(([pattern, proposal]) => `    ${pattern}) ${offer(proposal)} ;;`);
  const cases = nodes.map(({ route, subcommands, flags }) =>
    `    "${route}") words="${[...subcommands, ...flags].map(({ name }) => name).join(" ")}" ;;`
  );
  return `# Completion of coffer for bash. Load it with: source <(coffer completions bash)

# A word as it was typed, without its quotes; nothing in it is run.
_coffer_plain() {
  local text="$1" quote="" char i
  REPLY=""
  if [[ "$text" == "~/"* ]]; then REPLY="$HOME/"; text="\${text:2}"; fi
  for ((i = 0; i < \${#text}; i++)); do
    char="\${text:i:1}"
    if [[ "$quote" == "'" ]]; then
      if [[ "$char" == "'" ]]; then quote=""; else REPLY+="$char"; fi
    elif [[ "$char" == "\\\\" ]]; then
      i=$((i + 1))
      REPLY+="\${text:i:1}"
    elif [[ "$char" == '"' || "$char" == "'" && -z "$quote" ]]; then
      if [[ -n "$quote" ]]; then quote=""; else quote="$char"; fi
    else REPLY+="$char"; fi
  done
}

# What is in the vault that the line opens, if it opens without a question.
_coffer_names() {
  local name
  _coffer_plain "$current"
  while IFS= read -r name; do
    if [[ "$name" == "$REPLY"* ]]; then COMPREPLY+=("$(printf '%q' "$name")"); fi
  done < <(coffer completions --names "$1" \${opening[@]+"\${opening[@]}"} </dev/null 2>/dev/null)
}

_coffer_files() {
  local name
  compopt -o filenames 2>/dev/null
  # A name such as * must not become the names of all files.
  while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$current")
}

_coffer_words() {
  COMPREPLY+=($(compgen -W "$1" -- "$current"))
}

_coffer_complete() {
  local command="" previous="" words="" flag="" position=0 word i
  local -a opening=()
  for ((i = 1; i < \${#line[@]} - 1; i++)); do
    word="\${line[i]}"
    if [[ -n "$flag" ]]; then
      case "$flag" in ${OPENING_FLAGS.join("|")}) _coffer_plain "$word"; opening+=("$flag" "$REPLY") ;; esac
      flag=""
      continue
    fi
    case "$word" in
      --)
        [[ "$command" == run ]] || return
        if ((i == \${#line[@]} - 2)); then COMPREPLY+=($(compgen -c -- "$current")); fi
        compopt -o default 2>/dev/null
        return ;;
      --allow-insecure-permissions) opening+=("$word") ;;
      --*=*)
        case "\${word%%=*}" in
          ${OPENING_FLAGS.join("|")}) _coffer_plain "\${word#*=}"; opening+=("\${word%%=*}" "$REPLY") ;;
        esac ;;
      -*) case "$command $word" in ${patternsOf(valued).join("|")}) flag="$word" ;; esac ;;
      *)
        # What help is asked for is completed like the command itself.
        [[ -z "$command" && "$word" == help ]] && continue
        case "$command" in
          ${innerRoutes(nodes).join("|")}) command="\${command:+$command }$word" ;;
          *) position=$((position + 1)) ;;
        esac ;;
    esac
  done
  previous="$flag"
  if [[ "$current" == --*=* ]]; then previous="\${current%%=*}"; current="\${current#*=}"; fi
  case "$command $previous" in
${flagCases.join("\n")}
  esac
  case "$command" in
${cases.join("\n")}
  esac
  if [[ "$current" != -* ]]; then
    case "$command $position" in
${operandCases.join("\n")}
    esac
  fi
  # Flags would hide the few numbers or names that can stand there.
  if ((\${#COMPREPLY[@]} == 0)); then _coffer_words "$words"; fi
}

_coffer() {
  local current typed="\${COMP_WORDS[COMP_CWORD]}" rest="$COMP_LINE" cut i
  local -a line=()
  COMPREPLY=()
  # bash breaks words at = : @ as well: here they are whole.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    if ((i == 0)) || [[ "$rest" == [[:space:]]* || -z "$rest" ]]; then
      rest="\${rest#"\${rest%%[![:space:]]*}"}"
      line+=("\${COMP_WORDS[i]}")
    else line[\${#line[@]} - 1]+="\${COMP_WORDS[i]}"; fi
    rest="\${rest#"\${COMP_WORDS[i]}"}"
  done
  case "$typed" in "="|":"|"@") typed="" ;; esac
  current="\${line[\${#line[@]} - 1]}"
  _coffer_complete
  # Only what stands behind the last break is replaced.
  cut="\${current%"$typed"}"
  if [[ -n "$cut" ]]; then
    for ((i = 0; i < \${#COMPREPLY[@]}; i++)); do COMPREPLY[i]="\${COMPREPLY[i]#"$cut"}"; done
  fi
}
complete -F _coffer coffer
`;
}

function offer(proposal: Proposal): string {
  if (proposal === "file") return "_coffer_files";
  return typeof proposal === "string" ? `_coffer_names ${proposal}` : `_coffer_words "${proposal.join(" ")}"`;
}
