import { posix } from 'node:path'
import { JournalError } from '../../errors.ts'
import type { FileSpec, IndexSpec, ModuleSpec } from './module-spec.ts'
import { fill, type Values } from './template.ts'

/** A file that a spec asks for. */
export interface ModuleFile {
  /** Relative to the workspace. */
  readonly path: string
  readonly content: string | Uint8Array
  readonly mode?: number
  /** `content`, `template NAME`, `index` or `test`. */
  readonly from: string
}

interface Planned extends ModuleFile {
  readonly values: Values
  readonly indexed: boolean
}

const LINES: readonly (readonly [files: RegExp, line: string])[] = [
  [/\.[cm]?[jt]sx?$/, "export * from './{{stem}}.js'"],
  [/\.py$/, 'from .{{name}} import *'],
]
/** A module has no more files than this. */
const MOST_FILES = 10_000

/** All files of a module, in their order. @throws JournalError `INVALID` */
export function moduleFiles(spec: ModuleSpec): ModuleFile[] {
  const planned = [
    ...spec.files.flatMap((file, at) => filesOf(spec, file, `files[${at}]`, false)),
    ...(spec.tests ?? []).flatMap((file, at) => filesOf(spec, file, `tests[${at}]`, true)),
  ]
  const files: ModuleFile[] = planned.map(({ values: _values, indexed: _indexed, ...file }) => file)
  if (spec.index !== undefined) files.push(indexOf(spec, spec.index, planned))
  if (files.length > MOST_FILES) {
    throw new JournalError('INVALID', `the spec asks for ${files.length} files`, {
      hint: `At most ${MOST_FILES}: split it.`,
    })
  }
  const seen = new Set<string>()
  for (const { path } of files) {
    if (seen.has(path)) {
      throw new JournalError('INVALID', `the spec asks for ${path} more than once`, {
        hint: 'Put a parameter into its path, or leave one of them out.',
        path,
      })
    }
    seen.add(path)
  }
  return files
}

function filesOf(spec: ModuleSpec, file: FileSpec, where: string, test: boolean): Planned[] {
  const all = file.each ?? [{}]
  return all.map((own, at) => {
    const values: Values = { ...spec.values, ...file.with, ...own }
    const place = file.each === undefined ? where : `${where}.each[${at}]`
    const path = within(spec.folder, fill(file.path, values, `${place}.path`))
    const mode = file.mode === undefined ? {} : { mode: Number.parseInt(file.mode, 8) }
    const from = test ? 'test' : file.template === undefined ? 'content' : `template ${file.template}`
    const content = contentOf(spec, file, values, place)
    return { path, content, ...mode, from, values, indexed: !test && file.index !== false }
  })
}

function contentOf({ templates = {} }: ModuleSpec, file: FileSpec, values: Values, where: string): string | Uint8Array {
  if (file.content !== undefined) return file.content
  if (file.base64 !== undefined) return Buffer.from(file.base64, 'base64')
  const name = file.template as string
  return fill(templates[name] as string, values, `template ${name} for ${where}`)
}

function indexOf(spec: ModuleSpec, index: IndexSpec, planned: readonly Planned[]): ModuleFile {
  const path = within(spec.folder, fill(index.path, spec.values ?? {}, 'index.path'))
  const line = index.line ?? LINES.find(([files]) => files.test(path))?.[1]
  if (line === undefined) {
    throw new JournalError('INVALID', `how ${path} names a file is not known`, {
      hint: "Say it with index.line, such as '- [{{name}}]({{path}})'.",
      path,
    })
  }
  const lines = planned
    .filter(({ indexed }) => indexed)
    .map(({ path: file, values }) => {
      const below = posix.relative(posix.dirname(path), file)
      const stem = below.replace(/\.[^./]+$/, '')
      return fill(line, { ...values, path: below, stem, name: posix.basename(stem) }, 'index.line')
    })
  const { header = '', footer = '' } = index
  return { path, content: [header, ...lines.map((each) => `${each}\n`), footer].join(''), from: 'index' }
}

/** @throws JournalError `PATH_OUTSIDE` for what is not in the folder of the module */
function within(folder: string, path: string): string {
  const whole = posix.join(folder, path)
  const way = posix.relative(posix.normalize(folder), whole)
  if (path !== '' && !posix.isAbsolute(path) && way !== '' && way !== '..' && !way.startsWith('../')) return whole
  throw new JournalError('PATH_OUTSIDE', `${JSON.stringify(path)} is not in the folder of the module, ${folder}`, {
    hint: 'Name files relative to the folder.',
    path,
  })
}
