// Everything a terminal could take for a command: C0 and C1 controls, DEL, and the marks that reorder text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE_IN_TEXT = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g

function escaped(character: string): string {
  const code = character.charCodeAt(0)
  if (code === 10) return '\\n'
  if (code === 9) return '\\t'
  if (code === 13) return '\\r'
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
}

/** One line of text that cannot move the cursor: names and messages come from anybody. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped)
}

/** The same, for text of several lines: line ends and tabs stay. */
export function printableText(text: string): string {
  return text.replace(UNPRINTABLE_IN_TEXT, escaped)
}

/** The first line, made printable, with an ellipsis when there were more. */
export function headline(text: string): string {
  const end = text.search(/\r?\n/)
  return end === -1 ? printable(text) : `${printable(text.slice(0, end))} …`
}
