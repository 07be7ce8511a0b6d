import { describe, expect, it } from 'vitest'
import { changedSettings } from '../../../src/edit/settings/changed-settings.ts'
import { iniSettings } from '../../../src/edit/settings/ini-settings.ts'
import { checkedSettings, type SettingChange } from '../../../src/edit/settings/setting-change.ts'
import { failure } from './failure.ts'

const change = (text: string, ...changes: SettingChange[]): Promise<string> =>
  changedSettings(text, checkedSettings('a.ini', changes), 'a.ini', iniSettings)

const FILE = `; head
root = true

# about core
[core] ; beside
\teditor = vim   # mine
\tname: "Jo"
\tempty =
\tbare
[remote "origin"]
url=a=b
requires =
    one
    two

[core]
late = 1
`

describe('INI: a value that is set', () => {
  it.each<[string | string[], string | number | boolean, string, string]>([
    ['root', false, 'root = true', 'root = false'],
    ['other', 1, 'root = true\n', 'root = true\nother = 1\n'],
    ['core.editor', 'nano', 'vim   #', 'nano   #'],
    ['core.name', 'Al', '"Jo"', '"Al"'],
    ['core.name', 'a ; b', '"Jo"', '"a ; b"'],
    ['core.empty', 'x', 'empty =', 'empty = x'],
    ['core.bare', 'x', 'bare\n', 'bare = x\n'],
    ['core.new', 'x', 'late = 1\n', 'late = 1\nnew = x\n'],
    [['remote "origin"', 'url'], 'c', 'url=a=b', 'url=c'],
    [['remote "origin"', 'requires'], '\nthree', '    one\n    two', '    three'],
    [['remote "origin"', 'fetch'], 'f', '    two\n', '    two\nfetch = f\n'],
    ['new.key', 'v', 'late = 1\n', 'late = 1\n\n[new]\nkey = v\n'],
  ])('%j', async (key, value, before, after) => {
    expect(await change(FILE, { key, value })).toBe(FILE.replace(before, after))
  })

  it('goes where it belongs in files of other shapes', async () => {
    expect(await change('', { key: 'a', value: 1 })).toBe('a = 1\n')
    expect(await change('', { key: 'a.b', value: 1 })).toBe('[a]\nb = 1\n')
    expect(await change('[a]', { key: 'a.b', value: 1 })).toBe('[a]\nb = 1')
    expect(await change('; top\n\n# a\n[a]\r\nx=1', { key: 'k', value: 1 })).toBe('; top\n\nk=1\n\n# a\n[a]\r\nx=1')
    expect(await change('[a]\r\nx: 1\r\n', { key: 'b', merge: { y: 1, z: true } })).toBe(
      '[a]\r\nx: 1\r\n\r\n[b]\r\ny: 1\r\nz: true\r\n',
    )
    expect(await change('//host/:_token=abc\n', { key: ['//host/:_token'], value: 'x' })).toBe('//host/:_token=x\n')
    expect(await change('[a]\n x = 1\n y = 2\n', { key: 'a', value: { z: 3 } })).toBe('[a]\n z = 3\n')
  })
})

describe('INI: what is deleted', () => {
  it.each<[string | string[], string]>([
    ['root', 'root = true\n'],
    ['core.editor', '\teditor = vim   # mine\n'],
    ['core.bare', '\tbare\n'],
    [['remote "origin"', 'requires'], 'requires =\n    one\n    two\n'],
    [['remote "origin"'], FILE.slice(FILE.indexOf('[remote'), FILE.lastIndexOf('[core'))],
  ])('%j', async (key, gone) => {
    expect(await change(FILE, { key, delete: true })).toBe(FILE.replace(gone, ''))
  })

  it('is a section wherever it stands', async () => {
    expect(await change(FILE, { key: 'core', delete: true })).toBe(
      FILE.slice(0, FILE.indexOf('[core]')) + FILE.slice(FILE.indexOf('[remote'), FILE.lastIndexOf('\n[core')),
    )
    expect(await change('[a]\nb = 1', { key: 'a.b', delete: true })).toBe('[a]')
  })
})

describe('INI: what is refused', () => {
  it.each<[string, SettingChange, number, RegExp]>([
    ['a = 1\n[b\n', { key: 'a', value: 3 }, 2, /closing bracket/],
    ['a = 1\n= 2\n', { key: 'a', value: 3 }, 2, /without a key/],
    ['[s]\na = 1\na = 2\n', { key: 's.a', value: 3 }, 2, /stands 2 times, at lines 2, 3/],
    ['[s]\nAb = 1\n', { key: 's.ab', value: 3 }, 2, /is spelt Ab/],
    ['[s]\na = 1\n  b = 2\n', { key: 's.b', value: 3 }, 3, /may be part of a value/],
    ['[s]\na = 1\n', { key: 's.a.b', value: 3 }, 1, /s\.a is a single value/],
    ['[s]\na = 1\n', { key: 's', value: 3 }, 1, /is a section/],
    ['[s]\na = 1\n', { key: ['s', 'b=c'], value: 3 }, 1, /no key/],
    ['[s]\na = 1\n', { key: ['s]', 'b'], value: 3 }, 1, /no section/],
  ])('%j', async (text, one, line, message) => {
    const error = await failure(() => change(text, one))
    expect(error).toMatchObject({ code: 'INVALID', path: 'a.ini', details: { line } })
    expect(error.message).toMatch(message)
  })

  it.each([null, [1], 'a\nb', ' a', 'a ; b', '"a"', 'a\\', { b: { c: 1 } }])(
    '%j, which INI cannot say',
    async (value) => {
      expect(await failure(() => change('[s]\na = 1\n', { key: 's', merge: { x: value } }))).toMatchObject({
        code: 'INVALID',
      })
    },
  )
})
