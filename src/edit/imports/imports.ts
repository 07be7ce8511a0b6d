/** Import statements of source files. `change`: `{ changes, language? }`, `changes` a list of `ImportChange`. */
import { JournalError, shown } from '../../errors.ts'
import { withinStack } from '../nesting.ts'
import type { Change, Reviser } from '../revisers.ts'
import { checkedImports, type ImportChange } from './import-change.ts'

export type Language = 'javascript' | 'python'

/** Of a change to imports, beside the changes. */
export interface ImportsOptions {
  /** Of a file whose name does not tell it. JavaScript is TypeScript, too. */
  readonly language?: Language
}

type Changer = (text: string, changes: readonly ImportChange[], path: string) => string | Promise<string>

const LANGUAGES: Readonly<Record<Language, () => Promise<Changer>>> = {
  javascript: async () => (await import('./script-imports.ts')).changedScript,
  python: async () => (await import('./python-imports.ts')).changedPython,
}

function languageOf(path: string, named: unknown): Language {
  const known = Object.keys(LANGUAGES).join(', ')
  if (named !== undefined && !(typeof named === 'string' && Object.hasOwn(LANGUAGES, named))) {
    throw new JournalError('INVALID', `${shown(named)} is no language whose imports are known here`, {
      hint: `Name one of ${known}.`,
      path,
    })
  }
  const name = typeof path === 'string' ? path : ''
  const byName = /\.[cm]?[jt]sx?$/.test(name) ? 'javascript' : /\.pyi?$/.test(name) ? 'python' : undefined
  const language = (named as Language | undefined) ?? byName
  if (language !== undefined) return language
  throw new JournalError('INVALID', `the name of ${shown(path)} does not tell what language it is in`, {
    hint: `Name the language: one of ${known}.`,
    path,
  })
}

export const imports: Reviser = {
  check(path, { changes, language }) {
    languageOf(path, language)
    return {
      changes: checkedImports(path, changes as unknown as ImportChange[]) as unknown as Change[],
      ...(language === undefined ? {} : { language }),
    }
  },
  async revise(text, { changes, language }, path) {
    const checked = changes as unknown as ImportChange[]
    const changer = await LANGUAGES[languageOf(path, language)]()
    return { text: await withinStack(path, () => changer(text, checked, path)), report: null, changes: checked.length }
  },
}
