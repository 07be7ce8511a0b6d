import type { Finder } from '../findings.ts'

/**
 * What nearly all readers of INI files agree on: `[section]`, `key = value`, `key: value`, a key alone, comments with `;` or `#`, values that go on
 * on indented lines.
 */
export function parseIni(finder: Finder): void {
  let start = 0
  /** May the next indented line go on with a value? */
  let value = false
  for (const raw of finder.text.split('\n')) {
    const line = raw.replace(/\r$/, '')
    const indent = line.length - line.trimStart().length
    const text = line.trim()
    const at = start + indent
    start += raw.length + 1
    if (text === '' || text.startsWith(';') || text.startsWith('#')) continue
    if (indent > 0 && value) continue
    if (text.startsWith('[')) {
      value = false
      // A git section has its name in quotes, in which a bracket may stand.
      const [, name, rest] = /^\[((?:"(?:[^"\\]|\\.)*"|[^\]"])*)\](.*)$/.exec(text) ?? []
      if (name === undefined) finder.flaw(at, 'the name of the section is never closed with ]')
      else if (name.trim() === '') finder.flaw(at, 'the section has no name')
      else if (/^\s*[^;#\s]/.test(rest ?? '') && !/^\s*[\w.-]+\s*=/.test(rest ?? ''))
        finder.flaw(at + text.length - (rest ?? '').trimStart().length, 'unexpected text behind the name of a section')
      continue
    }
    value = true
    if (/^[=:]/.test(text)) finder.flaw(at, `expected a key before ${text[0]}`)
  }
}
