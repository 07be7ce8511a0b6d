import { lineEndAt, withLineEnds } from '../../edit/lines.ts'
import { decodeText, type Encoding, encodeText } from '../../edit/text.ts'
import { JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import type { Transaction } from '../../transaction/transaction.ts'
import { commandOf, type EditorCommand } from './command.ts'
import { EditorFailure } from './failure.ts'
import { lastEdit } from './last-edit.ts'
import { folderAt, listingOf } from './listing.ts'
import { inserted, snippetOf, viewOf } from './numbered-lines.ts'
import { type EditorTool, type EditorType, toolOf, VERSIONS } from './version.ts'

/** Marks the editor's transactions in the history, so that `undo_edit` finds them after a restart too. */
const TAG = 'text-editor'

export interface TextEditorOptions {
  /** Which version of the tool. Default: the newest, `text_editor_20250728`. */
  readonly type?: EditorType
  /** Characters that a view may have; told to the model as `max_characters`. */
  readonly maxCharacters?: number
  /** Of files that do not say so themselves. Default: UTF-8. */
  readonly encoding?: Encoding
  /** Who and why, of every transaction; `run` and `answer` can say more. */
  readonly meta?: TransactionOptions
  /** All changes go into this open transaction; it is yours to commit. Default: each command that changes something is one. */
  readonly transaction?: Transaction
}

export interface EditorResult {
  readonly content: string
  readonly isError: boolean
}

/** A call of the tool, as it stands in a message of the model. */
export interface ToolUse {
  readonly type: 'tool_use'
  readonly id: string
  readonly name: string
  readonly input: unknown
}

export interface ToolResult {
  readonly type: 'tool_result'
  readonly tool_use_id: string
  readonly content: string
  readonly is_error?: true
}

/** The text-editor tool of the Anthropic API on a workspace. Nothing is done to a file but what the command says. */
export class TextEditor {
  /** To be named in a request's `tools`. */
  readonly tool: EditorTool
  readonly #journal: Journal
  readonly #options: TextEditorOptions

  /** @throws JournalError `INVALID` */
  constructor(journal: Journal, options: TextEditorOptions = {}) {
    const { type = 'text_editor_20250728', maxCharacters, transaction } = options
    this.tool = toolOf(type, maxCharacters)
    this.#journal = journal
    this.#options = options
    if (transaction !== undefined && VERSIONS[type].undoes) {
      throw new JournalError('INVALID', `${type} has undo_edit, which takes back what was committed`, {
        hint: 'Leave the transaction out, or name a later version of the tool.',
      })
    }
  }

  /** Carries a tool call out. Never rejects for what the model did wrong: that is said in the result. */
  async answer({ id, input }: ToolUse, meta: TransactionOptions = {}): Promise<ToolResult> {
    const { content, isError } = await this.run(input, { parent: id, ...meta })
    return { type: 'tool_result', tool_use_id: id, content, ...(isError ? { is_error: true } : {}) }
  }

  /**
   * Carries a command out, for who has not the whole tool call.
   * @throws JournalError `CLOSED`, `POISONED`, `CORRUPT`, `NO_SPACE`, `IO`: no other command can mend these
   */
  async run(input: unknown, meta: TransactionOptions = {}): Promise<EditorResult> {
    try {
      const { undoes } = VERSIONS[this.tool.type]
      const command = commandOf(input, { name: this.tool.name, undoes })
      return { content: await this.#carryOut(command, meta), isError: false }
    } catch (error) {
      return { content: `Error: ${reasonOf(error)}`, isError: true }
    }
  }

  #carryOut(command: EditorCommand, meta: TransactionOptions): Promise<string> {
    switch (command.command) {
      case 'view':
        return this.#view(command.path, command.range)
      case 'create':
        return this.#create(command.path, command.text, meta)
      case 'str_replace':
        return this.#replace(command, meta)
      case 'insert':
        return this.#insert(command, meta)
      case 'undo_edit':
        return this.#undo(command.path, meta)
    }
  }

  async #view(path: string, range: readonly [number, number] | null): Promise<string> {
    const folder = await folderAt(this.#journal.root, path)
    if (folder !== null) {
      if (range === null) return listingOf(folder, path)
      throw new EditorFailure('The `view_range` parameter is not allowed when `path` points to a directory.')
    }
    return viewOf((await this.#text(path)).text, path, range, this.tool.max_characters)
  }

  async #create(path: string, text: string, meta: TransactionOptions): Promise<string> {
    try {
      await this.#change(meta, (tx) => tx.write(path, text, { expect: null }))
    } catch (error) {
      const there = error instanceof JournalError && (error.code === 'CONFLICT' || (await this.#isFolder(path)))
      if (!there) throw error
      throw new EditorFailure(`File already exists at: ${path}. Cannot overwrite files using command \`create\`.`)
    }
    return `File created successfully at: ${path}`
  }

  async #replace(command: Extract<EditorCommand, { command: 'str_replace' }>, meta: TransactionOptions) {
    const { path, old, new: text } = command
    if (old === '') throw new EditorFailure('`old_str` is empty: name the text to replace, or use `insert`.')
    let span: readonly [number, number] = [1, 1]
    let whole = ''
    await this.#change(meta, async (tx) => {
      const { encoding } = this.#options
      const named = encoding === undefined ? {} : { encoding }
      try {
        const { edits } = await tx.edit(path, [{ oldText: old, newText: text }], named)
        const [from] = edits?.[0]?.lines[0] ?? span
        span = [from, from + text.split('\n').length - 1]
      } catch (error) {
        throw replacementFailure(error)
      }
      whole = decodeText(await tx.read(path), path, encoding).text
    })
    return snippetOf(whole, path, ...span)
  }

  async #insert(command: Extract<EditorCommand, { command: 'insert' }>, meta: TransactionOptions): Promise<string> {
    const { path, line, text: given } = command
    let [whole, count] = ['', 0]
    await this.#change(meta, async (tx) => {
      const source = decodeText(await tx.read(path), path, this.#options.encoding)
      const end = lineEndAt(source.text, 0)
      const added = given.includes('\r\n') ? given : withLineEnds(given, end)
      const { text, lines } = inserted(source.text, line, added, end)
      ;[whole, count] = [text, lines]
      await tx.write(path, encodeText(text, source, path))
    })
    return snippetOf(whole, path, line + 1, line + count)
  }

  async #undo(path: string, meta: TransactionOptions): Promise<string> {
    const tx = await lastEdit(this.#journal, path, TAG)
    if (tx === null) throw new EditorFailure(`No edit history found for ${path}.`)
    await this.#journal.undo(tx, this.#metaOf(meta))
    const text = await this.#text(path).catch((error: unknown) => {
      if (error instanceof JournalError && error.code === 'NOT_FOUND') return null
      throw error
    })
    const now = text === null ? `${path} is not there any more.` : viewOf(text.text, path, null, undefined)
    return `Last edit to ${path} undone successfully. ${now}`
  }

  async #text(path: string): Promise<{ readonly text: string }> {
    const { transaction, encoding } = this.#options
    if (transaction !== undefined) return decodeText(await transaction.read(path), path, encoding)
    const reading = this.#journal.begin()
    try {
      return decodeText(await reading.read(path), path, encoding)
    } finally {
      await reading.abort()
    }
  }

  async #isFolder(path: string): Promise<boolean> {
    return (await folderAt(this.#journal.root, path)) !== null
  }

  #metaOf(meta: TransactionOptions): TransactionOptions {
    const { meta: common = {} } = this.#options
    return { ...common, ...meta, tags: [...new Set([TAG, ...(common.tags ?? []), ...(meta.tags ?? [])])] }
  }

  async #change(meta: TransactionOptions, change: (tx: Transaction) => Promise<unknown>): Promise<void> {
    const { transaction } = this.#options
    if (transaction === undefined) await this.#journal.transact(this.#metaOf(meta), change)
    else await change(transaction)
  }
}

function replacementFailure(error: unknown): unknown {
  const count = error instanceof JournalError ? error.details?.count : undefined
  if (count === 0) return new EditorFailure('No match found for replacement. Please check your text and try again.')
  if (typeof count !== 'number') return error
  return new EditorFailure(
    `Found ${count} matches for replacement text. Please provide more context to make a unique match.`,
  )
}

/** What the model is told. Faults that are none of its own are thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof EditorFailure) return error.message
  if (!(error instanceof JournalError)) throw error
  switch (error.code) {
    case 'NOT_FOUND':
      return 'File not found'
    case 'PERMISSION':
      return 'Permission denied. Cannot read or write to the file.'
    case 'CLOSED':
    case 'POISONED':
    case 'CORRUPT':
    case 'NO_SPACE':
    case 'IO':
      throw error
    default:
      return `${error.message}. ${error.hint}`
  }
}
