import { describe, expect, test } from 'vitest'
import { headline, printable, printableText } from '../../src/cli/printable.ts'

describe('printable', () => {
  test('leaves nothing that moves a cursor, rings, or reorders text', () => {
    expect(printable('a\x1b[2Jb\x07c\x9bd\u202ee\nf\tg')).toBe('a\\x1b[2Jb\\x07c\\x9bd\\u202ee\\nf\\tg')
    expect(printable('grün — 漢字 🙂')).toBe('grün — 漢字 🙂')
  })

  test('keeps line ends and tabs of a text', () => {
    expect(printableText('a\n\tb\x1b\r\n')).toBe('a\n\tb\\x1b\\r\n')
  })

  test('takes the first line', () => {
    expect([headline('one'), headline('one\r\ntwo')]).toEqual(['one', 'one …'])
  })
})
