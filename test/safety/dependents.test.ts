import { describe, expect, test } from 'vitest'
import type { Issue, Journal, Transaction, ValidationOptions } from '../../src/index.ts'
import { failure, newDisk, openOn } from '../journal/fixture.ts'

const THERE: Readonly<Record<string, string>> = {
  'src/greet.ts': 'export const greet = 1\n',
  'src/main.ts': "import { greet } from './greet.js'\nimport './gone.js'\nconsole.log(greet)\n",
  'src/lib/index.ts': 'export {}\n',
  'src/lib/own.ts': "import '.'\n",
  'docs/guide.md': '# Guide\n',
  'docs/other.md': 'See [the guide](guide.md#guide), and [nothing](nothing.md).\n',
  'README.md': 'See\n[docs](docs/) and [the guide](docs/guide.md).\n',
  'tools/names.py': 'NAMES = 1\n',
  'tools/run.py': 'from .names import NAMES\n',
  'base.json': '{}\n',
  'tsconfig.json': '{ "extends": "./base.json" }\n',
  'schema.yaml': 'a:\n  $ref: ./base.json\n',
  'broken.ts': "import './src/greet.js'\nlet = = 1\n",
}

async function opened(validation: ValidationOptions | 'basic' = { level: 'strict', refuse: 'new' }) {
  const disk = newDisk()
  const journal = await openOn(disk, { validation })
  await journal.transact({ validation: 'off' }, async (tx) => {
    for (const [path, content] of Object.entries(THERE)) await tx.write(path, content)
  })
  return { disk, journal }
}

async function faults(journal: Journal, run: (tx: Transaction) => Promise<unknown>): Promise<string[]> {
  const error = await failure(() => journal.transact(async (tx) => void (await run(tx))))
  expect(error.code).toBe('VALIDATION')
  const issues = (error.details?.failures ?? []) as Issue[]
  return issues.map(({ path, line, column, message, dependent }) => {
    expect(dependent).toBe(true)
    return `${path}:${line}:${column} ${message}`
  })
}

describe('files that refer to what a transaction takes away', () => {
  test.each<[string, (tx: Transaction) => Promise<unknown>, string[]]>([
    ['a module', (tx) => tx.remove('src/greet.ts'), ['src/main.ts:1:24 there is no module ./greet.js']],
    [
      'a module that gets another name',
      (tx) => tx.rename('src/greet.ts', 'src/hello.ts'),
      ['src/main.ts:1:24 there is no module ./greet.js'],
    ],
    ['the module of a folder', (tx) => tx.remove('src/lib/index.ts'), ['src/lib/own.ts:1:9 there is no module .']],
    ['a module of Python', (tx) => tx.remove('tools/names.py'), ['tools/run.py:1:6 there is no module .names']],
    [
      'a page',
      (tx) => tx.remove('docs/guide.md'),
      [
        'README.md:2:31 the link leads nowhere: there is no docs/guide.md',
        'docs/other.md:1:17 the link leads nowhere: there is no docs/guide.md',
      ],
    ],
    [
      'a folder that gets another name: what moves with it is looked at as well',
      (tx) => tx.rename('docs', 'pages'),
      [
        'README.md:2:8 the link leads nowhere: there is no docs',
        'README.md:2:31 the link leads nowhere: there is no docs/guide.md',
      ],
    ],
    [
      'what configurations name',
      (tx) => tx.remove('base.json'),
      ['schema.yaml:2:9 there is no file base.json', 'tsconfig.json:1:14 there is no file base.json'],
    ],
    [
      'a file that becomes a folder',
      async (tx) => {
        await tx.remove('tools/names.py')
        await tx.mkdir('tools/names.py')
      },
      ['tools/run.py:1:6 there is no module .names'],
    ],
  ])('are named: %s', async (_, run, expected) => {
    const { journal } = await opened()
    expect((await faults(journal, run)).sort()).toEqual([...expected].sort())
    await journal.close()
  })

  test('do not hinder it when they are changed too, or when it is there again in the end', async () => {
    const { journal } = await opened()
    await journal.transact(async (tx) => {
      await tx.rename('src/greet.ts', 'src/hello.ts')
      await tx.write('src/main.ts', "import { greet } from './hello.js'\n")
    })
    await journal.transact(async (tx) => {
      await tx.remove('docs/guide.md')
      await tx.write('docs/guide.md', '# Guide\n\nAnew\n')
    })
    await journal.transact(async (tx) => {
      await tx.remove('base.json')
      await tx.mkdir('base.json')
    })
    await journal.close()
  })

  test('are looked at at strict only, and not where nobody looks', async () => {
    const basic = await opened('basic')
    await basic.journal.remove('src/greet.ts')
    await basic.journal.close()
    const excluding = await opened({ level: 'strict', exclude: ['src/main.ts'], types: { markdown: 'basic' } })
    await excluding.journal.remove('src/greet.ts')
    await excluding.journal.remove('docs/guide.md')
    await excluding.journal.close()
    const one = await opened({ level: 'basic', types: { markdown: 'strict' } })
    await one.journal.remove('src/greet.ts')
    expect(await faults(one.journal, (tx) => tx.remove('docs/guide.md'))).toHaveLength(2)
    await one.journal.close()
  })

  test('are left to a validator that stands in the place of the parser', async () => {
    const validator = { name: 'own', files: '*.md', instead: true, check: () => undefined }
    const { journal } = await opened({ level: 'strict', validators: [validator] })
    await journal.remove('docs/guide.md')
    await journal.close()
  })

  test('say what to do', async () => {
    const { journal } = await opened()
    const error = await failure(() => journal.remove('src/greet.ts'))
    expect(error).toMatchObject({ path: 'src/main.ts', hint: expect.stringContaining('change them too') })
    await journal.close()
  })

  test('are sought in so many files and no more', async () => {
    const { journal } = await opened({ level: 'strict', maxSearched: 11 })
    const error = await failure(() => journal.remove('src/greet.ts'))
    expect(error).toMatchObject({ code: 'VALIDATOR', path: 'src/greet.ts', details: { maxSearched: 11 } })
    expect(error.hint).toContain('maxSearched')
    await journal.close()
    const enough = await opened({ level: 'strict', maxSearched: 12 })
    expect(await faults(enough.journal, (tx) => tx.remove('src/greet.ts'))).toHaveLength(1)
    await enough.journal.close()
  })

  test('lower the score of a transaction that is only looked at', async () => {
    const { journal } = await opened()
    const report = await journal.check(async (tx) => void (await tx.remove('src/greet.ts')))
    expect(report.ok).toBe(false)
    expect(report.checks.find(({ name }) => name === 'dependencies')?.reasons).toMatchObject([
      { path: 'src/main.ts', line: 1, refuses: true },
    ])
    await journal.close()
  })
})
