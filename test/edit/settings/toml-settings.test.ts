import { describe, expect, it } from 'vitest'
import { changedSettings } from '../../../src/edit/settings/changed-settings.ts'
import { checkedSettings, type SettingChange } from '../../../src/edit/settings/setting-change.ts'
import { tomlSettings } from '../../../src/edit/settings/toml-settings.ts'
import { failure } from './failure.ts'

const change = (text: string, ...changes: SettingChange[]): Promise<string> =>
  changedSettings(text, checkedSettings('a.toml', changes), 'a.toml', tomlSettings)

const FILE = `# head
title = "x"   # quoted
path = 'C:\\dir'
ratio = 1.5
when = 1979-05-27
a.b = 1

[package] # the package
name="p"
"odd key" = { x = 1, y.z = [1, 2] }
list = [
  "one", # first
  "two",
]

# about black
[tool.black]
line-length = 88
text = """
a
b"""

[[bin]]
name = "b1"

[bin.sub]
x = 1

[[bin]]
name = "b2" # last
`

describe('TOML: a value that is set', () => {
  it.each<[string, unknown, string, string]>([
    ['title', 'y"', '"x"', '"y\\""'],
    ['path', 'D:\\', "'C:\\dir'", "'D:\\'"],
    ['path', "it's", "'C:\\dir'", '"it\'s"'],
    ['ratio', 2, '1.5', '2.0'],
    ['when', 'never', '1979-05-27', '"never"'],
    ['a.b', [1, { c: 'd' }], 'a.b = 1', 'a.b = [1, { c = "d" }]'],
    ['a.c', true, 'a.b = 1\n', 'a.b = 1\na.c = true\n'],
    ['new', 1, 'a.b = 1\n', 'a.b = 1\nnew = 1\n'],
    [
      'package.version',
      '1',
      ', 2] }\nlist = [\n  "one", # first\n  "two",\n]\n',
      ', 2] }\nlist = [\n  "one", # first\n  "two",\n]\nversion = "1"\n',
    ],
    ['package."odd key".x', 5, 'x = 1,', 'x = 5,'],
    ['package."odd key".w', {}, '2] }', '2], w = {} }'],
    ['package."odd key".y.z[1]', 3, '[1, 2]', '[1, 3]'],
    ['package."odd key".y.z[2]', 3, '[1, 2]', '[1, 2, 3]'],
    ['package.list[2]', 'three', '"two",\n', '"two",\n  "three",\n'],
    ['tool.black.text', 'c\nd', '"""\na\nb"""', '"""\nc\nd"""'],
    ['tool.black.text', 'one', '"""\na\nb"""', '"one"'],
    [
      'tool.black.target',
      { version: 1 },
      '\n[[bin]]\nname = "b1"',
      '\n[tool.black.target]\nversion = 1\n\n[[bin]]\nname = "b1"',
    ],
    [
      'tool.ruff',
      { select: ['E'], lint: { x: 1 } },
      '\n[[bin]]\nname = "b1"',
      '\n[tool.ruff]\nselect = ["E"]\n\n[tool.ruff.lint]\nx = 1\n\n[[bin]]\nname = "b1"',
    ],
    ['tool.ruff.fix', false, '\n[[bin]]\nname = "b1"', '\n[tool.ruff]\nfix = false\n\n[[bin]]\nname = "b1"'],
    ['tool.x', 1, '\n[[bin]]\nname = "b1"', '\n[tool]\nx = 1\n\n[[bin]]\nname = "b1"'],
    ['bin[0].path', 'p', 'name = "b1"\n', 'name = "b1"\npath = "p"\n'],
    ['bin[0].sub.y', 2, 'x = 1\n\n[[bin]]', 'x = 1\ny = 2\n\n[[bin]]'],
    ['bin[0].other.y', 2, 'x = 1\n\n[[bin]]', 'x = 1\n\n[bin.other]\ny = 2\n\n[[bin]]'],
    ['bin[2]', { name: 'b3' }, '# last\n', '# last\n\n[[bin]]\nname = "b3"\n'],
    ['fresh.table', { k: 1 }, '# last\n', '# last\n\n[fresh.table]\nk = 1\n'],
    ['package', { only: 1 }, FILE.slice(FILE.indexOf('[package]'), FILE.indexOf('# about')), '[package]\nonly = 1\n\n'],
    ['tool', 'gone', FILE.slice(FILE.indexOf('[tool'), FILE.indexOf('[[bin')), ''],
  ])('%s', async (key, value, before, after) => {
    const text = await change(FILE, { key, value: value as string })
    if (key === 'tool') expect(text).toBe(FILE.replace(before, after).replace('a.b = 1\n', 'a.b = 1\ntool = "gone"\n'))
    else expect(text).toBe(FILE.replace(before, after))
  })

  it('goes where it belongs in files of other shapes', async () => {
    expect(await change('', { key: 'a', value: 1 })).toBe('a = 1\n')
    expect(await change('', { key: 'a.b', value: 1 })).toBe('[a]\nb = 1\n')
    expect(await change('[a]', { key: 'a.b', value: 1 })).toBe('[a]\nb = 1')
    expect(await change('# licence\n\n[a]\r\nx=1', { key: 'k', value: 1 })).toBe('# licence\n\nk = 1\n\n[a]\r\nx=1')
    expect(await change('# about a\n[a]\nx=1', { key: 'k', value: 1 })).toBe('# about a\nk = 1\n\n[a]\nx=1')
    expect(await change('x=1\r\n', { key: 'y', value: 2 }, { key: 't.u', value: 3 })).toBe(
      'x=1\r\ny=2\r\n\r\n[t]\r\nu = 3\r\n',
    )
    expect(await change('a = 1', { key: 't', merge: { u: 3 } })).toBe('a = 1\n\n[t]\nu = 3')
    expect(await change('[a]\n  x = 1\n', { key: 'a.y', value: 2 })).toBe('[a]\n  x = 1\n  y = 2\n')
    expect(await change('l = []\n', { key: 'l[0].x', value: 2 })).toBe('l = [{ x = 2 }]\n')
    expect(await change('l = [\n  1 # one\n]\n', { key: 'l[1]', value: 2 })).toBe('l = [\n  1, # one\n  2\n]\n')
  })

  it('stays when it is that already', async () => {
    expect(
      await change(FILE, { key: 'ratio', value: 1.5 }, { key: 'package."odd key"', value: { x: 1, y: { z: [1, 2] } } }),
    ).toBe(FILE)
  })
})

describe('TOML: what is deleted', () => {
  it.each<[string, string]>([
    ['title', 'title = "x"   # quoted\n'],
    ['a', 'a.b = 1\n'],
    ['package."odd key".x', 'x = 1, '],
    ['package."odd key".y', ', y.z = [1, 2]'],
    ['package."odd key".y.z[0]', '[1, '],
    ['package.list[0]', '  "one", # first\n'],
    ['package.list[1]', '  "two",\n'],
    ['package', FILE.slice(FILE.indexOf('[package]'), FILE.indexOf('# about'))],
    ['tool.black', FILE.slice(FILE.indexOf('[tool'), FILE.indexOf('[[bin'))],
    ['bin[0]', FILE.slice(FILE.indexOf('[[bin'), FILE.lastIndexOf('[[bin'))],
    ['bin[1]', FILE.slice(FILE.lastIndexOf('\n[[bin'))],
    ['bin', FILE.slice(FILE.indexOf('\n[[bin'))],
    ['bin[0].sub', '[bin.sub]\nx = 1\n\n'],
  ])('%s', async (key, gone) => {
    expect(await change(FILE, { key, delete: true })).toBe(FILE.replace(gone, gone.startsWith('[1') ? '[' : ''))
  })

  it('may be the last there is', async () => {
    expect(await change('a = 1\nb = 2', { key: 'b', delete: true })).toBe('a = 1')
    expect(await change('a = 1', { key: 'a', delete: true })).toBe('')
    expect(await change('[a]\nb = 1\n', { key: 'a.b', delete: true })).toBe('[a]\n')
    expect(await change('l = [1]\n', { key: 'l[0]', delete: true })).toBe('l = []\n')
  })
})

describe('TOML: what is refused', () => {
  it.each<[string, SettingChange, number, RegExp]>([
    ['a = 1\na = 2\n', { key: 'a', value: 3 }, 2, /multiple times/],
    ['a = 1\nb = [\n', { key: 'a', value: 3 }, 3, /not TOML/],
    ['a = 1\nb = 2\n', { key: 'b.c', value: 3 }, 2, /b is a single value/],
    ['\na = [1]\n', { key: 'a[3]', value: 3 }, 2, /no such place/],
    ['\n[[a]]\nb = 1\n', { key: 'a[2].b', value: 3 }, 2, /no such place/],
    ['\n[[a]]\nb = 1\n', { key: 'a[1]', value: 3 }, 2, /are tables/],
    ['a = 1', { key: 'b', value: { c: [null] } }, 1, /no null/],
  ])('%j', async (text, one, line, message) => {
    const error = await failure(() => change(text, one))
    expect(error).toMatchObject({ code: 'INVALID', path: 'a.toml', details: { line } })
    expect(error.message).toMatch(message)
  })
})
