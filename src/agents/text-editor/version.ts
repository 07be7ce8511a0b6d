import { JournalError, shown } from '../../errors.ts'

/** The tool as it is named to the model. */
export interface EditorTool {
  readonly type: EditorType
  readonly name: 'str_replace_based_edit_tool' | 'str_replace_editor'
  readonly max_characters?: number
}

export type EditorType =
  | 'text_editor_20250728'
  | 'text_editor_20250429'
  | 'text_editor_20250124'
  | 'text_editor_20241022'

interface Version {
  readonly name: EditorTool['name']
  readonly undoes: boolean
  readonly limits: boolean
}

/** What the versions differ in. */
export const VERSIONS: Readonly<Record<EditorType, Version>> = {
  text_editor_20250728: { name: 'str_replace_based_edit_tool', undoes: false, limits: true },
  text_editor_20250429: { name: 'str_replace_based_edit_tool', undoes: false, limits: false },
  text_editor_20250124: { name: 'str_replace_editor', undoes: true, limits: false },
  text_editor_20241022: { name: 'str_replace_editor', undoes: true, limits: false },
}

/** @throws JournalError `INVALID` */
export function toolOf(type: EditorType, maxCharacters: number | undefined): EditorTool {
  const version = Object.hasOwn(VERSIONS, type) ? VERSIONS[type] : undefined
  if (version === undefined) {
    throw new JournalError('INVALID', `${shown(type)} is no version of the text editor`, {
      hint: `Name one of ${Object.keys(VERSIONS).join(', ')}.`,
    })
  }
  if (maxCharacters === undefined) return Object.freeze({ type, name: version.name })
  if (!version.limits || !Number.isInteger(maxCharacters) || maxCharacters < 1) {
    throw new JournalError('INVALID', `${shown(maxCharacters)} is no limit of characters that ${type} has`, {
      hint: 'Give a number from 1 on, and text_editor_20250728; or leave it out.',
    })
  }
  return Object.freeze({ type, name: version.name, max_characters: maxCharacters })
}
