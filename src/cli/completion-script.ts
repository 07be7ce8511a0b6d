import type { Command, Option } from 'commander'

export const SHELLS = ['bash', 'zsh', 'fish'] as const

export type Shell = (typeof SHELLS)[number]

export function isShell(name: string): name is Shell {
  return (SHELLS as readonly string[]).includes(name)
}

/** Long names of options whose value is a folder or a file. */
const FOLDERS = new Set(['--root <dir>', '--to <dir>'])
const FILES = new Set(['--batch'])

/** What completes the value of an option: nothing unless it is a name on disk. */
function valueKind(option: Option): 'folder' | 'file' | 'none' | null {
  if (!option.required && !option.optional) return null
  if (FOLDERS.has(option.flags)) return 'folder'
  return FILES.has(option.long ?? '') ? 'file' : 'none'
}

function names(options: readonly Option[]): string[] {
  return options.flatMap(({ short, long }) => [short, long].filter((name) => name !== undefined))
}

/** Options of a command, with the help option that commander keeps apart. */
function optionsOf(command: Command): Option[] {
  return command.createHelp().visibleOptions(command)
}

function takesPaths(command: Command): boolean {
  return command.registeredArguments.some((argument) => /path|from|to|point|target/.test(argument.name()))
}

/** The words that the first argument can be, where there are only a few. */
function choicesOf(command: Command, program: Command): readonly string[] {
  if (command.name() === 'help') return program.commands.map((other) => other.name())
  return command.name() === 'completion' ? SHELLS : []
}

/** A static script: everything it offers is in it, so completing never starts the program. */
export function completionScript(shell: Shell, program: Command): string {
  switch (shell) {
    case 'bash':
      return bash(program)
    case 'zsh':
      return zsh(program)
    case 'fish':
      return fish(program)
  }
}

/** In single quotes, for any of the three shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function bash(program: Command): string {
  const globals = optionsOf(program)
  const all = [program, ...program.commands].flatMap(optionsOf)
  const valued = [...new Set(names(all.filter((option) => valueKind(option) !== null)))]
  const folders = [
    ...new Set(names(all.filter((option) => valueKind(option) === 'folder' && option.long === '--root'))),
  ]
  const files = [...new Set(names(all.filter((option) => valueKind(option) === 'file')))]
  const cases = program.commands.map((command) => {
    const words = choicesOf(command, program).join(' ')
    return `    ${command.name()}) options=${quoted(names(optionsOf(command)).join(' '))}; words=${quoted(words)}; paths=${takesPaths(command) ? 1 : 0} ;;`
  })
  return `# bash completion for journal. Load it with: source <(journal completion bash)
_journal_names() {
  # Names may have spaces in them.
  local IFS=$'\\n'
  COMPREPLY=($(compgen "$1" -- "$2"))
}
_journal() {
  local cur prev command='' options words='' paths=0 i
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${names(globals.filter((option) => valueKind(option) !== null)).join('|')}) ((i++)) ;;
      -*) ;;
      *) command="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  case "$command" in
    '') options=${quoted(names(globals).join(' '))}; words=${quoted(program.commands.map((c) => c.name()).join(' '))} ;;
${cases.join('\n')}
    *) return ;;
  esac
  case "$command $prev" in
    *' '${folders.join("|*' '")}|'replay --to') _journal_names -d "$cur"; return ;;
    *' '${files.join("|*' '")}) _journal_names -f "$cur"; return ;;
    ${valued.map((name) => `*' '${name}`).join('|')}) return ;;
  esac
  if [[ "$cur" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -n "$words" ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  elif ((paths)); then
    _journal_names -f "$cur"
  fi
}
complete -o filenames -F _journal journal
`
}

function zshOption(option: Option): string[] {
  const kind = valueKind(option)
  const value = { folder: ':folder:_files -/', file: ':file:_files', none: ':value: ' }
  const explained = option.description.replace(/[[\]:]/g, (character) => `\\${character}`)
  return names([option]).map((name) => quoted(`${name}[${explained}]${kind === null ? '' : value[kind]}`))
}

function zsh(program: Command): string {
  const commands = program.commands.map((c) => `    ${quoted(`${c.name()}:${c.summary().replaceAll(':', '\\:')}`)}`)
  const cases = program.commands.map((command) => {
    const choices = choicesOf(command, program)
    const rest =
      choices.length > 0
        ? [quoted(`1:word:(${choices.join(' ')})`)]
        : takesPaths(command)
          ? [quoted('*:path:_files')]
          : []
    const specs = [...optionsOf(command).flatMap(zshOption), ...rest]
    return `        ${command.name()})\n          _arguments ${specs.join(' \\\n            ')}\n          ;;`
  })
  const globals = optionsOf(program).flatMap(zshOption)
  return `#compdef journal
# zsh completion for journal. Put it as _journal into a folder of fpath.
_journal() {
  local context state line
  local -a commands
  commands=(
${commands.join('\n')}
  )
  _arguments -C ${globals.join(' \\\n    ')} \\
    '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      case $words[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}
if [ "$funcstack[1]" = _journal ]; then
  _journal "$@"
else
  compdef _journal journal
fi
`
}

function fishOption(condition: string, option: Option): string {
  const kind = valueKind(option)
  const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`
  const long = option.long === undefined ? '' : ` -l ${option.long.slice(2)}`
  const value = { folder: " -x -a '(__fish_complete_directories)'", file: ' -r -F', none: ' -x' }
  const description = option.description.replaceAll("'", "\\'")
  return `complete -c journal -n ${quoted(condition)}${short}${long}${kind === null ? '' : value[kind]} -d '${description}'`
}

function fish(program: Command): string {
  const lines = ['# fish completion for journal', 'complete -c journal -f']
  for (const option of optionsOf(program)) lines.push(fishOption('__fish_use_subcommand', option))
  for (const command of program.commands) {
    const name = command.name()
    const seen = `__fish_seen_subcommand_from ${name}`
    lines.push(`complete -c journal -n __fish_use_subcommand -a ${name} -d ${quoted(command.summary())}`)
    for (const option of optionsOf(command)) lines.push(fishOption(seen, option))
    const choices = choicesOf(command, program)
    if (choices.length > 0) lines.push(`complete -c journal -n ${quoted(seen)} -a ${quoted(choices.join(' '))}`)
    else if (takesPaths(command)) lines.push(`complete -c journal -n ${quoted(seen)} -F`)
  }
  return `${lines.join('\n')}\n`
}
