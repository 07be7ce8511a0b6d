import { describe, expect, it } from 'vitest'
import { JournalError } from '../../src/errors.ts'
import { resolvePath, type Waypoint } from '../../src/workspace/resolver.ts'
import { splitPath } from '../../src/workspace/safe-path.ts'
import { ATTEMPTS } from './attempts.ts'

function verdict(action: () => unknown): string {
  try {
    action()
    return 'inside'
  } catch (error) {
    expect(error).toBeInstanceOf(JournalError)
    expect((error as JournalError).hint).not.toBe('')
    return (error as JournalError).code
  }
}

const ROOTS = { linux: '/ws', darwin: '/ws', win32: 'C:\\ws' } as const

describe.each(Object.entries(ATTEMPTS))('%s', (_, attempts) => {
  it.each(attempts)('$path', ({ path, posix, win32 }) => {
    const nothing = () => null
    for (const [platform, root] of Object.entries(ROOTS)) {
      const expected = platform === 'win32' ? win32 : posix
      // A drive letter that is the workspace's own, or an absolute path, depends on where that is.
      expect(
        verdict(() => splitPath(root, path, { platform })),
        platform,
      ).toBe(expected)
      expect(
        verdict(() => resolvePath(root, path, nothing, { follow: true, platform })),
        platform,
      ).toBe(expected)
    }
  })
})

describe('on Windows', () => {
  const look =
    (links: Readonly<Record<string, string>>) =>
    (path: string): Waypoint =>
      path in links ? { kind: 'symlink', target: links[path] as string } : path === 'folder' ? { kind: 'dir' } : null
  const at = (path: string, target: string): string => {
    try {
      return resolvePath('C:\\ws', path, look({ link: target }), { follow: true, platform: 'win32' })
    } catch (error) {
      return (error as JournalError).code
    }
  }

  it.each([
    ['..\\outside', 'PATH_OUTSIDE'],
    ['folder\\..\\..\\outside', 'PATH_OUTSIDE'],
    ['C:\\outside', 'PATH_OUTSIDE'],
    ['C:\\ws2', 'PATH_OUTSIDE'],
    ['\\outside', 'PATH_OUTSIDE'],
    ['\\\\host\\share', 'PATH_OUTSIDE'],
    ['\\\\?\\C:\\outside', 'PATH_OUTSIDE'],
    ['.JOURNAL\\log', 'PATH_OUTSIDE'],
    ['folder\\JOURNA~1', 'PATH_OUTSIDE'],
    ['nul', 'INVALID'],
    ['folder\\a:b', 'INVALID'],
    ['folder\\', 'folder/x'],
    ['C:\\ws\\folder', 'folder/x'],
    ['C:/ws/folder', 'folder/x'],
  ])('a symbolic link to %s', (target, expected) => expect(at('link/x', target)).toBe(expected))

  it.each([
    ['C:\\ws\\folder\\a', ['folder', 'a']],
    ['C:/ws/a', ['a']],
    ['folder\\a', ['folder', 'a']],
  ])('%s is inside', (path, names) => expect(splitPath('C:\\ws', path, { platform: 'win32' })).toEqual(names))
})
