import { describe, expect, it } from 'vitest'
import { changedSettings } from '../../../src/edit/settings/changed-settings.ts'
import { jsonSettings } from '../../../src/edit/settings/json-settings.ts'
import { checkedSettings, type SettingChange } from '../../../src/edit/settings/setting-change.ts'
import { failure } from './failure.ts'

const change = (text: string, ...changes: SettingChange[]): Promise<string> =>
  changedSettings(text, checkedSettings('a.json', changes), 'a.json', jsonSettings)

const FILE = `// what it is
{
  "name": "x", // beside
  /* before */ "list": [1, 2, 3],
  "scripts": {
    "build": "b",

    // the tests
    "test": "t" // how
  },
  "inline": { "a": 1, "b": { } },
  "empty": {}
}
`

describe('JSON: a value that is set', () => {
  it('takes the place of the old one, and nothing else changes', async () => {
    expect(await change(FILE, { key: 'name', value: 'y' })).toBe(FILE.replace('"x"', '"y"'))
    expect(await change(FILE, { key: 'list[1]', value: null })).toBe(FILE.replace('1, 2, 3', '1, null, 3'))
    expect(await change(FILE, { key: ['scripts', 'test'], value: 'é"' })).toBe(FILE.replace('"t"', '"é\\""'))
    expect(await change(FILE, { key: 'inline.a', value: [1, { x: 2 }] })).toBe(
      FILE.replace('"a": 1', '"a": [1, { "x": 2 }]'),
    )
    expect(await change(FILE, { key: 'name', value: { a: [1] } })).toBe(
      FILE.replace('"x"', '{\n    "a": [\n      1\n    ]\n  }'),
    )
  })

  it('is added after the last, with its comma, its indentation, and what stands beside it left alone', async () => {
    expect(await change(FILE, { key: 'scripts.lint', value: 'l' })).toBe(
      FILE.replace('"t" // how', '"t", // how\n    "lint": "l"'),
    )
    expect(await change(FILE, { key: 'list[3]', value: 4 })).toBe(FILE.replace('2, 3', '2, 3, 4'))
    expect(await change(FILE, { key: 'inline.c', value: true })).toBe(FILE.replace('{ } }', '{ }, "c": true }'))
    expect(await change(FILE, { key: 'empty.a.b', value: 1 })).toBe(
      FILE.replace('{}\n}', '{\n    "a": {\n      "b": 1\n    }\n  }\n}'),
    )
    expect(await change('{"a":1,"b":[]}', { key: 'c', value: { d: [1] } })).toBe('{"a":1,"b":[],"c":{"d":[1]}}')
    expect(await change('{\r\n\t"a": 1\r\n}', { key: 'b', value: 2 })).toBe('{\r\n\t"a": 1,\r\n\t"b": 2\r\n}')
    expect(await change('{\n  "a": 1, // x\n}\n', { key: 'b', value: 2 })).toBe('{\n  "a": 1, // x\n  "b": 2,\n}\n')
    expect(await change('{\n  // none\n}\n', { key: 'b', value: 2 })).toBe('{\n  // none\n  "b": 2\n}\n')
    expect(await change('{}', { key: 'a', value: 1 })).toBe('{\n  "a": 1\n}')
    expect(await change('{"a": 1 // x\n}', { key: 'b', value: 2 })).toBe('{"a": 1, // x\n"b": 2\n}')
  })

  it('stays when it is that already', async () => {
    expect(await change('{"a": 1.0, "b": "\\u0041"}', { key: 'a', value: 1 }, { key: 'b', value: 'A' })).toBe(
      '{"a": 1.0, "b": "\\u0041"}',
    )
  })

  it('is written with escapes where the file has no others', async () => {
    expect(await change('{"a": "\\u00e9"}', { key: 'b', value: 'ü😀' })).toBe(
      '{"a": "\\u00e9", "b": "\\u00fc\\ud83d\\ude00"}',
    )
  })
})

describe('JSON: a table that is merged', () => {
  it('leaves what it does not name', async () => {
    expect(await change(FILE, { key: 'scripts', merge: { build: 'c', lint: 'l' } })).toBe(
      FILE.replace('"b"', '"c"').replace('"t" // how', '"t", // how\n    "lint": "l"'),
    )
    expect(await change(FILE, { key: [], merge: { inline: { a: 2 } } })).toBe(FILE.replace('"a": 1', '"a": 2'))
  })
})

describe('JSON: what is deleted', () => {
  it('goes with its line, its comma, and the comment beside it', async () => {
    expect(await change(FILE, { key: 'name', delete: true })).toBe(FILE.replace('  "name": "x", // beside\n', ''))
    expect(await change(FILE, { key: 'scripts.test', delete: true })).toBe(
      FILE.replace('"b",', '"b"').replace('    "test": "t" // how\n', ''),
    )
    expect(await change(FILE, { key: 'list[2]', delete: true })).toBe(FILE.replace(', 3', ''))
    expect(await change(FILE, { key: 'list[0]', delete: true })).toBe(FILE.replace('1, ', ''))
    expect(await change(FILE, { key: 'empty', delete: true })).toBe(FILE.replace('},\n  "empty": {}', '}'))
    expect(await change(FILE, { key: 'inline.b', delete: true })).toBe(FILE.replace(', "b": { }', ''))
    expect(await change('{\n  "a": 1\n}\n', { key: 'a', delete: true })).toBe('{}\n')
    expect(await change('{\n  "a": 1,\n  "b": 2,\n}\n', { key: 'b', delete: true })).toBe('{\n  "a": 1,\n}\n')
    expect(await change('{"a": 1, /* b */ "b": 2}', { key: 'b', delete: true })).toBe('{"a": 1 /* b */}')
    expect(await change('{"a": 1, "b": 2,\n "c": 3}', { key: 'b', delete: true })).toBe('{"a": 1,\n "c": 3}')
    expect(await change('{ "a": 1 }', { key: 'a', delete: true })).toBe('{}')
    expect(await change('{\n  "a": 1\n, "b": 2\n, "c": 3\n}', { key: 'b', delete: true })).toBe(
      '{\n  "a": 1\n, "c": 3\n}',
    )
  })
})

describe('JSON: what is refused', () => {
  it.each<[string, SettingChange, number, RegExp]>([
    ['{\n "a": 1 "b": 2 }', { key: 'a', value: 1 }, 2, /comma/],
    ['{\n "a": 01 }', { key: 'a', value: 1 }, 2, /not JSON/],
    ['', { key: 'a', value: 1 }, 1, /no value|missing/],
    ['{\n "a": 1,\n "a": 2 }', { key: 'a', value: 3 }, 2, /stands 2 times, at lines 2, 3/],
    ['{\n "a": 1 }', { key: 'a.b', value: 3 }, 2, /a is a single value/],
    ['{\n "a": [1] }', { key: 'a[2]', value: 3 }, 2, /no such place/],
    ['{\n "a": [1] }', { key: 'a.b', value: 3 }, 2, /no such place/],
    ['3', { key: 'a', value: 3 }, 1, /top level is a single/],
  ])('%j', async (text, one, line, message) => {
    const error = await failure(() => change(text, one))
    expect(error).toMatchObject({ code: 'INVALID', path: 'a.json', details: { line } })
    expect(error.message).toMatch(message)
  })

  it('is what is not there, and a list that begins in the middle', async () => {
    const error = await failure(() => change('{"a": {"b c": 1}}', { key: 'a.d', delete: true }))
    expect(error).toMatchObject({ code: 'INVALID', hint: expect.stringContaining('In a there are b c.') })
    expect((await failure(() => change('{}', { key: 'a[1]', value: 1 }))).message).toMatch(/no place 1/)
    expect((await failure(() => change('{"a": 1}', { key: 'a', merge: {} }))).message).toMatch(/no table/)
  })
})
