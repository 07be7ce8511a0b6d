import { describe, expect, it } from 'vitest'
import { JournalError } from '../../src/errors.ts'
import { resolvePath, type Waypoint } from '../../src/workspace/resolver.ts'

const dir: Waypoint = { kind: 'dir' }
const file: Waypoint = { kind: 'file' }
const link = (target: string): Waypoint => ({ kind: 'symlink', target })

const WORLD: Readonly<Record<string, Waypoint>> = {
  d: dir,
  'd/e': dir,
  'd/f': file,
  'd/e/up': link('../..'),
  'd/e/f': link('../f'),
  toFolder: link('d'),
  toFile: link('d/f'),
  twice: link('toFolder/e/f'),
  absolute: link('/ws/d/f'),
  'd/e/absolute': link('/ws/d/f'),
  missing: link('d/none'),
  slash: link('d/'),
  out: link('..'),
  'd/out': link('../../x'),
  outAbsolute: link('/etc/passwd'),
  beside: link('/ws2'),
  journal: link('.journal/log'),
  self: link('self'),
  ping: link('pong'),
  pong: link('ping'),
}

const at = (given: string, follow = true, folder = false): string => {
  try {
    return resolvePath('/ws', given, (path) => WORLD[path] ?? null, { follow, folder })
  } catch (error) {
    expect(error).toBeInstanceOf(JournalError)
    return (error as JournalError).code
  }
}

describe('where a path leads', () => {
  it('follows forty links, as Linux does, and no more', () => {
    const chain = (path: string): Waypoint => {
      const number = Number(path.slice(1))
      return number === 0 ? { kind: 'file' } : { kind: 'symlink', target: `l${number - 1}` }
    }
    expect(resolvePath('/ws', 'l40', chain, { follow: true })).toBe('l0')
    expect(() => resolvePath('/ws', 'l41', chain, { follow: true })).toThrow(/form a loop/)
  })

  it.each([
    ['d/f', 'd/f'],
    ['new/deep', 'new/deep'],
    ['toFolder/f', 'd/f'],
    ['toFile', 'd/f'],
    ['twice', 'd/f'],
    ['absolute', 'd/f'],
    ['d/e/absolute', 'd/f'],
    ['missing', 'd/none'],
    ['slash/f', 'd/f'],
    ['d/e/up/toFile', 'd/f'],
    ['toFolder/e/up/d/e/f', 'd/f'],
  ])('%s to %s', (given, expected) => expect(at(given)).toBe(expected))

  it('does not follow the last name unless asked', () => {
    expect(at('toFile', false)).toBe('toFile')
    expect(at('toFolder/e/f', false)).toBe('d/e/f')
    expect(at('outAbsolute', false)).toBe('outAbsolute')
  })

  it.each(['out', 'out/x', 'd/out', 'outAbsolute', 'outAbsolute/x', 'beside/x', 'journal', 'journal/x', 'd/e/up'])(
    '%s: nowhere',
    (given) => expect(at(given)).toBe('PATH_OUTSIDE'),
  )

  it.each(['self', 'ping', 'self/x', 'pong/x', 'd/f/below', 'toFile/below'])('%s: makes no sense', (given) =>
    expect(at(given)).toBe('INVALID'),
  )
})
