import { shown } from '../../errors.ts'
import { EditorFailure } from './failure.ts'

/** What the model asks for, checked. */
export type EditorCommand =
  | { readonly command: 'view'; readonly path: string; readonly range: readonly [from: number, to: number] | null }
  | { readonly command: 'create'; readonly path: string; readonly text: string }
  | { readonly command: 'str_replace'; readonly path: string; readonly old: string; readonly new: string }
  | { readonly command: 'insert'; readonly path: string; readonly line: number; readonly text: string }
  | { readonly command: 'undo_edit'; readonly path: string }

const COMMANDS = ['view', 'create', 'str_replace', 'insert', 'undo_edit'] as const

/** @throws EditorFailure for what is no command of this version */
export function commandOf(input: unknown, tool: { readonly name: string; readonly undoes: boolean }): EditorCommand {
  const given = typeof input === 'object' && input !== null ? (input as Readonly<Record<string, unknown>>) : {}
  const allowed = COMMANDS.filter((name) => name !== 'undo_edit' || tool.undoes)
  const command = allowed.find((name) => name === given.command)
  if (command === undefined) {
    throw new EditorFailure(
      `Unrecognized command ${shown(given.command)}. The allowed commands for the ${tool.name} tool are: ${allowed.join(', ')}`,
    )
  }
  const path = text(given, 'path', command)
  if (path === '') throw new EditorFailure('The `path` parameter is empty.')
  switch (command) {
    case 'view':
      return { command, path, range: rangeOf(given.view_range) }
    case 'create':
      return { command, path, text: text(given, 'file_text', command) }
    case 'str_replace':
      return { command, path, old: text(given, 'old_str', command), new: text(given, 'new_str', command, '') }
    case 'insert': {
      const { insert_line: line } = given
      if (!Number.isInteger(line)) throw missing('insert_line', command, line)
      // Older versions called it `new_str`.
      const name = given.insert_text === undefined && given.new_str !== undefined ? 'new_str' : 'insert_text'
      return { command, path, line: line as number, text: text(given, name, command) }
    }
    case 'undo_edit':
      return { command, path }
  }
}

function text(given: Readonly<Record<string, unknown>>, name: string, command: string, otherwise?: string): string {
  const value = given[name] ?? otherwise
  if (typeof value !== 'string') throw missing(name, command, value)
  return value
}

function missing(name: string, command: string, value: unknown): EditorFailure {
  const found = value === undefined || value === null ? '' : ` It is ${shown(value)}.`
  return new EditorFailure(
    `Parameter \`${name}\` (${name === 'insert_line' ? 'a number' : 'a text'}) is required for command: ${command}.${found}`,
  )
}

function rangeOf(given: unknown): readonly [number, number] | null {
  if (given === undefined || given === null) return null
  if (Array.isArray(given) && given.length === 2 && given.every(Number.isInteger)) return given as [number, number]
  throw new EditorFailure('Invalid `view_range`. It should be a list of two integers.')
}
