/** `write-journal/ai-sdk`: tools for the Vercel AI SDK. Nothing of it is loaded; the tools are plain objects. */
import type { Schema, Tool } from 'ai'
import type { Journal } from '../../journal.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import { JOURNAL_TOOLS, runTool, TOOL_NAMES, type ToolName } from '../tools/journal-tools.ts'
import { checkInput, type ObjectSchema } from '../tools/schema.ts'

export type { ToolName } from '../tools/journal-tools.ts'

export interface JournalToolsOptions {
  /** Who and why, of every transaction. The id of the tool call becomes `parent` unless this says otherwise. */
  readonly meta?: TransactionOptions
  /** Only these. Default: all. */
  readonly only?: readonly ToolName[]
}

/** By this the SDK knows a schema that was made without it. */
const SCHEMA = Symbol.for('vercel.ai.schema')

/** Tools for `generateText`, `streamText` and agents: read, write, edit, patch, several at once, history, undo. */
export function journalTools(
  journal: Journal,
  options: JournalToolsOptions = {},
): Record<ToolName, Tool<unknown, unknown>> {
  const { meta = {}, only = TOOL_NAMES } = options
  const made = TOOL_NAMES.filter((name) => only.includes(name)).map((name) => {
    const { description, schema } = JOURNAL_TOOLS[name]
    const execute = (input: unknown, { toolCallId }: { readonly toolCallId: string }) =>
      runTool(name, journal, input, { parent: toolCallId, ...meta })
    return [name, { description, inputSchema: schemaOf(schema), execute }] as const
  })
  return Object.fromEntries(made) as Record<ToolName, Tool<unknown, unknown>>
}

function schemaOf(schema: ObjectSchema): Schema<unknown> {
  const validate = (value: unknown) => {
    try {
      checkInput(schema, value)
      return { success: true, value }
    } catch (error) {
      return { success: false, error }
    }
  }
  return { [SCHEMA]: true, _type: undefined, jsonSchema: schema, validate } as unknown as Schema<unknown>
}
