/** `write-journal/langchain`: tools for LangChain and LangGraph. Needs `@langchain/core`. */
import { DynamicStructuredTool } from '@langchain/core/tools'
import type { Journal } from '../../journal.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import { JOURNAL_TOOLS, runTool, TOOL_NAMES, type ToolName } from '../tools/journal-tools.ts'

export type { ToolName } from '../tools/journal-tools.ts'

export interface JournalToolsOptions {
  /** Who and why, of every transaction. The id of the tool call becomes `parent` unless this says otherwise. */
  readonly meta?: TransactionOptions
  /** Only these. Default: all. */
  readonly only?: readonly ToolName[]
}

/** Tools for `bindTools`, `ToolNode` and agents: read, write, edit, patch, several at once, history, undo. What they answer is JSON. */
export function journalTools(journal: Journal, options: JournalToolsOptions = {}): DynamicStructuredTool[] {
  const { meta = {}, only = TOOL_NAMES } = options
  return TOOL_NAMES.filter((name) => only.includes(name)).map((name) => {
    const { description, schema } = JOURNAL_TOOLS[name]
    const func = async (input: unknown, _manager?: unknown, config?: object) => {
      const { id } = (config as { readonly toolCall?: { readonly id?: string } } | undefined)?.toolCall ?? {}
      const said = { ...(id === undefined ? {} : { parent: id }), ...meta }
      return JSON.stringify(await runTool(name, journal, input, said))
    }
    return new DynamicStructuredTool({ name, description, schema, func })
  })
}
