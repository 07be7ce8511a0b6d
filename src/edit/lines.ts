/** Lines of a text: where they begin and end, and how they end. A line ends with LF or CRLF; a CR alone ends none. */

export type LineEnd = '\n' | '\r\n'

/** The lines of a text. What stands behind the last line end is a line too, unless it is empty. Four bytes a line, whatever is in it. */
export class Lines {
  readonly text: string
  /** Offsets of their first characters. */
  readonly #starts: Uint32Array

  constructor(text: string) {
    this.text = text
    let count = text === '' || text.endsWith('\n') ? 0 : 1
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1
    this.#starts = new Uint32Array(count)
    for (let line = 1, at = text.indexOf('\n'); line < count; at = text.indexOf('\n', at + 1)) {
      this.#starts[line] = at + 1
      line += 1
    }
  }

  get count(): number {
    return this.#starts.length
  }

  /** Offset of the first character of a line, from 0; behind the last one: of the end. */
  from(line: number): number {
    return line < this.#starts.length ? (this.#starts[line] as number) : this.text.length
  }

  /** How a line ends; the last may not. */
  end(line: number): LineEnd | '' {
    const next = this.from(line + 1)
    if (this.text[next - 1] !== '\n') return ''
    return next - 2 >= this.from(line) && this.text[next - 2] === '\r' ? '\r\n' : '\n'
  }

  /** A line without its end. */
  at(line: number): string {
    return this.text.slice(this.from(line), this.from(line + 1) - this.end(line).length)
  }

  /** Lines without their ends, from one up to another, which is not among them. */
  range(from: number, to: number): string[] {
    const lines: string[] = []
    for (let line = from; line < Math.min(to, this.count); line += 1) lines.push(this.at(line))
    return lines
  }
}

/** How the line at `at` ends; where it is the last and has no end, how the one before does, or the nearest behind. `\n` when there are none. */
export function lineEndAt(text: string, at: number): LineEnd {
  const behind = text.indexOf('\n', at)
  const end = behind >= 0 ? behind : text.lastIndexOf('\n')
  return end > 0 && text[end - 1] === '\r' ? '\r\n' : '\n'
}

/** Which line ends a text has: `mixed` when both. `\n` when it has none. */
export function lineEndsOf(text: string): LineEnd | 'mixed' {
  let crlf = false
  let lf = false
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (at > 0 && text.charCodeAt(at - 1) === 13) crlf = true
    else lf = true
    if (crlf && lf) return 'mixed'
  }
  return crlf ? '\r\n' : '\n'
}

/** All line ends of a text made one. */
export function withLineEnds(text: string, end: LineEnd): string {
  const plain = text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text
  return end === '\n' ? plain : plain.replaceAll('\n', end)
}

/** The number, from 1, of the line in which an offset lies. `known`: an offset before it, and its number. */
export function lineNumber(text: string, at: number, known: readonly [at: number, line: number] = [0, 1]): number {
  let [from, line] = known
  for (from = text.indexOf('\n', from); from >= 0 && from < at; from = text.indexOf('\n', from + 1)) line += 1
  return line
}

/** First and last line of each part of a text, from 1; the parts in their order. A line end at the end of a part does not begin a line of it. */
export function lineSpans(text: string, parts: readonly { readonly from: number; readonly to: number }[]) {
  const spans: (readonly [number, number])[] = []
  let known: readonly [number, number] = [0, 1]
  for (const { from, to } of parts) {
    const first = lineNumber(text, from, known)
    known = [from, first]
    spans.push([first, lineNumber(text, Math.max(from, to - 1), known)])
  }
  return spans
}
