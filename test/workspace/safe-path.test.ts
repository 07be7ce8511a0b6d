import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJournalName } from '../../src/entry/path.ts'
import { JournalError } from '../../src/errors.ts'
import { ancestorsOf, joinPath, nameOf, parentOf, splitPath } from '../../src/workspace/safe-path.ts'

const split = (path: string, folder = false): string[] | string => {
  try {
    return splitPath('/ws', path, { folder })
  } catch (error) {
    expect(error).toBeInstanceOf(JournalError)
    return (error as JournalError).code
  }
}

describe('a path that a caller gives', () => {
  it.each([
    ['a', ['a']],
    ['./a//b/./c', ['a', 'b', 'c']],
    ['a/../b', ['b']],
    ['/ws/a', ['a']],
    ['/ws//a', ['a']],
    ['a b/ü', ['a b', 'ü']],
    ['-', ['-']],
    ['...', ['...']],
    ['a\\b', ['a\\b']],
  ])('%j', (path, names) => expect(split(path)).toEqual(names))

  it.each(['a/', 'a//', './a/'])('%j only where a folder is meant', (path) => {
    expect(split(path)).toBe('INVALID')
    expect(split(path, true)).toEqual(['a'])
  })

  it('whatever it is, stays inside or is refused', () =>
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom('..', '.', '', 'a', '.journal', 'b\0', '/', '/ws', '\u200b'), { maxLength: 8 })
          .map((parts) => parts.join('/')),
        (path) => {
          const names = split(path)
          if (typeof names === 'string') {
            expect(['INVALID', 'PATH_OUTSIDE']).toContain(names)
            return
          }
          expect(names.length).toBeGreaterThan(0)
          for (const name of names) {
            expect(name).not.toMatch(/^\.{0,2}$|\0|\//)
            expect(isJournalName(name)).toBe(false)
          }
        },
      ),
    ))
})

describe('names and folders', () => {
  it('come apart and together', () => {
    expect([parentOf('a/b/c'), nameOf('a/b/c'), parentOf('a'), nameOf('a')]).toEqual(['a/b', 'c', '', 'a'])
    expect([joinPath('', 'a'), joinPath('a', 'b')]).toEqual(['a', 'a/b'])
    expect(ancestorsOf('a/b/c')).toEqual(['a/b', 'a'])
    expect(ancestorsOf('a')).toEqual([])
  })
})
