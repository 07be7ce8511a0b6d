import { describe, expect, test } from 'vitest'
import type { Issue } from '../../../src/index.ts'
import { failure, newDisk, openOn } from '../../journal/fixture.ts'

/** Commits all files as one strict transaction; what it is refused for, as `path:line:column message`. */
async function faults(
  files: Readonly<Record<string, string>>,
  there: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const disk = newDisk()
  for (const [path, content] of Object.entries(there)) {
    disk.mkdirp(`/ws/${path}`.replace(/\/[^/]*$/, ''))
    disk.writeFile(`/ws/${path}`, content)
  }
  const journal = await openOn(disk, { validation: 'strict' })
  const commit = (): Promise<unknown> =>
    journal.transact(async (tx) => {
      for (const [path, content] of Object.entries(files)) await tx.write(path, content)
    })
  try {
    await commit()
    return []
  } catch {
    const error = await failure(commit)
    expect(error.code).toBe('VALIDATION')
    return ((error.details?.failures ?? []) as Issue[]).map(
      ({ path, line, column, message }) => `${path}:${line}:${column} ${message}`,
    )
  } finally {
    await journal.close()
  }
}

describe('modules of JavaScript and TypeScript', () => {
  test('are looked for in what the transaction will have made', async () => {
    const files = {
      'src/a.ts':
        "import { b } from './b.js'\nimport c from '../lib'\nexport * from './d'\nimport './style.css?inline'\n",
      'src/b.ts': 'export const b = 1\n',
      'lib/index.ts': 'export default 1\n',
      'src/d.d.ts': 'export {}\n',
      'src/style.css': '',
    }
    expect(await faults(files)).toEqual([])
    const { 'src/b.ts': _, ...rest } = files
    expect(await faults(rest)).toEqual(['src/a.ts:1:20 there is no module ./b.js'])
    expect(await faults(rest, { 'src/b.ts': '' })).toEqual([])
  })

  test('imported in any way; not within try, and not when the name is worked out', async () => {
    const text = [
      "const a = require('./a1')",
      "const b = await import('./a2')",
      "export { c } from './a3'",
      "try { require('./optional') } catch {}",
      "require(name); import('./' + name)",
      "require.resolve('./whatever')",
    ].join('\n')
    expect(await faults({ 'x.js': `${text}\n` })).toEqual([
      'x.js:1:20 there is no module ./a1',
      'x.js:2:25 there is no module ./a2',
      'x.js:3:20 there is no module ./a3',
    ])
    expect(await faults({ 'x.ts': "import a = require('./no')\nimport type { B } from './none'\n" })).toHaveLength(2)
  })

  test('of packages: built in, installed, a dependency, or unknown', async () => {
    const text =
      "import 'fs'\nimport 'node:fs/promises'\nimport 'here/sub'\nimport '@a/b/c'\nimport 'installed'\nimport 'missing'\n"
    const manifest = '{"dependencies":{"here":"1"},"devDependencies":{"@a/b":"1"}}'
    const there = { 'package.json': manifest, 'node_modules/installed/package.json': '{}' }
    expect(await faults({ 'src/x.mjs': text }, there)).toEqual([
      'src/x.mjs:6:9 the package missing is neither installed nor a dependency in a package.json',
    ])
    expect(await faults({ 'src/x.mjs': text })).toEqual([])
    expect(await faults({ 'src/x.mjs': "import 'node:nothing'\n" })).toHaveLength(1)
    // Nobody can tell where these lead.
    const anywhere =
      "import '@/a'\nimport '#b'\nimport '~/c'\nimport 'virtual:d'\nimport 'https://e/f.js'\nimport '../../../out'\n"
    expect(await faults({ 'src/x.mjs': anywhere }, there)).toEqual([])
    const paths = { ...there, 'tsconfig.json': '{"compilerOptions":{"paths":{"missing":["x"]}}}' }
    expect(await faults({ 'src/x.ts': "import 'missing'\n" }, paths)).toEqual([])
  })

  test('a file that the transaction removes, or moves away, is not there', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.transact(async (tx) => {
      await tx.write('a.ts', "import './lib/b'\n")
      await tx.write('lib/b.ts', '')
    })
    const tx = journal.begin({ validation: 'strict' })
    await tx.rename('lib', 'moved')
    await tx.write('a.ts', "import './lib/b'\n// more\n")
    expect((await failure(() => tx.commit())).code).toBe('VALIDATION')
    await journal.transact({ validation: 'strict' }, async (again) => {
      await again.rename('lib', 'moved')
      await again.write('a.ts', "import './moved/b'\n")
    })
    await journal.close()
  })

  test('through a symbolic link of the workspace, but not out of it', async () => {
    const disk = newDisk()
    disk.mkdirp('/ws/real')
    disk.writeFile('/ws/real/b.js', '')
    disk.writeFile('/outside.js', '')
    disk.writeLink('/ws/link', 'real')
    disk.writeLink('/ws/out.js', '/outside.js')
    const journal = await openOn(disk, { validation: 'strict' })
    await journal.write('a.mjs', "import './link/b.js'\n")
    const error = await failure(() => journal.write('c.mjs', "import './out.js'\n"))
    expect(error.message).toContain('there is no module ./out.js')
    await journal.close()
  })
})

describe('modules of Python', () => {
  test('relative ones, and those whose first name is the workspace’s', async () => {
    const there = { 'pkg/__init__.py': '', 'pkg/mod.py': '', 'pkg/sub/x.py': '', 'src/other/y.py': '' }
    const text = [
      'from . import anything',
      'from .mod import a',
      'from .sub.x import b',
      'from .. import c',
      'from .no import d',
      'import pkg.mod, pkg.none as e',
      'import os.path, numpy.linalg',
      'import other.y, other.z',
      'try:\n    from .fast import f\nexcept ImportError:\n    f = None',
    ].join('\n')
    expect(await faults({ 'pkg/a.py': `${text}\n` }, there)).toEqual([
      'pkg/a.py:5:6 there is no module .no',
      'pkg/a.py:6:17 there is no module pkg.none',
      'pkg/a.py:8:17 there is no module other.z',
    ])
  })
})

describe('links of Markdown', () => {
  test('to files, folders, headings, names; of every form', async () => {
    const text = [
      '# A Title: with `code` & more!',
      '',
      '[a](b.md) [b](b.md#second-one) [c](#a-title-with-code--more) [d](docs/) [e][ref] ![f](pic.png "t")',
      '[g](https://x.y/z) [h](mailto:a@b) [i](/from/the/top) [j](../../out.md) <https://k.l>',
      '[m](a%20b.txt) [n](<a b.txt>) [o](src/x.ts#L10) [p](b.md#own-name)',
      '',
      '[ref]: b.md#second-one-1',
      '',
      '```',
      '[not](a-link.md)',
      '```',
    ].join('\n')
    const there = {
      'b.md': '# Second one\n\n## Second one\n\n<a name="own-name"></a>\n',
      'docs/x': '',
      'pic.png': '',
      'a b.txt': '',
      'src/x.ts': '',
    }
    expect(await faults({ 'a.md': text }, there)).toEqual([])
    const broken = await faults({ 'a.md': text })
    expect(broken.map((line) => line.replace(/ .*/, ''))).toEqual([
      ...['a.md:3:5', 'a.md:3:15', 'a.md:3:66', 'a.md:3:87'],
      ...['a.md:5:5', 'a.md:5:21', 'a.md:5:35', 'a.md:5:53', 'a.md:7:8'],
    ])
    expect(await faults({ 'a.md': '# T\n\n[a](#t) [b](#u)\n' })).toEqual([
      'a.md:3:13 the link leads nowhere: a.md has no heading #u',
    ])
    expect(await faults({ 'a.md': '[a](b.md#gone)', 'b.md': '# Here\n' })).toEqual([
      'a.md:1:5 the link leads nowhere: b.md has no heading #gone',
    ])
  })

  test('a heading that the same transaction brings', async () => {
    expect(await faults({ 'a.md': '[a](b.md#new)', 'b.md': '# New\n' }, { 'b.md': '# Old\n' })).toEqual([])
  })
})

test('files that configuration names', async () => {
  expect(
    await faults({
      'tsconfig.json': '{\n  // c\n  "extends": "./base"\n}',
      'a.json': '{"$ref": "./schema.json#/x", "extends": ["./one.json", "pkg"]}',
      'b.yaml': 'x:\n  $ref: ./other.yaml#/a\ny:\n  $ref: "#/local"\n',
    }),
  ).toEqual([
    'a.json:1:10 there is no file schema.json',
    'a.json:1:42 there is no file one.json',
    'b.yaml:2:9 there is no file other.yaml',
    'tsconfig.json:3:14 there is no file base',
  ])
})
