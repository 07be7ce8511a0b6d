/** The same calls to fs-extra and to what takes its place, in a workspace and outside of one. */
import { spawnSync } from 'node:child_process'
import nodeFs, { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import original from 'fs-extra'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type * as entry from '../../../src/agents/fs-extra/index.ts'
import { type FsExtra, fsExtraOf } from '../../../src/agents/fs-extra/index.ts'
import { built, DIST } from '../../crash/built.ts'
import { builtEntry } from '../fs/built-fs.ts'
import { treeOf } from '../fs/calls.ts'
import { historyOf, scratchFolder, scratchJournal } from '../scratch.ts'

const { default: journaled } = await builtEntry<typeof entry>('fs-extra')
const { openJournal } = await built()

type How = (fs: FsExtra, at: (name: string) => string) => unknown

/** Each is tried as it is, and with the function that ends in `Sync`. */
const CALLS: readonly (readonly [name: keyof FsExtra, (at: (name: string) => string) => unknown[]])[] = [
  ['copy', (at) => [at('file'), at('new/deep/copy')]],
  ['copy', (at) => [at('file'), at('other')]],
  ['copy', (at) => [at('file'), at('other'), { overwrite: false }]],
  ['copy', (at) => [at('file'), at('other'), { overwrite: false, errorOnExist: true }]],
  ['copy', (at) => [at('folder'), at('new/copy')]],
  ['copy', (at) => [at('folder'), at('full')]],
  ['copy', (at) => [at('folder'), at('copy'), { filter: (name: string) => !name.endsWith('b') }]],
  ['copy', (at) => [at('folder'), at('copy'), { dereference: true }]],
  ['copy', (at) => [at('folder'), at('folder/inside')]],
  ['copy', (at) => [at('folder'), at('file')]],
  ['copy', (at) => [at('file'), at('folder')]],
  ['copy', (at) => [at('file'), at('file')]],
  ['copy', (at) => [at('none'), at('copy')]],
  ['copy', (at) => [at('link'), at('link-copy')]],
  ['move', (at) => [at('file'), at('new/deep/moved')]],
  ['move', (at) => [at('folder'), at('moved')]],
  ['move', (at) => [at('file'), at('other')]],
  ['move', (at) => [at('file'), at('other'), { overwrite: true }]],
  ['move', (at) => [at('folder'), at('full'), { overwrite: true }]],
  ['move', (at) => [at('folder'), at('folder/inside')]],
  ['move', (at) => [at('none'), at('moved')]],
  ['remove', (at) => [at('folder')]],
  ['remove', (at) => [at('none')]],
  ['emptyDir', (at) => [at('full')]],
  ['emptyDir', (at) => [at('new/folder')]],
  ['ensureDir', (at) => [at('new/folder')]],
  ['ensureDir', (at) => [at('new/folder'), 0o700]],
  ['ensureDir', (at) => [at('file')]],
  ['mkdirp', (at) => [at('folder')]],
  ['ensureFile', (at) => [at('new/file')]],
  ['ensureFile', (at) => [at('file')]],
  ['ensureFile', (at) => [at('file/below')]],
  ['ensureSymlink', (at) => [at('file'), at('new/link')]],
  ['ensureSymlink', (at) => ['file', at('beside')]],
  ['ensureSymlink', (at) => ['file', at('link')]],
  ['outputFile', (at) => [at('new/deep/file'), 'text']],
  ['outputFile', (at) => [at('new/deep/file'), 'ff', { encoding: 'hex', mode: 0o600 }]],
  ['outputFile', (at) => [at('file'), 'text', 'utf8']],
  ['outputFile', (at) => [at('file/below'), 'text']],
  ['outputJson', (at) => [at('new/deep/a.json'), { a: [1] }, { spaces: 2, EOL: '\r\n' }]],
  ['writeJson', (at) => [at('a.json'), { a: 1 }]],
  ['writeJSON', (at) => [at('none/a.json'), { a: 1 }]],
  ['writeJson', (at) => [at('a.json'), undefined]],
  ['readJson', (at) => [at('good.json')]],
  ['readJson', (at) => [at('file')]],
  ['readJson', (at) => [at('file'), { throws: false }]],
  ['pathExists', (at) => [at('file')]],
  ['pathExists', (at) => [at('none')]],
  ['writeFile', (at) => [at('file'), 'written']],
  ['readFile', (at) => [at('file'), 'utf8']],
  ['readdir', (at) => [at('folder')]],
  ['unlink', (at) => [at('folder')]],
  ['rename', (at) => [at('file'), at('other')]],
  ['mkdtemp', (at) => [at('none/x-')]],
]

let workspace: string
let count = 0

beforeAll(async () => {
  workspace = nodeFs.realpathSync(nodeFs.mkdtempSync(join(nodeFs.realpathSync('/tmp'), 'journal-extra-')))
  await (await openJournal(workspace, { durability: 'os' })).close()
})
afterAll(() => nodeFs.rmSync(workspace, { recursive: true, force: true }))

function prepared(folder: string): string {
  for (const name of ['folder/sub', 'full/x']) mkdirSync(join(folder, name), { recursive: true })
  const files = { file: 'file', other: 'other', 'folder/a': 'a', 'folder/sub/b': 'b', 'full/a': 'old', 'full/x/y': 'y' }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  writeFileSync(join(folder, 'good.json'), '\ufeff{"a":1}')
  symlinkSync('file', join(folder, 'link'))
  return folder
}

async function outcome(fs: FsExtra, how: How, folder: string) {
  const at = (name: string) => join(folder, name)
  const same = (text: string) => text.replaceAll(folder, '<folder>')
  try {
    const value = await how(fs, at)
    // What fs-extra gathered while it emptied a folder tells nobody anything.
    const told = Array.isArray(value) && value[0] === undefined ? undefined : value
    return { value: typeof told === 'string' ? same(told) : told, tree: treeOf(folder) }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { error: code ?? same(message), tree: treeOf(folder) }
  }
}

async function compared(how: How): Promise<void> {
  count += 1
  const expected = await outcome(original as unknown as FsExtra, how, prepared(join(scratchFolder(), 'a')))
  expect(await outcome(journaled, how, prepared(join(workspace, `${count}`)))).toEqual(expected)
  expect(await outcome(journaled, how, prepared(join(scratchFolder(), 'b')))).toEqual(expected)
}

describe.skipIf(process.platform === 'win32')('does what the package does', () => {
  it.each(CALLS.map(([name, given]) => [`${name} ${JSON.stringify(given((path) => path))}`, name, given] as const))(
    '%s',
    async (_, name, given) => {
      const called = (fs: FsExtra, as: string) => Reflect.get(fs, as) as (...rest: unknown[]) => unknown
      await compared((fs, at) => called(fs, name)(...given(at)))
      await compared((fs, at) => called(fs, `${name}Sync`)(...given(at)))
      await compared(
        (fs, at) =>
          new Promise((resolve, reject) => {
            const done = (error: Error | null, value: unknown) =>
              error instanceof Error ? reject(error) : resolve(value)
            called(fs, name)(...given(at), done)
          }),
      )
    },
  )
})

it('calls are single transactions, over an open journal too', async () => {
  const journal = await scratchJournal()
  const fs = fsExtraOf(journal, { meta: { actor: 'tool' } })
  const at = (name: string) => join(journal.root, name)
  await fs.outputFile(at('deep/er/a'), 'a')
  await fs.copy(at('deep'), at('copy/of/deep'))
  await fs.move(at('deep'), at('moved/deep'))
  await fs.emptyDir(at('copy'))
  await fs.ensureLink(at('moved/deep/er/a'), at('links/a'))
  const fd = await fs.open(at('b'), 'w')
  expect(await fs.write(fd, 'bytes')).toMatchObject({ bytesWritten: 5 })
  await fs.close(fd)
  const commits = await historyOf(journal)
  expect(commits.map(({ actor, entries }) => `${actor} ${entries.map(({ op }) => op).join(' ')}`)).toEqual([
    'tool mkdir mkdir write',
    'tool mkdir mkdir mkdir mkdir write',
    'tool mkdir mkdir mkdir rename rmdir rmdir',
    'tool remove rmdir rmdir rmdir',
    'tool mkdir',
    'tool put',
    'tool write',
    'tool write',
  ])
  expect(() => fs.outputFileSync(at('c'), '')).toThrow(/cannot be waited for/)
  await journal.restore({ to: 2 })
  expect(existsSync(at('copy/of/deep/er/a'))).toBe(true)
  await expect(fs.outputFile(join(scratchFolder(), 'outside'), '')).rejects.toMatchObject({ code: 'EACCES' })
})

it('is the whole for who requires it', () => {
  const program = `
    const fs = require(${JSON.stringify(`${DIST}/agents/fs-extra/index.js`)})
    console.log(typeof fs.copySync, typeof fs.outputJson, typeof fs.readFile)
  `
  const { stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' })
  expect(stdout).toBe('function function function\n')
})

it('has every function that the package has', () => {
  const names = (fs: object) => Object.keys(fs).filter((name) => typeof Reflect.get(fs, name) === 'function')
  const missing = names(original).filter((name) => !names(journaled).includes(name))
  // Of graceful-fs, which fs-extra shows through.
  const others = ['lchmod', 'lchmodSync', '_toUnixTimestamp', 'gracefulify']
  expect(missing.filter((name) => !others.includes(name))).toEqual([])
})
