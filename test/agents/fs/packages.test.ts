/** Packages that take an `fs`, given the facade. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { glob } from 'glob'
import { expect, it } from 'vitest'
import { createFs, type NodeFs } from '../../../src/agents/fs/index.ts'
import { historyOf, scratchJournal } from '../scratch.ts'

const require = createRequire(import.meta.url)

async function written(journal: Awaited<ReturnType<typeof scratchJournal>>): Promise<string[]> {
  const commits = await historyOf(journal)
  return commits.flatMap(({ entries }) => entries.map(({ op, path }) => `${op} ${path}`))
}

it('jsonfile reads and writes', async () => {
  const journal = await scratchJournal()
  const fs = createFs(journal)
  const jsonfile = require('jsonfile') as {
    writeFile(file: string, value: unknown, options: object): Promise<void>
    readFile(file: string, options: object): Promise<unknown>
  }
  const file = join(journal.root, 'a.json')
  await jsonfile.writeFile(file, { a: 1 }, { fs, spaces: 2 })
  expect(await jsonfile.readFile(file, { fs })).toEqual({ a: 1 })
  expect(await written(journal)).toEqual(['write a.json'])
})

it('glob finds what is there, and no journal', async () => {
  const journal = await scratchJournal()
  const fs = createFs(journal)
  for (const name of ['a.ts', 'd/b.ts', 'd/e/c.ts', 'd/e/c.js']) {
    await fs.promises.mkdir(join(journal.root, name, '..'), { recursive: true })
    await fs.promises.writeFile(join(journal.root, name), '')
  }
  expect((await glob('**/*.ts', { cwd: journal.root, fs, posix: true })).sort()).toEqual(['a.ts', 'd/b.ts', 'd/e/c.ts'])
  expect((await glob('**', { cwd: journal.root, fs, dot: true, nodir: true, posix: true })).sort()).toEqual(
    ['a.ts', 'd/b.ts', 'd/e/c.js', 'd/e/c.ts'].sort(),
  )
})

it('graceful-fs wraps it, streams included', async () => {
  const journal = await scratchJournal()
  const { gracefulify } = require('graceful-fs') as { gracefulify(fs: NodeFs): NodeFs }
  const fs = gracefulify(createFs(journal))
  const at = (name: string) => join(journal.root, name)
  await promisify(fs.writeFile)(at('a'), 'a')
  await promisify(fs.appendFile)(at('a'), 'b')
  await promisify(fs.rename)(at('a'), at('b'))
  await promisify(fs.copyFile)(at('b'), at('c'))
  await pipeline(fs.createReadStream(at('c')), fs.createWriteStream(at('d')))
  const fd = await promisify(fs.open)(at('e'), 'w')
  await promisify(fs.write)(fd, 'e')
  await promisify(fs.close)(fd)
  expect(await promisify(fs.readdir)(journal.root)).toEqual(['b', 'c', 'd', 'e'])
  expect([readFileSync(at('d'), 'utf8'), readFileSync(at('e'), 'utf8')]).toEqual(['ab', 'e'])
  // Where a file is opened, and not only a stream made, others may look for it: it is made at once.
  expect(await written(journal)).toEqual([
    'write a',
    'append a',
    'rename a',
    'write c',
    'write d',
    'write d',
    'write e',
    'write e',
  ])
})
