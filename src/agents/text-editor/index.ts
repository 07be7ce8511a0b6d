/** `write-journal/anthropic`: the text-editor tool of the Anthropic API. */
import type { Journal } from '../../journal.ts'
import { TextEditor, type TextEditorOptions } from './text-editor.ts'

export type { EditorResult, TextEditorOptions, ToolResult, ToolUse } from './text-editor.ts'
export { TextEditor } from './text-editor.ts'
export type { EditorTool, EditorType } from './version.ts'

/** @throws JournalError `INVALID` for options that make no sense */
export function createTextEditor(journal: Journal, options: TextEditorOptions = {}): TextEditor {
  return new TextEditor(journal, options)
}
