import type { Node, ParseError } from 'jsonc-parser'
import type { JournalError } from '../errors.ts'
import { checkNesting } from './nesting.ts'
import { invalidAt } from './place.ts'

export type { Node as JsonNode } from 'jsonc-parser'

/** By the numbers of jsonc-parser's `ParseErrorCode`. */
const PROBLEMS: readonly string[] = [
  'it cannot be read',
  'an unknown word',
  'a number that is none',
  'a key in double quotes is missing',
  'a value is missing',
  'a colon is missing',
  'a comma is missing',
  'a closing brace is missing',
  'a closing bracket is missing',
  'there is more after the end',
  'a comment, which this file may not have',
  'a comment without an end',
  'a text without an end',
  'a number without an end',
  'an escape \\u without four hexadecimal digits',
  'an unknown escape in a text',
  'a control character in a text',
]

/**
 * The tree of a JSON text, with the offsets of every value; `comments`: comments and trailing commas may stand in it.
 * @throws JournalError `INVALID` with the line
 */
export async function jsonTree(text: string, path: string, comments: boolean): Promise<Node> {
  checkNesting(text, path)
  const { parseTree } = await import('jsonc-parser')
  const problems: ParseError[] = []
  let root: Node | undefined
  try {
    root = parseTree(text, problems, { disallowComments: !comments, allowTrailingComma: comments })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw malformed(path, text, 0, 'it is nested too deeply')
  }
  const [first] = problems
  if (first !== undefined) throw malformed(path, text, first.offset, PROBLEMS[first.error] ?? 'it cannot be read')
  if (root === undefined) throw malformed(path, text, 0, 'there is no value in it')
  return root
}

function malformed(path: string, text: string, offset: number, what: string): JournalError {
  return invalidAt(path, text, offset, `this is not JSON: ${what}`, 'Correct the file first, as text.')
}

/** Where a node ends. */
export function endOf(node: Node): number {
  return node.offset + node.length
}

/** The properties of an object with this key: more than one when it stands there twice. */
export function propertiesOf(node: Node, key: string): Node[] {
  return (node.children ?? []).filter(({ children }) => children?.[0]?.value === key)
}

/** The value of a key of an object; of the last one, as everybody reads it, when it stands there twice. */
export function memberOf(node: Node, key: string): Node | undefined {
  return propertiesOf(node, key).at(-1)?.children?.[1]
}
