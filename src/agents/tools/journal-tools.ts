import { Lines } from '../../edit/lines.ts'
import { decodeText } from '../../edit/text.ts'
import { JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import type { Receipt } from '../../transaction/receipt.ts'
import type { Transaction } from '../../transaction/transaction.ts'
import { checkInput, type InputSchema, type ObjectSchema, objectOf } from './schema.ts'

/** A tool that works on a journal, for whatever framework. */
export interface JournalTool<Input = never> {
  readonly description: string
  readonly schema: ObjectSchema
  readonly run: (journal: Journal, input: Input, meta: TransactionOptions) => Promise<unknown>
}

/** How many lines, or transactions, are told when nobody says how many. */
const LINES = 2000
const TRANSACTIONS = 20

const path: InputSchema = { type: 'string', description: 'Path of a file, relative to the workspace' }
const message: InputSchema = { type: 'string', description: 'Why: one line for the history' }
const edit = {
  oldText: { type: 'string', description: 'Text that stands in the file exactly once, copied exactly' },
  newText: { type: 'string', description: 'What takes its place' },
  'all?': { type: 'boolean', description: 'Replace every place where it stands' },
} as const satisfies Record<string, InputSchema>

interface Edit {
  readonly oldText: string
  readonly newText: string
  readonly all?: boolean
}

interface Step extends Partial<Edit> {
  readonly op: 'write' | 'append' | 'edit' | 'remove' | 'rename' | 'mkdir'
  readonly path: string
  readonly content?: string
  readonly to?: string
}

function tool<Input>(of: JournalTool<Input>): JournalTool<Input> {
  return of
}

export const JOURNAL_TOOLS = {
  read_file: tool<{ path: string; from?: number; lines?: number }>({
    description: `Reads a text file. Gives its text, and how many lines it has; ${LINES} lines unless asked otherwise.`,
    schema: objectOf({
      path,
      'from?': { type: 'integer', minimum: 1, description: 'First line to read, from 1' },
      'lines?': { type: 'integer', minimum: 1, description: 'How many lines' },
    }),
    async run(journal, { path, from = 1, lines: most = LINES }) {
      const reading = journal.begin()
      try {
        const { text } = decodeText(await reading.read(path), path)
        const lines = new Lines(text)
        const end = Math.min(lines.count, from - 1 + most)
        const part = text.slice(lines.from(from - 1), lines.from(end))
        return { path, text: part, from, to: end, lines: lines.count }
      } finally {
        await reading.abort()
      }
    },
  }),
  write_file: tool<{ path: string; content: string; message?: string }>({
    description: 'Writes a whole text file: makes it, with missing folders, or replaces what it had.',
    schema: objectOf({ path, content: { type: 'string' }, 'message?': message }),
    async run(journal, { path, content, message }, meta) {
      return told(await journal.write(path, content, { ...meta, ...because(message) }))
    },
  }),
  edit_file: tool<{ path: string; message?: string } & Edit>({
    description: 'Replaces a text in a file. It must stand there exactly once, unless all is true.',
    schema: objectOf({ path, ...edit, 'message?': message }),
    async run(journal, { path, oldText, newText, all, message }, meta) {
      const change = { oldText, newText, ...(all === undefined ? {} : { all }) }
      return told(await journal.edit(path, [change], { ...meta, ...because(message) }))
    },
  }),
  multi_edit: tool<{ edits: readonly (Edit & { path: string })[]; message?: string }>({
    description: 'Replaces texts in one or many files, in order, all of them or none.',
    schema: objectOf({
      edits: { type: 'array', minItems: 1, items: objectOf({ path, ...edit }) },
      'message?': message,
    }),
    async run(journal, { edits, message }, meta) {
      const receipt = await journal.transact({ ...meta, ...because(message) }, async (tx) => {
        for (const { path, ...change } of edits) await tx.edit(path, [change])
      })
      return told(receipt)
    },
  }),
  apply_patch: tool<{ patch: string; message?: string }>({
    description:
      'Applies a patch of any number of files, all of it or nothing: a unified diff, or *** Begin Patch … *** End Patch.',
    schema: objectOf({ patch: { type: 'string' }, 'message?': message }),
    async run(journal, { patch, message }, meta) {
      return told(await journal.applyPatch(patch, { ...meta, ...because(message) }))
    },
  }),
  transaction: tool<{ operations: readonly Step[]; message?: string }>({
    description:
      'Carries several operations on files out as one: all of them or none. They see what those before them did.',
    schema: objectOf({
      operations: {
        type: 'array',
        minItems: 1,
        items: objectOf({
          op: { type: 'string', enum: ['write', 'append', 'edit', 'remove', 'rename', 'mkdir'] },
          path,
          'content?': { type: 'string', description: 'Of write and append' },
          'oldText?': edit.oldText,
          'newText?': edit.newText,
          'all?': edit['all?'],
          'to?': { type: 'string', description: 'Of rename: the new path' },
        }),
      },
      'message?': message,
    }),
    async run(journal, { operations, message }, meta) {
      const receipt = await journal.transact({ ...meta, ...because(message) }, async (tx) => {
        for (const [index, step] of operations.entries()) await carryOut(tx, step, `operations[${index}]`)
      })
      return told(receipt)
    },
  }),
  history: tool<{ path?: string; limit?: number }>({
    description: `Lists transactions, newest first: who changed what, when and why. ${TRANSACTIONS} unless asked otherwise.`,
    schema: objectOf({
      'path?': { type: 'string', description: 'Only those that changed this file, or something in this folder' },
      'limit?': { type: 'integer', minimum: 1 },
    }),
    async run(journal, { path, limit = TRANSACTIONS }) {
      const found = []
      for await (const commit of journal.history({ limit, ...(path === undefined ? {} : { path }) })) {
        const { tx, seq, time, actor, kind, message, entries } = commit
        const paths = [...new Set(entries.map(({ path }) => path))]
        found.push({ tx, seq, time: new Date(time).toISOString(), actor, kind, message, paths })
      }
      return { transactions: found }
    },
  }),
  undo: tool<{ tx: string; message?: string }>({
    description: 'Takes a transaction back, whichever it is. Refused when one of its files was changed since.',
    schema: objectOf({
      tx: { type: 'string', description: 'Its id, as the other tools tell it' },
      'message?': message,
    }),
    async run(journal, { tx, message }, meta) {
      return told(await journal.undo(tx, { ...meta, ...because(message) }))
    },
  }),
} as const

export type ToolName = keyof typeof JOURNAL_TOOLS
export const TOOL_NAMES = Object.keys(JOURNAL_TOOLS) as readonly ToolName[]

/**
 * Runs a tool with what a model gave it.
 * @throws Error whose message has the code, what happened and what to do: frameworks hand only messages on
 */
export async function runTool(
  name: ToolName,
  journal: Journal,
  input: unknown,
  meta: TransactionOptions,
): Promise<unknown> {
  const { schema, run } = JOURNAL_TOOLS[name] as JournalTool
  try {
    checkInput(schema, input)
    return await run(journal, input as never, meta)
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    throw new Error(`${error.code}: ${error.message}. ${error.hint}`, { cause: error })
  }
}

async function carryOut(tx: Transaction, step: Step, place: string): Promise<void> {
  const { op, path, content, oldText, newText, all, to } = step
  const given = <T>(name: string, value: T | undefined): T => {
    if (value !== undefined) return value
    throw new JournalError('INVALID', `${place} has no ${name}`, { hint: `${op} needs it.` })
  }
  switch (op) {
    case 'write':
      return tx.write(path, given('content', content))
    case 'append':
      return tx.append(path, given('content', content))
    case 'edit': {
      const change = { oldText: given('oldText', oldText), newText: given('newText', newText) }
      await tx.edit(path, [all === undefined ? change : { ...change, all }])
      return
    }
    case 'remove':
      return tx.remove(path, { recursive: true })
    case 'rename':
      return tx.rename(path, given('to', to))
    case 'mkdir':
      return tx.mkdir(path)
  }
}

function because(message: string | undefined): { readonly message?: string } {
  return message === undefined ? {} : { message }
}

function told({ tx, seq, files }: Receipt): { tx: string; seq: number; files: readonly string[] } {
  const mark = (before: string | null, after: string | null) => (before === null ? 'A' : after === null ? 'D' : 'M')
  return { tx, seq, files: files.map(({ path, before, after }) => `${mark(before, after)} ${path}`) }
}
