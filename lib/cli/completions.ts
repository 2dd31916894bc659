/**
 * `coffer completions SHELL`: a script that completes commands, flags and files.
 *
 * @module
 */
import { COMMANDS } from "./commands.ts";
import { type Shell, SHELLS } from "./commands/completions.ts";
import { type Command, type Flag as Definition, isGroup, type Target } from "./define.ts";
import { flagName, type GlobalFlags } from "./flags.ts";
import { writeJson, writeOut } from "./output.ts";

interface Flag {
  readonly name: string;
  readonly brief: string;
  /** Undefined: takes no value; empty: takes one that nobody can guess. */
  readonly proposes: "file" | readonly string[] | undefined;
}

interface Node {
  /** The words of the command, such as `slot add`; empty for the program itself. */
  readonly route: string;
  readonly subcommands: readonly { readonly name: string; readonly brief: string }[];
  readonly flags: readonly Flag[];
  readonly words: readonly string[];
}

/** Prints a completion script. */
export default async function completions(flags: GlobalFlags, shell: Shell): Promise<void> {
  const nodes = await Array.fromAsync(walk(COMMANDS, []));
  const script = { bash, zsh, fish }[shell](nodes);
  if (flags.json) await writeJson({ shell, script });
  else await writeOut(script);
}

async function* walk(target: Target, route: readonly string[]): AsyncGenerator<Node> {
  if (!isGroup(target)) {
    const words = route.join(" ") === "completions" ? SHELLS : [];
    yield { route: route.join(" "), subcommands: [], flags: flagsOf(target.flags), words };
    return;
  }
  const entries = await Promise.all(
    Object.entries(target.targets).map(async ([name, load]) => ({ name, target: await load() })),
  );
  const subcommands = entries.map(({ name, target }) => ({ name, brief: target.brief }));
  const own: Flag[] = route.length === 0 ? [{ name: "version", brief: "Print the version", proposes: undefined }] : [];
  const standard = entries.find(({ name }) => name === target.standard)?.target;
  const shared = standard === undefined || isGroup(standard)
    ? sharedFlags(entries.flatMap(({ target }) => isGroup(target) ? [] : [target]))
    : flagsOf(standard.flags);
  yield { route: route.join(" "), subcommands, flags: [...own, ...shared], words: [] };
  for (const { name, target } of entries) yield* walk(target, [...route, name]);
}

/** The flags that stand before a command's name are those that every command has. */
function sharedFlags(commands: readonly Command[]): Flag[] {
  const [first, ...others] = commands.map(({ flags }) => flagsOf(flags));
  return (first ?? []).filter(({ name }) => others.every((flags) => flags.some((flag) => flag.name === name)));
}

function flagsOf(flags: Readonly<Record<string, Definition>>): Flag[] {
  const own = Object.entries(flags).map(([name, flag]) => ({
    name: flagName(name).slice(2),
    brief: flag.brief,
    proposes: flag.kind === "boolean" ? undefined : flag.proposes ?? [],
  }));
  return [...own, { name: "help", brief: "Print help", proposes: undefined }];
}

/** Flags by what may follow them. One name means the same in every command, but for `get --version N`. */
function groups(nodes: readonly Node[]): {
  readonly files: readonly string[];
  readonly choices: ReadonlyMap<string, readonly string[]>;
  readonly others: readonly string[];
} {
  const files = new Set<string>();
  const others = new Set<string>();
  const choices = new Map<string, readonly string[]>();
  for (const { name, proposes } of nodes.flatMap(({ flags }) => flags)) {
    if (proposes === "file") files.add(`--${name}`);
    else if (proposes?.length === 0) others.add(`--${name}`);
    else if (proposes !== undefined) choices.set(`--${name}`, proposes);
  }
  return { files: [...files], choices, others: [...others] };
}

function bash(nodes: readonly Node[]): string {
  const { files, choices, others } = groups(nodes);
  const valued = [...files, ...choices.keys(), ...others];
  const offer = (words: readonly string[]) => `COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$current"))`;
  const cases = nodes.map(({ route, subcommands, flags, words }) =>
    `    "${route}") words="${
      [...subcommands.map(({ name }) => name), ...words, ...flags.map(({ name }) => `--${name}`)].join(" ")
    }" ;;`
  );
  return `# Completion of coffer for bash. Load it with: source <(coffer completions bash)
_coffer() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local command="" word words i skip=0
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if ((skip)); then skip=0; continue; fi
    case "$word" in
      ${valued.join("|")}) skip=1 ;;
      -*) ;;
      *) case "$command" in ${inner(nodes, "|", `""`)}) command="\${command:+$command }$word" ;; esac ;;
    esac
  done
  case "$previous" in
    ${files.join("|")})
      local IFS=$'\\n'
      compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -f -- "$current"))
      return ;;
${[...choices].map(([name, words]) => `    ${name}) ${offer(words)}; return ;;`).join("\n")}
    ${others.join("|")}) [[ "$previous" != --version || "$command" == get ]] && return ;;
  esac
  case "$command" in
${cases.join("\n")}
    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _coffer coffer
`;
}

function zsh(nodes: readonly Node[]): string {
  const { files, choices, others } = groups(nodes);
  const valued = [...files, ...choices.keys(), ...others];
  const entry = (name: string, brief: string) => quote(`${name.replaceAll(":", "\\:")}:${brief}`);
  const cases = nodes.map(({ route, subcommands, flags, words }) => {
    const commands = [...subcommands.map(({ name, brief }) => entry(name, brief)), ...words.map((word) => quote(word))];
    const options = flags.map(({ name, brief }) => entry(`--${name}`, brief));
    return `    "${route}")
      commands=(${commands.join(" ")})
      options=(${options.join(" ")}) ;;`;
  });
  return `#compdef coffer
# Completion of coffer for zsh. Save it as _coffer in a folder of $fpath, or load it with:
#   source <(coffer completions zsh)
_coffer() {
  local command="" word
  local -i i skip=0
  local -a commands options
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    if ((skip)); then skip=0; continue; fi
    case "$word" in
      (${valued.join("|")}) skip=1 ;;
      (-*) ;;
      (*) case "$command" in (${inner(nodes, "|", `""`)}) command="\${command:+$command }$word" ;; esac ;;
    esac
  done
  case "\${words[CURRENT-1]}" in
    (${files.join("|")}) _files; return ;;
${[...choices].map(([name, words]) => `    (${name}) compadd -- ${words.join(" ")}; return ;;`).join("\n")}
    (${others.join("|")}) [[ "\${words[CURRENT-1]}" != --version || "$command" == get ]] && return ;;
  esac
  case "$command" in
${cases.join("\n")}
  esac
  if [[ "\${words[CURRENT]}" == -* || \${#commands} -eq 0 ]]; then
    _describe -o option options
  else
    _describe command commands
  fi
}
if [[ "$funcstack[1]" == _coffer ]]; then _coffer "$@"; else compdef _coffer coffer; fi
`;
}

function fish(nodes: readonly Node[]): string {
  const { files, choices, others } = groups(nodes);
  const valued = [...files, ...choices.keys(), ...others].filter((name) => name !== "--version");
  const lines: string[] = [];
  for (const { route, subcommands, flags, words } of nodes) {
    const at = `complete -c coffer -n '__coffer_at "${route}"'`;
    for (const { name, brief } of subcommands) lines.push(`${at} -a ${name} -d ${fishQuote(brief)}`);
    if (words.length > 0) lines.push(`${at} -a ${fishQuote(words.join(" "))}`);
    for (const { name, brief, proposes } of flags) {
      const value = proposes === undefined
        ? ""
        : proposes === "file"
        ? " -r -F"
        : proposes.length > 0
        ? ` -x -a ${fishQuote(proposes.join(" "))}`
        : " -x";
      lines.push(`${at} -l ${name}${value} -d ${fishQuote(brief)}`);
    }
  }
  return `# Completion of coffer for fish. Save it as ~/.config/fish/completions/coffer.fish
function __coffer_at
    set -l command
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip -eq 1
            set skip 0
            continue
        end
        switch $word
            case ${valued.join(" ")}
                set skip 1
            case '-*'
            case '*'
                if contains -- "$command" ${inner(nodes, " ", `""`)}
                    set command (string trim -- "$command $word")
                end
        end
    end
    test "$command" = "$argv"
end
complete -c coffer -f
${lines.join("\n")}
`;
}

/** The routes that another word may follow. */
function inner(nodes: readonly Node[], separator: string, root: string): string {
  return nodes.filter(({ subcommands }) => subcommands.length > 0)
    .map(({ route }) => route === "" ? root : `"${route}"`).join(separator);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuote(text: string): string {
  return `"${text.replace(/["\\$]/g, "\\$&")}"`;
}
