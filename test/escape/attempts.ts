import type { ErrorCode } from '../../src/index.ts'

/** `inside`: an ordinary name there, which may be written. */
export type Verdict = Extract<ErrorCode, 'PATH_OUTSIDE' | 'INVALID'> | 'inside'

export interface Attempt {
  readonly path: string
  readonly posix: Verdict
  readonly win32: Verdict
}

const out = 'PATH_OUTSIDE'
const bad = 'INVALID'
const inside = 'inside'

function rows(posix: Verdict, win32: Verdict, ...paths: string[]): Attempt[] {
  return paths.map((path) => ({ path, posix, win32 }))
}

/** Every attempt to get out, or into a journal, by a name alone. */
export const ATTEMPTS: Readonly<Record<string, readonly Attempt[]>> = {
  'two dots': [
    ...rows(out, out, '..', '../outside/file', './../outside/file', 'folder/../../outside/file', 'a/b/../../../c'),
    ...rows(out, out, '../ws/../outside/file', './/..//outside/file', 'folder/./../.././outside/file', '../ws/kept'),
    ...rows(inside, bad, '...', 'folder/....'),
    ...rows(bad, bad, 'folder/..', '.', './', './/.', 'folder/../'),
    ...rows(inside, inside, 'folder/../kept', './kept', 'folder//file', 'folder/...x', '..x', 'x..y'),
  ],
  'backslashes for slashes': [
    ...rows(inside, out, '..\\outside\\file', 'folder\\..\\..\\outside\\file', '\\outside', '\\\\host\\share\\file'),
    ...rows(inside, inside, 'folder\\file'),
    ...rows(out, out, '../outside\\file'),
  ],
  'absolute paths': [
    ...rows(out, out, '/', '/outside/file', '//outside/file', '/proc/self/cwd/x', '/../x'),
    ...rows(inside, out, 'C:\\outside', 'c:/outside/file', 'C:file', 'C:', '\\\\?\\C:\\file', '\\\\.\\PhysicalDrive0'),
    ...rows(inside, out, '\\\\?\\UNC\\host\\share', '\\??\\C:\\file'),
    ...rows(inside, out, 'a:b', 'a::$DATA'),
    ...rows(inside, inside, 'C', 'file', 'C-'),
  ],
  'other spellings of .journal': [
    ...rows(out, out, '.journal', '.journal/FORMAT', './.journal/LOCK', 'folder/../.journal/x', 'folder/.journal/x'),
    ...rows(out, out, '.JOURNAL/x', '.Journal/x', '.jOuRnAl', '.journal//x', 'nested/.journal/FORMAT'),
    ...rows(out, out, '.journal./x', '.journal ', '.journal . .', '.journal...', '.journal\u00a0', '.journal\u3000'),
    ...rows(
      out,
      out,
      '.journal::$DATA',
      '.journal:x',
      '.journal::$INDEX_ALLOCATION/x',
      '.JOURNAL:$I30:$INDEX_ALLOCATION',
    ),
    ...rows(out, out, 'JOURNA~1', 'journa~1/x', 'JOURNA~12', 'jo3f2a~1', 'JOABCD~1/x'),
    ...rows(
      out,
      out,
      '\uff0ejournal/x',
      '.\uff4aournal',
      '.j\u00baurnal',
      '.journ\u00aal',
      '.\ud835\udcd9ournal',
      '\u2024journal',
    ),
    ...rows(
      out,
      out,
      '.jour\u200bnal',
      '.jour\u200dnal',
      '\u200e.journal',
      '\u202e.journal',
      '.journal\ufe0f',
      '\ufeff.journal',
    ),
    ...rows(out, out, '.jou\u00adrnal', '.\u2060journal', '.journal\u{e0001}', '.jo\u034furnal', '.jour\u180enal'),
    ...rows(inside, inside, '.journals', 'journal', '.journal2', 'x.journal', '.journa', '.jоurnal', '.journаl'),
    ...rows(inside, inside, '.joürnal', 'journa~', 'journa~x', 'joxyzw~1', '.git/config', '.gitignore'),
    ...rows(inside, bad, ' .journal x ', '.journalx.'),
  ],
  'devices of Windows': [
    ...rows(inside, bad, 'CON', 'con', 'nul.txt', 'NUL', 'aux.', 'prn', 'COM1', 'com9.log', 'COM¹', 'LPT³', 'lpt1.a.b'),
    ...rows(inside, bad, 'folder/aux', 'aux/x', 'CONIN$', 'conout$', 'con .txt', 'NUL:', 'COM0'),
    ...rows(inside, inside, 'console', 'nulls', 'com', 'com10', 'auxiliary', 'xcon', 'lpt'),
  ],
  'what Windows allows in no name': [
    ...rows(inside, bad, 'ab:c', 'ab::$DATA', 'a<b', 'a>b', 'a"b', 'a|b', 'a?b', 'a*b', 'a\u0001b', 'a\tb', 'a\nb'),
    ...rows(inside, bad, 'a.', 'a ', 'a. .', 'folder./x', 'folder /x'),
    ...rows(inside, inside, 'a b', ' a', 'a.b', "a'b", 'a$b', 'a\u007f', 'a\u202eb'),
  ],
  'what no platform allows': [
    ...rows(bad, bad, '', 'a\0b', '\0', 'a\ud800', '\udc00/x', 'x'.repeat(256), 'é'.repeat(128), '../\0'),
    ...rows(bad, bad, Array(60).fill('y'.repeat(100)).join('/')),
  ],
}
