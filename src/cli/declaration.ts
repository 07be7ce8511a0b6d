import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Leniency } from '../edit/lenient.ts'
import { ENCODINGS, type Encoding } from '../edit/text.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'

/** Flags (`-n, --limit <count>`), what the option does, and how its text becomes a value (with the value before it, when repeated). */
type OptionRow = readonly [flags: string, description: string, parse?: (text: string, before: never) => unknown]

/** What a command takes and does: enough to parse it, explain it, and complete it. */
export interface Declaration<A extends readonly unknown[] = readonly never[], O extends object = never> {
  /** One or two sentences: what it does and when to use it. */
  readonly description: string
  /** In order: `<path>`, `[path]`, `<path...>`, `[path...]`, each with what it means. */
  readonly arguments?: readonly (readonly [name: string, description: string])[]
  readonly options?: readonly OptionRow[]
  /** Options that cannot be left out. */
  readonly required?: readonly OptionRow[]
  /** Makes a transaction, so it takes `--tag` and `--parent`. */
  readonly commits?: boolean
  /** What `--actor` means here, where it is not the one who writes. */
  readonly actor?: string
  /** What stands behind the first argument belongs to it: options of another command. */
  readonly passThrough?: boolean
  /** It looks after SIGINT and SIGTERM itself. */
  readonly ownSignals?: boolean
  /** Lines for the help that are printed as they stand. */
  readonly details?: string
  readonly examples: readonly (readonly [line: string, explanation: string])[]
  run(session: Session, args: A, options: O, command: Command): Promise<void>
}

/** Checks a declaration's types where it stands, and forgets them. */
export function declare<A extends readonly unknown[], O extends object = Record<never, never>>(
  declaration: Declaration<A, O>,
): Declaration {
  return declaration as unknown as Declaration
}

const GLOBAL_GROUP = 'Global options:'

/** Adds the options that every command takes. */
export function addGlobalOptions(command: Command, actor = 'who writes; part of the history'): void {
  const rows: OptionRow[] = [
    ['--root <dir>', 'the workspace; default: the nearest folder upwards that has a journal'],
    ['--json', 'print JSON: one object, or one a line for lists'],
    ['--actor <name>', actor],
    ['-m, --message <text>', 'why; part of the history'],
  ]
  for (const [flags, description] of rows) command.addOption(new Option(flags, description).helpGroup(GLOBAL_GROUP))
  command.helpOption('-h, --help', 'explain the command')
}

/** Makes `command` parse and explain what `declaration` says. `start` makes the session it runs in. */
export function declareOn(
  command: Command,
  declaration: Declaration,
  start: (command: Command) => Promise<Session>,
): void {
  command.description(declaration.description)
  if (declaration.passThrough === true) command.passThroughOptions()
  for (const [name, description] of declaration.arguments ?? []) command.argument(name, description)
  const commits: OptionRow[] = [
    ['--tag <tag>', 'a tag in the history; may be repeated', collect],
    ['--parent <id>', 'what this belongs to: a prompt, a tool call, another transaction'],
    ['--validate <level>', 'what files must pass first: off, basic (syntax), strict (imports and links too)', level],
  ]
  for (const [flags, description, parse] of declaration.required ?? []) {
    command.addOption(option(flags, description, parse).makeOptionMandatory())
  }
  for (const [flags, description, parse] of [...(declaration.options ?? []), ...(declaration.commits ? commits : [])]) {
    command.addOption(option(flags, description, parse))
  }
  addGlobalOptions(command, declaration.actor)
  const examples = declaration.examples.map(([line, explanation]) => `  # ${explanation}\n  $ ${line}`)
  if (declaration.details !== undefined) command.addHelpText('after', `\n${declaration.details}`)
  command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`)
  command.action(async (...received: unknown[]) => {
    // Commander calls with the arguments, then the options, then the command.
    const args = received.slice(0, -2) as never[]
    await declaration.run(await start(command), args, command.opts() as never, command)
  })
}

function option(flags: string, description: string, parse: OptionRow[2]): Option {
  const made = new Option(flags, description)
  return parse === undefined ? made : made.argParser(parse as (text: string, before: unknown) => unknown)
}

/** Values of a repeated option, in order. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

/** A whole number from 1. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new InvalidArgumentError(`'${printable(text)}' is not a whole number above 0.`)
  return Number(text)
}

/** A whole number from 0. */
export function whole(text: string): number {
  return /^0+$/.test(text) ? 0 : positive(text)
}

const AMOUNTS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

/** Bytes: `500000`, `64K`, `200M`, `2G`. */
export function byteAmount(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,12})([KMG]?)$/i.exec(text) ?? []
  if (digits === '')
    throw new InvalidArgumentError(`'${printable(text)}' is no number of bytes like 500000, 200M or 2G.`)
  return Number(digits) * (AMOUNTS[unit.toUpperCase()] as number)
}

/** Permission bits from octal digits: `755`, `0644`. */
export function octal(text: string): number {
  if (!/^0?[0-7]{3,4}$/.test(text))
    throw new InvalidArgumentError(`'${printable(text)}' is not an octal mode like 644.`)
  return Number.parseInt(text, 8)
}

/** How closely contents are looked at. */
export function level(text: string): string {
  if (!['off', 'basic', 'strict'].includes(text))
    throw new InvalidArgumentError(`'${printable(text)}' is none of off, basic, strict.`)
  return text
}

/** A content hash, or `none` for "no file there": commander takes a null for an empty text, so `conditionOf` makes it one. */
export function expectation(text: string): string {
  if (!/^([0-9a-f]{64}|none)$/i.test(text)) {
    throw new InvalidArgumentError(`'${printable(text)}' is neither 64 hex digits (SHA-256) nor 'none'.`)
  }
  return text.toLowerCase()
}

/** An encoding of texts. */
export function encodingName(text: string): Encoding {
  const found = ENCODINGS.find((each) => each === text.toLowerCase())
  if (found === undefined) throw new InvalidArgumentError(`'${printable(text)}' is none of ${ENCODINGS.join(', ')}.`)
  return found
}

/** How much may be overlooked to find a text; `true` when the option has no value. */
export function leniency(text: string): Leniency {
  if (text === 'trailing-blanks' || text === 'indentation') return text
  throw new InvalidArgumentError(`'${printable(text)}' is neither 'trailing-blanks' nor 'indentation'.`)
}

/** One of a few names. */
export function oneOf<T extends string>(...names: readonly T[]): (text: string) => T {
  return (text) => {
    const found = names.find((name) => name === text)
    if (found === undefined) throw new InvalidArgumentError(`'${printable(text)}' is none of ${names.join(', ')}.`)
    return found
  }
}

/** The condition that an operation takes, from the option. */
export function conditionOf({ expect }: { readonly expect?: string }): { readonly expect?: string | null } {
  return expect === undefined ? {} : { expect: expect === 'none' ? null : expect }
}
