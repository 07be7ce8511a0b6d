import { describe, expect, it } from 'vitest'
import { changedSettings } from '../../../src/edit/settings/changed-settings.ts'
import { checkedSettings, type SettingChange } from '../../../src/edit/settings/setting-change.ts'
import { yamlSettings } from '../../../src/edit/settings/yaml-settings.ts'
import { failure } from './failure.ts'

const change = (text: string, ...changes: SettingChange[]): Promise<string> =>
  changedSettings(text, checkedSettings('a.yml', changes), 'a.yml', yamlSettings)

const FILE = `# head
version: "3"   # quoted
services:
  web: &web
    image: 'nginx'
    ports:
      - 80:80
      - name: x # first
        n: 1

    # about env
    env: {A: 1, B: [x, y]} # flow
  db:
    <<: *web
    image: pg
script: |  # how
  line
  two

empty:
tagged: !secret s
anchored: &a value
list:
- a
-  b  # two
# tail
`

describe('YAML: a value that is set', () => {
  it.each<[SettingChange, string | RegExp, string]>([
    [{ key: 'version', value: '4' }, '"3"', '"4"'],
    [{ key: 'version', value: 4 }, '"3"', '4'],
    [{ key: 'services.web.image', value: '7' }, "'nginx'", "'7'"],
    [{ key: 'services.web.ports[0]', value: 'yes' }, '80:80', '"yes"'],
    [{ key: 'services.web.ports[1].n', value: null }, 'n: 1', 'n: null'],
    [{ key: 'services.web.ports[1].name', value: [1] }, 'name: x # first', 'name: # first\n          - 1'],
    [{ key: 'services.web.env.A', value: { b: 'c, d' } }, 'A: 1', 'A: {b: "c, d"}'],
    [{ key: 'services.web.env', value: { C: 1 } }, '{A: 1, B: [x, y]}', '{C: 1}'],
    [{ key: 'services.web.env', value: 7 }, '{A: 1, B: [x, y]}', '7'],
    [{ key: 'services.db.image', value: { a: { b: 1 } } }, 'image: pg', 'image:\n      a:\n        b: 1'],
    [{ key: 'services.web.ports', value: 'none' }, /ports:\n[^#]*# first\n {8}n: 1/, 'ports: none'],
    [{ key: 'script', value: 'one' }, '|  # how\n  line\n  two', 'one  # how'],
    [{ key: 'script', value: 'a\nb' }, '|  # how\n  line\n  two', '|-  # how\n  a\n  b'],
    [{ key: 'empty', value: 1 }, 'empty:', 'empty: 1'],
    [{ key: 'empty', value: ['x'] }, 'empty:', 'empty:\n  - x'],
    [{ key: 'empty.a', value: 1 }, 'empty:', 'empty:\n  a: 1'],
    [{ key: 'anchored', value: 'v' }, '&a value', '&a v'],
    [{ key: 'anchored', value: { b: 1 } }, '&a value', '&a\n  b: 1'],
    [{ key: 'list[0]', value: { c: 1, d: 2 } }, '- a', '- c: 1\n  d: 2'],
    [{ key: 'list', value: 5 }, 'list:\n- a\n-  b  # two', 'list: 5'],
    [{ key: 'services.db.<<', value: 1 }, '*web', '1'],
  ])('%j', async (one, before, after) => {
    expect(await change(FILE, one)).toBe(FILE.replace(before, after))
  })

  it('is refused where the blanks after a dash are not those of what would come below it', async () => {
    expect(await failure(() => change(FILE, { key: 'list[1]', value: { c: 1, d: 2 } }))).toMatchObject({
      code: 'INVALID',
    })
  })

  it('is quoted as the file quotes', async () => {
    expect(await change("a: 'b'\n", { key: 'c', value: 'yes' })).toBe("a: 'b'\nc: 'yes'\n")
  })

  it('is added after the last of its table or list', async () => {
    expect(await change(FILE, { key: 'services.web.tty', value: true })).toBe(
      FILE.replace('# flow\n', '# flow\n    tty: true\n'),
    )
    expect(await change(FILE, { key: 'services.web.env.C', value: 'z' })).toBe(FILE.replace('y]}', 'y], C: z}'))
    expect(await change(FILE, { key: 'services.web.ports[2]', value: '81:81' })).toBe(
      FILE.replace('n: 1\n', 'n: 1\n      - 81:81\n'),
    )
    expect(await change(FILE, { key: 'list[2]', value: { x: [1], z: 'a\nb\n' } })).toBe(
      FILE.replace('# two\n', '# two\n- x:\n    - 1\n  z: |\n    a\n    b\n'),
    )
    expect(await change(FILE, { key: 'new.deep', value: 1 })).toBe(FILE.replace('# two\n', '# two\nnew:\n  deep: 1\n'))
    expect(await change('a: 1', { key: 'b', value: 2 })).toBe('a: 1\nb: 2')
    expect(await change('a:\r\n    b: 1\r\n', { key: 'a.c.d', value: 2 })).toBe(
      'a:\r\n    b: 1\r\n    c:\r\n        d: 2\r\n',
    )
    expect(await change('a: {}\n', { key: 'a.b', value: 2 })).toBe('a: { b: 2 }\n')
    expect(await change('a: [\n  1,\n  2,\n]\n', { key: 'a[2]', value: 3 })).toBe('a: [\n  1,\n  2,\n  3,\n]\n')
  })

  it('is the first of a file that says nothing', async () => {
    expect(await change('', { key: 'a.b', value: 2 })).toBe('a:\n  b: 2\n')
    expect(await change('# only\n', { key: 'a', value: [1] })).toBe('# only\na:\n  - 1\n')
    expect(await change('---\n# only', { key: 'a', value: 'b' })).toBe('---\n# only\na: b')
  })

  it('stays when it is that already', async () => {
    expect(await change(FILE, { key: 'version', value: '3' }, { key: 'services.web.env.B', value: ['x', 'y'] })).toBe(
      FILE,
    )
  })
})

describe('YAML: what is deleted', () => {
  it.each<[string, string | RegExp, string]>([
    ['version', /version.*\n/, ''],
    ['services.web.ports[1].name', 'name: x # first\n        ', ''],
    ['services.web.ports[1].n', '        n: 1\n', ''],
    ['services.web.ports[0]', '      - 80:80\n', ''],
    ['services.web.env.A', 'A: 1, ', ''],
    ['services.web.env.B', ', B: [x, y]', ''],
    ['services.db', / {2}db:\n.*\n.*pg\n/, ''],
    ['script', /script[\s\S]*?two\n/, ''],
    ['tagged', 'tagged: !secret s\n', ''],
    ['list', /list:\n.*\n.*\n/, ''],
    ['list[1]', /- {2}b.*\n/, ''],
  ])('%s', async (key, before, after) => {
    expect(await change(FILE, { key, delete: true })).toBe(FILE.replace(before, after))
  })

  it('leaves an empty table or list where it was the last', async () => {
    expect(await change('a:\n  b: 1 # x\nc: 2\n', { key: 'a.b', delete: true })).toBe('a: {}\nc: 2\n')
    expect(await change('a:\n  - b: 1\n', { key: 'a[0].b', delete: true })).toBe('a:\n  - {}\n')
    expect(await change('a:\n- 1\n', { key: 'a[0]', delete: true })).toBe('a: []\n')
    expect(await change('a: 1\n', { key: 'a', delete: true })).toBe('{}\n')
    expect(await change('a: 1\nb: 2', { key: 'b', delete: true })).toBe('a: 1')
    expect(await change('a: { b: 1 }\n', { key: 'a.b', delete: true })).toBe('a: {}\n')
  })
})

describe('YAML: several documents', () => {
  const text = 'a: 1\n---\nb: 2\n...\n---\nc: 3'
  const inDocument = (document: number | undefined, ...changes: SettingChange[]) =>
    changedSettings(text, checkedSettings('a.yml', changes), 'a.yml', yamlSettings, document)

  it('are told apart by their number', async () => {
    expect(await inDocument(1, { key: 'd', value: 1 })).toBe('a: 1\n---\nb: 2\nd: 1\n...\n---\nc: 3')
    expect(await inDocument(0, { key: 'a', delete: true })).toBe('{}\n---\nb: 2\n...\n---\nc: 3')
    expect(await inDocument(2, { key: 'd', value: 1 })).toBe('a: 1\n---\nb: 2\n...\n---\nc: 3\nd: 1')
  })

  it('need it', async () => {
    expect((await failure(() => inDocument(undefined, { key: 'a', value: 1 }))).message).toMatch(/has 3 documents/)
    expect(await failure(() => inDocument(3, { key: 'a', value: 1 }))).toMatchObject({ code: 'INVALID' })
  })
})

describe('YAML: what is refused', () => {
  it.each<[string, SettingChange, number, RegExp]>([
    ['a: 1\na: 2\n', { key: 'a', value: 3 }, 2, /unique/],
    ['a: 1\nb: [\n', { key: 'a', value: 3 }, 3, /not YAML/],
    ['a: 1\nb: 2\n', { key: 'b.c', value: 3 }, 2, /b is a single value/],
    ['a: &x\n  b: 1\nc: *x\n', { key: 'c.b', value: 3 }, 3, /c is the alias \*x/],
    ['a:\nb: !t 2\n', { key: 'b', value: 3 }, 2, /tag/],
    ['a:\n  - 1\n', { key: 'a[3]', value: 3 }, 2, /no such place/],
    ['- a: 1\n  # about b\n  b: 2\n', { key: '[0].a', delete: true }, 1, /comments/],
  ])('%j', async (text, one, line, message) => {
    const error = await failure(() => change(text, one))
    expect(error).toMatchObject({ code: 'INVALID', path: 'a.yml', details: { line } })
    expect(error.message).toMatch(message)
  })

  it('is what other parts of the file stand on', async () => {
    expect(await failure(() => change('a: &x 1\nb: *x\n', { key: 'a', delete: true }))).toMatchObject({
      code: 'INVALID',
    })
    expect((await failure(() => change('a: '.repeat(3), { key: 'a', value: 1 }))).code).toBe('INVALID')
    expect((await failure(() => change('['.repeat(50_000), { key: 'a', value: 1 }))).code).toBe('INVALID')
  })
})
