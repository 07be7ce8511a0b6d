/** The rooms of `src/`, from the bottom up: what runs in one uses only itself, those below it, and the files at the top that have no room. */
import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const SOURCE = path.resolve(import.meta.dirname, '../src')
const ROOMS = [
  'disk',
  'log',
  'entry',
  'content',
  'store',
  'workspace',
  'edit',
  'transaction',
  'recovery',
  'history',
  'retention',
  'salvage',
  'safety',
  'capture',
  'agents',
]

/** What a file imports to run, as paths in `src/`; types are named across rooms. Imports when needed count too. */
function importsOf(file: string): string[] {
  const text = fs.readFileSync(path.join(SOURCE, file), 'utf8')
  const found = [
    ...text.matchAll(/^import (?!type )[^'"]*?from '(\.[^']+)'|^} from '(\.[^']+)'|import\('(\.[^']+)'\)/gm),
  ]
  const running = found.filter(([whole]) => !whole.startsWith('import {') || !isTypesOnly(whole))
  return running.map(([, first, second, third]) =>
    path.posix.join(path.posix.dirname(file), first ?? second ?? third ?? ''),
  )
}

function isTypesOnly(statement: string): boolean {
  const [, names = ''] = /\{([^}]*)\}/.exec(statement) ?? []
  return names.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '))
}

const roomOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] as string) : '')
const files = fs
  .readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .map((file) => file.split(path.sep).join('/'))
  .filter((file) => file.endsWith('.ts') && !file.startsWith('cli/'))

describe('the rooms of the source', () => {
  it('are those that the test knows', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => room !== '').sort()).toEqual([...ROOMS].sort())
  })

  it.each(files.filter((file) => roomOf(file) !== ''))('%s looks down only', (file) => {
    const above = ROOMS.slice(ROOMS.indexOf(roomOf(file)) + 1)
    expect(importsOf(file).filter((used) => above.includes(roomOf(used)))).toEqual([])
  })

  it('finds what a file imports', () => {
    expect(importsOf('transaction/file-operations.ts')).toContain('edit/edits.ts')
    expect(importsOf('edit/revisers.ts')).toContain('edit/notebook.ts')
  })
})
