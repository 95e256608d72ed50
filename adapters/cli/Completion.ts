/**
 * What a shell needs to complete `clawmesh`: the words and flags of `Arguments.ts`, and nothing that would have to ask a node. Printed, to be
 * read by the shell itself: `source <(clawmesh completion bash)`.
 */
export const shells = ["bash", "zsh", "fish"] as const
export type Shell = (typeof shells)[number]

export interface Grammar {
  /** Each command, `status` or `proposals approve`, with its flags, without hyphens. */
  readonly commands: { readonly [command: string]: ReadonlyArray<string> }
  /** Flags that every command takes. */
  readonly everywhere: ReadonlyArray<string>
  /** Flags behind which a word stands that is no command. */
  readonly valued: ReadonlyArray<string>
  /** Words that may follow a command, where they are few and known. */
  readonly words: { readonly [command: string]: ReadonlyArray<string> }
  /** Values of flags that are few and known; `null`: a path. */
  readonly values: { readonly [flag: string]: ReadonlyArray<string> | null }
}

const dashed = (flags: ReadonlyArray<string>): string => flags.map((flag) => `--${flag}`).join(" ")

const firstsOf = ({ commands }: Grammar): ReadonlyArray<string> => [
  ...new Set(Object.keys(commands).map((command) => command.split(" ")[0]!))
]

/** What may stand behind a first word. */
const secondsOf = ({ commands, words }: Grammar, first: string): ReadonlyArray<string> => [
  ...Object.keys(commands).flatMap((command) =>
    command.startsWith(`${first} `) ? [command.slice(first.length + 1)] : []
  ),
  ...(words[first] ?? [])
]

const bash = (grammar: Grammar): string => {
  const { commands, everywhere, valued, values } = grammar
  const seconds = firstsOf(grammar).flatMap((first) => {
    const found = secondsOf(grammar, first)
    return found.length === 0 ? [] : [`    ${first}) words="${found.join(" ")}" ;;`]
  })
  const flagsOf = (alone: boolean): string =>
    Object.entries(commands)
      .filter(([command, own]) => own.length > 0 && !command.includes(" ") === alone)
      .map(([command, own]) => `    "${command}") flags="$flags ${dashed(own)}" ;;`)
      .join("\n")
  const known = Object.entries(values).map(([flag, found]) =>
    found === null
      ? `    --${flag}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;`
      : `    --${flag}) mapfile -t COMPREPLY < <(compgen -W "${found.join(" ")}" -- "$word"); return ;;`
  )
  return `# clawmesh completion bash
_clawmesh() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local first="" second="" words="" flags="${dashed(everywhere)}" i
  case "$before" in
${known.join("\n")}
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
    ${valued.map((flag) => `--${flag}`).join("|")}) ((i++)) ;;
    -*) ;;
    *) if [ -z "$first" ]; then first="\${COMP_WORDS[i]}"; elif [ -z "$second" ]; then second="\${COMP_WORDS[i]}"; fi ;;
    esac
  done
  if [ -z "$first" ]; then
    words="${firstsOf(grammar).join(" ")}"
  elif [ -z "$second" ]; then
    case "$first" in
${seconds.join("\n")}
    esac
  fi
  case "$first" in
${flagsOf(true)}
  esac
  case "$first $second" in
${flagsOf(false)}
  esac
  case "$word" in
  -*) mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word") ;;
  *) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word") ;;
  esac
}
complete -F _clawmesh clawmesh
`
}

/** By the functions of bash, which zsh knows. */
const zsh = (grammar: Grammar): string => `#compdef clawmesh
# clawmesh completion zsh
autoload -U +X bashcompinit && bashcompinit
${bash(grammar)
  .replace("# clawmesh completion bash\n", "")
  .replaceAll(/mapfile -t COMPREPLY < <\((compgen [^\n]*? -- "\$word")\)/gu, "COMPREPLY=($($1))")}`

const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`

const fish = (grammar: Grammar): string => {
  const { commands, everywhere, values } = grammar
  const firsts = firstsOf(grammar)
  const argument = (flag: string): string => {
    const found = values[flag]
    if (found === null) return " -r -F"
    return found === undefined ? "" : ` -x -a ${quoted(found.join(" "))}`
  }
  const lines = [
    "# clawmesh completion fish",
    "complete -c clawmesh -f",
    ...everywhere.map((flag) => `complete -c clawmesh -l ${flag}${argument(flag)}`),
    `complete -c clawmesh -n __fish_use_subcommand -a ${quoted(firsts.join(" "))}`,
    ...firsts.flatMap((first) => {
      const seconds = secondsOf(grammar, first)
      return seconds.length === 0
        ? []
        : [
            `complete -c clawmesh -n ${quoted(`__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${seconds.join(" ")}`)} -a ${quoted(seconds.join(" "))}`
          ]
    }),
    ...Object.entries(commands).flatMap(([command, own]) => {
      const seen = command.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`)
      return own.map((flag) => `complete -c clawmesh -n ${quoted(seen.join("; and "))} -l ${flag}${argument(flag)}`)
    })
  ]
  return `${lines.join("\n")}\n`
}

export const completion = (shell: Shell, grammar: Grammar): string => {
  switch (shell) {
    case "bash":
      return bash(grammar)
    case "zsh":
      return zsh(grammar)
    case "fish":
      return fish(grammar)
  }
}
