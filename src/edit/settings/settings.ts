/** Values by key path in JSON, YAML, TOML and INI files. `change`: `{ changes, format?, document? }`, `changes` a list of `SettingChange`. */
import { JournalError, shown } from '../../errors.ts'
import { withinStack } from '../nesting.ts'
import type { Change, Reviser } from '../revisers.ts'
import { changedSettings } from './changed-settings.ts'
import { type CheckedChange, checkedSettings, type SettingChange } from './setting-change.ts'
import type { FormatName, SettingsFormat } from './settings-format.ts'

/** Of a change to settings, beside the changes. */
export interface SettingsOptions {
  /** Of a file whose name does not tell it. */
  readonly format?: FormatName
  /** Which document of a YAML file that has several, from 0. */
  readonly document?: number
}

const FORMATS: Readonly<Record<FormatName, () => Promise<SettingsFormat>>> = {
  json: async () => (await import('./json-settings.ts')).jsonSettings,
  yaml: async () => (await import('./yaml-settings.ts')).yamlSettings,
  toml: async () => (await import('./toml-settings.ts')).tomlSettings,
  ini: async () => (await import('./ini-settings.ts')).iniSettings,
}

/** By the end of the name; the first that fits. */
const ENDINGS: readonly (readonly [RegExp, FormatName])[] = [
  [
    /\.(?:json|jsonc|code-workspace|webmanifest|geojson|map)$|^\.(?:babelrc|eslintrc|prettierrc|swcrc|jshintrc)$/,
    'json',
  ],
  [/\.(?:yaml|yml)$|^\.(?:clang-format|clang-tidy|yamllint)$/, 'yaml'],
  [/\.toml$|^(?:Cargo|poetry|uv)\.lock$|^Pipfile$/, 'toml'],
  [
    /\.(?:ini|cfg|service|timer|socket|desktop)$|^\.(?:editorconfig|npmrc|gitconfig|gitmodules|flake8|pylintrc|coveragerc)$/,
    'ini',
  ],
]

/** The format that a file's name tells. */
export function formatByName(path: unknown): FormatName | undefined {
  if (typeof path !== 'string') return undefined
  const name = path.slice(path.lastIndexOf('/') + 1)
  return ENDINGS.find(([ending]) => ending.test(name))?.[1]
}

function formatOf(path: string, named: unknown): FormatName {
  if (named !== undefined && !(typeof named === 'string' && Object.hasOwn(FORMATS, named))) {
    throw new JournalError('INVALID', `${shown(named)} is no format of configuration files`, {
      hint: `Name one of ${Object.keys(FORMATS).join(', ')}.`,
      path,
    })
  }
  const format = (named as FormatName | undefined) ?? formatByName(path)
  if (format !== undefined) return format
  throw new JournalError('INVALID', `the name of ${shown(path)} does not tell what format it has`, {
    hint: `Name the format: one of ${Object.keys(FORMATS).join(', ')}.`,
    path,
  })
}

export const settings: Reviser = {
  check(path, { changes, format, document }) {
    if (format !== undefined || formatByName(path) === undefined) formatOf(path, format)
    if (document !== undefined && !(Number.isSafeInteger(document) && (document as number) >= 0)) {
      throw new JournalError('INVALID', `${shown(document)} is no number of a document`, {
        hint: 'Documents of a YAML file are counted from 0.',
        path,
      })
    }
    return {
      changes: checkedSettings(path, changes as unknown as SettingChange[]) as unknown as Change[],
      ...(format === undefined ? {} : { format }),
      ...(document === undefined ? {} : { document }),
    }
  },
  async revise(text, { changes, format, document }, path) {
    const checked = changes as unknown as CheckedChange[]
    const reader = await FORMATS[formatOf(path, format)]()
    if (document !== undefined && reader.name !== 'yaml') {
      throw new JournalError('INVALID', `${path} has no documents: only YAML files have`, {
        hint: 'Leave the number of the document out.',
        path,
      })
    }
    const after = await withinStack(path, () =>
      changedSettings(text, checked, path, reader, document as number | undefined),
    )
    return { text: after, report: null, changes: checked.length }
  },
}
