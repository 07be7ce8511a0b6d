import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildModule, type ModuleSpec } from '../../../src/agents/builder/index.ts'
import { type Journal, openJournal } from '../../../src/index.ts'
import { scratch } from '../mcp/clients.ts'

let journal: Journal
const text = (path: string): string => readFileSync(join(journal.root, path), 'utf8')

beforeEach(async () => {
  journal = await openJournal(scratch(), { actor: 'builder' })
})
afterEach(() => journal.close())

const SHAPES: ModuleSpec = {
  folder: 'src/shapes',
  message: 'shapes',
  values: { unit: 'cm' },
  templates: {
    shape: "export const {{name:camel}} = { name: '{{name}}', sides: {{sides}}, unit: '{{unit}}' }\n",
    test: "import { {{name:camel}} } from '../{{name:kebab}}.js'\nconsole.log({{name:camel}}.sides)\n",
  },
  files: [
    {
      path: '{{name:kebab}}.js',
      template: 'shape',
      each: [
        { name: 'circle', sides: 0 },
        { name: 'right triangle', sides: 3, unit: 'mm' },
      ],
    },
    { path: 'area.js', content: 'export const area = ({{a}}) => a\n'.replace('({{a}})', '(a)') },
    { path: 'icons/dot.png', base64: 'iVBORw==', index: false },
    { path: 'run.sh', content: '#!/bin/sh\n', mode: '755', index: false },
  ],
  tests: [{ path: 'test/{{name:kebab}}.test.js', template: 'test', each: [{ name: 'circle' }] }],
  index: { path: 'index.js', header: '// shapes\n' },
}

async function refusal(spec: unknown, options = {}) {
  return buildModule(journal, spec as ModuleSpec, options).then(
    () => Promise.reject(new Error('it was built')),
    (error: { code: string; message: string; details?: Record<string, unknown> }) => error,
  )
}

describe('a module', () => {
  test('is built from a spec, as one transaction', async () => {
    const report = await buildModule(journal, SHAPES)
    expect(text('src/shapes/circle.js')).toBe("export const circle = { name: 'circle', sides: 0, unit: 'cm' }\n")
    expect(text('src/shapes/right-triangle.js')).toContain(
      "rightTriangle = { name: 'right triangle', sides: 3, unit: 'mm' }",
    )
    expect(text('src/shapes/index.js')).toBe(
      "// shapes\nexport * from './circle.js'\nexport * from './right-triangle.js'\nexport * from './area.js'\n",
    )
    expect(readFileSync(join(journal.root, 'src/shapes/icons/dot.png'))).toEqual(Buffer.from('iVBORw==', 'base64'))
    if (process.platform !== 'win32') expect(statSync(join(journal.root, 'src/shapes/run.sh')).mode & 0o777).toBe(0o755)
    expect(report.files.map(({ path, from }) => [path.slice('src/shapes/'.length), from])).toEqual([
      ['circle.js', 'template shape'],
      ['right-triangle.js', 'template shape'],
      ['area.js', 'content'],
      ['icons/dot.png', 'content'],
      ['run.sh', 'content'],
      ['test/circle.test.js', 'test'],
      ['index.js', 'index'],
    ])
    const commit = await journal.show(1)
    expect([commit.message, commit.actor]).toEqual(['shapes', 'builder'])
    await journal.undo(1)
    expect(existsSync(join(journal.root, 'src'))).toBe(false)
  })

  test('with an index of another kind', async () => {
    await buildModule(journal, {
      folder: 'docs',
      files: [{ path: 'a/{{n}}.md', template: 't', each: [{ n: 'x' }, { n: 'y' }] }],
      templates: { t: '# {{n}}\n' },
      index: { path: 'list/README.md', line: '- [{{name}}]({{path}})', footer: 'end\n' },
    })
    expect(text('docs/list/README.md')).toBe('- [x](../a/x.md)\n- [y](../a/y.md)\nend\n')
    expect(
      (await refusal({ folder: 'd', files: [{ path: 'a', content: '' }], index: { path: 'x.rs' } })).message,
    ).toContain('how d/x.rs names a file')
  })

  test('is rehearsed', async () => {
    const report = await buildModule(journal, SHAPES, { dryRun: true })
    expect([report.receipt, report.check?.ok, report.files.length]).toEqual([null, true, 7])
    expect(existsSync(join(journal.root, 'src'))).toBe(false)
    const bad = { folder: 'x', files: [{ path: 'a.json', content: '{' }] }
    const { check } = await buildModule(journal, bad, { dryRun: true })
    expect(check?.ok).toBe(false)
    expect(await journal.resolve('head')).toBe(0)
  })

  test('with a file that is not sound is refused as a whole', async () => {
    const files = [
      { path: 'good.js', content: 'export const a = 1\n' },
      { path: 'bad.js', content: 'export const = 1\n' },
      { path: 'bad.json', content: '{' },
    ]
    const error = await refusal({ folder: 'm', files })
    expect(error.code).toBe('VALIDATION')
    const failures = (error.details?.failures ?? []) as { path: string }[]
    expect(failures.map(({ path }) => path).sort()).toEqual(['m/bad.js', 'm/bad.json'])
    expect(existsSync(join(journal.root, 'm'))).toBe(false)
    await buildModule(journal, { folder: 'm', files, validate: 'off' })
    expect(text('m/bad.json')).toBe('{')
  })

  test('does not write over what is there, unless told', async () => {
    await journal.write('src/shapes/area.js', 'mine\n')
    writeFileSync(join(journal.root, 'src/shapes/circle.js'), 'by hand\n')
    const error = await refusal(SHAPES)
    expect(error.code).toBe('EXISTS')
    expect(error.details?.existing).toEqual(['src/shapes/circle.js', 'src/shapes/area.js'])
    expect(text('src/shapes/area.js')).toBe('mine\n')
    const report = await buildModule(journal, SHAPES, { overwrite: true })
    expect(report.files.filter(({ overwritten }) => overwritten).map(({ path }) => path)).toEqual([
      'src/shapes/circle.js',
      'src/shapes/area.js',
    ])
    await journal.undo(await journal.resolve('head'))
    expect([text('src/shapes/area.js'), text('src/shapes/circle.js')]).toEqual(['mine\n', 'by hand\n'])
  })
})

describe('a spec that is none', () => {
  const file = { path: 'a.txt', content: 'x' }
  test.each<readonly [unknown, string, string]>([
    [null, 'INVALID', 'the spec is no object'],
    ['text', 'INVALID', 'the spec is no object'],
    [[], 'INVALID', 'the spec is no object'],
    [{ files: [file] }, 'INVALID', 'the spec has no folder'],
    [{ folder: 'm' }, 'INVALID', 'the spec has no files'],
    [{ folder: 'm', files: [] }, 'INVALID', 'files has nothing in it'],
    [{ folder: 'm', files: [file], file: 1 }, 'INVALID', 'the spec has "file", which means nothing'],
    [{ folder: 'm', files: [7] }, 'INVALID', 'files[0] is no object'],
    [{ folder: 'm', files: [{ path: 'a' }] }, 'INVALID', 'files[0] has no content'],
    [{ folder: 'm', files: [{ ...file, template: 't' }] }, 'INVALID', 'files[0] has content and template'],
    [{ folder: 'm', files: [{ path: 'a', template: 't' }] }, 'INVALID', 'files[0]: there is no template "t"'],
    [
      { folder: 'm', files: [{ path: 'a', template: 'toString' }] },
      'INVALID',
      'files[0]: there is no template "toString"',
    ],
    [{ folder: 'm', files: [{ path: 'a', base64: 'é' }] }, 'INVALID', 'files[0].base64 is "é", which does not fit'],
    [{ folder: 'm', files: [{ ...file, mode: '9' }] }, 'INVALID', 'files[0].mode is "9", which does not fit'],
    [{ folder: 'm', files: [{ ...file, each: {} }] }, 'INVALID', 'files[0].each is an object, which does not fit'],
    [{ folder: 'm', files: [file], tests: [{ path: '' }] }, 'INVALID', 'tests[0].path is "", which does not fit'],
    [{ folder: 'm', files: [file], validate: 'very' }, 'INVALID', 'the spec.validate is "very", which does not fit'],
    [{ folder: 'm', files: [file, file] }, 'INVALID', 'the spec asks for m/a.txt more than once'],
    [
      { folder: 'm', files: [{ ...file, path: '../a' }] },
      'PATH_OUTSIDE',
      '"../a" is not in the folder of the module, m',
    ],
    [
      { folder: 'm', files: [{ ...file, path: '/etc/a' }] },
      'PATH_OUTSIDE',
      '"/etc/a" is not in the folder of the module, m',
    ],
    [
      { folder: 'm', files: [{ ...file, path: '{{p}}', with: { p: 'x/../../y' } }] },
      'PATH_OUTSIDE',
      '"x/../../y" is not in the folder of the module, m',
    ],
    [{ folder: '../m', files: [file] }, 'PATH_OUTSIDE', ''],
    [{ folder: '.journal', files: [file] }, 'PATH_OUTSIDE', ''],
    [
      { folder: 'm', files: [{ path: '{{gone}}', content: '' }] },
      'INVALID',
      'files[0].path, line 1: {{gone}} has no value',
    ],
  ])('%j', async (spec, code, message) => {
    const error = await refusal(spec)
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
    expect(await journal.resolve('head')).toBe(0)
  })
})
