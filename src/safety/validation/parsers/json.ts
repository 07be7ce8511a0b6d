import type { ParseError } from 'jsonc-parser'
import { Finder } from '../findings.ts'

const MESSAGES: Readonly<Record<string, string>> = {
  InvalidSymbol: 'unexpected word',
  InvalidNumberFormat: 'this is no number',
  PropertyNameExpected: 'expected the name of a property in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected a colon',
  CommaExpected: 'expected a comma',
  CloseBraceExpected: 'expected a closing brace',
  CloseBracketExpected: 'expected a closing bracket',
  EndOfFileExpected: 'expected the end of the file',
  InvalidCommentToken: 'comments are not allowed in JSON',
  UnexpectedEndOfComment: 'the comment is never closed',
  UnexpectedEndOfString: 'the string is never closed',
  UnexpectedEndOfNumber: 'the number is not finished',
  InvalidUnicode: 'expected four hex digits behind \\u',
  InvalidEscapeCharacter: 'there is no such escape',
  InvalidCharacter: 'this character must be escaped in a string',
}

const MAX_DEPTH = 5000
const QUOTE = 0x22
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Keys whose relative values name other files. */
const NAMING = new Set(['$ref', 'extends'])

export async function parseJson(finder: Finder, comments: boolean, wantReferences: boolean): Promise<void> {
  const { text } = finder
  const deep = tooDeepAt(text)
  if (deep >= 0) return finder.flaw(deep, `it is nested more than ${MAX_DEPTH} levels deep`)
  if (!comments && isJson(text)) return wantReferences ? names(finder) : undefined
  const { parse, printParseErrorCode } = await import('jsonc-parser')
  const errors: ParseError[] = []
  // What VS Code and TypeScript read allows a comma behind the last element too.
  parse(text, errors, { disallowComments: !comments, allowTrailingComma: comments, allowEmptyContent: false })
  for (const { error, offset } of errors) {
    const code = printParseErrorCode(error)
    finder.flaw(offset, MESSAGES[code] ?? code)
  }
  // Both parsers must agree before a text is taken for JSON.
  if (!comments && errors.length === 0) finder.flaw(...judged(text))
  if (errors.length === 0 && wantReferences) await names(finder)
}

/** A value a line. */
export async function parseJsonLines(finder: Finder): Promise<void> {
  let start = 0
  for (const line of finder.text.split('\n')) {
    if (line.trim() !== '' && (tooDeepAt(line) >= 0 || !isJson(line))) {
      const own = new Finder(line)
      await parseJson(own, false, false)
      const [first] = own.findings().flaws
      finder.flaw(start + (first?.column ?? 1) - 1, first?.message ?? 'the line is no JSON')
    }
    start += line.length + 1
  }
}

/** Where a text goes deeper than anybody reads; -1: nowhere. The engine's own parser takes memory for each level, and no limit is set to it. */
function tooDeepAt(text: string): number {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      depth += 1
      if (depth > MAX_DEPTH) return at
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth -= 1
    else if (code === QUOTE) {
      const end = endOfString(text, at)
      if (end < 0) return -1
      at = end
    }
  }
  return -1
}

/** The quote that closes a string; -1: it is never closed. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return end
  }
  return -1
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function judged(text: string): [at: number, message: string] {
  try {
    JSON.parse(text)
  } catch (error) {
    const { message } = error as Error
    const at = / at position (\d+)/.exec(message)?.[1]
    return [at === undefined ? text.length : Number(at), message.replace(/ (in JSON )?at position .*$/s, '')]
  }
  return [0, 'this is no JSON']
}

/** Relative names of other files. */
async function names(finder: Finder): Promise<void> {
  const { text } = finder
  if (!text.includes('"$ref"') && !text.includes('"extends"')) return
  const { visit } = await import('jsonc-parser')
  let key = ''
  visit(text, {
    onObjectProperty: (name) => {
      key = name
    },
    onArrayEnd: () => {
      key = ''
    },
    onLiteralValue: (value, offset) => {
      if (NAMING.has(key) && typeof value === 'string' && /^\.\.?\//.test(value))
        finder.reference('file', value, offset)
    },
  })
}
