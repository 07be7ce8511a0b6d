/** Something wrong in a text, where it is. */
export interface Flaw {
  readonly message: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 code units, as editors count. */
  readonly column: number
  /** The line, or the part of it around the column. */
  readonly excerpt: string
}

/** What a text names outside of itself. */
export interface Reference extends Flaw {
  readonly kind: 'module' | 'python' | 'link' | 'file'
  /** As it is written. */
  readonly target: string
}

/** What a parser says of a text. */
export interface Findings {
  readonly flaws: readonly Flaw[]
  /** How many more there are than are listed. */
  readonly omitted: number
  readonly references: readonly Reference[]
  /** Of a Markdown text: what a link may name behind `#`, in lower case. */
  readonly anchors?: readonly string[]
}

/** Flaws of one file that are listed; the rest is counted. */
export const MAX_FLAWS = 100
const EXCERPT = 160

/** Collects what a parser finds, and turns offsets into lines and columns. */
export class Finder {
  readonly text: string
  readonly #flaws: Flaw[] = []
  readonly #references: Reference[] = []
  readonly #seen = new Set<string>()
  #starts: number[] | null = null
  #omitted = 0
  anchors: string[] | undefined

  constructor(text: string) {
    this.text = text
  }

  get clean(): boolean {
    return this.#flaws.length === 0
  }

  /** `offset` in UTF-16 code units, from 0. */
  flaw(offset: number, message: string): void {
    // A parser that goes on may trip over the same thing again.
    const key = `${offset} ${message}`
    if (this.#seen.has(key)) return
    if (this.#flaws.length < MAX_FLAWS) {
      this.#seen.add(key)
      this.#flaws.push({ message, ...this.#place(offset) })
    } else this.#omitted += 1
  }

  /** At a line and a column from 1. */
  flawAt(line: number, column: number, message: string): void {
    this.flaw(this.offset(line, column), message)
  }

  reference(kind: Reference['kind'], target: string, offset: number): void {
    this.#references.push({ kind, target, message: '', ...this.#place(offset) })
  }

  /** Where a line begins, and a column in it; both from 1. */
  offset(line: number, column: number): number {
    const starts = this.#lines()
    const start = starts[Math.min(Math.max(line, 1), starts.length) - 1] as number
    return Math.min(start + Math.max(column, 1) - 1, this.text.length)
  }

  findings(): Findings {
    const anchors = this.anchors === undefined ? {} : { anchors: this.anchors }
    return {
      flaws: inOrder(this.#flaws),
      omitted: this.#omitted,
      references: inOrder(this.#references),
      ...anchors,
    }
  }

  #place(offset: number): Omit<Flaw, 'message'> {
    const at = Math.min(Math.max(offset, 0), this.text.length)
    const starts = this.#lines()
    let low = 0
    for (let high = starts.length; high - low > 1; ) {
      const middle = (low + high) >>> 1
      if ((starts[middle] as number) <= at) low = middle
      else high = middle
    }
    const start = starts[low] as number
    const end = low + 1 < starts.length ? (starts[low + 1] as number) : this.text.length
    return { line: low + 1, column: at - start + 1, excerpt: excerptOf(this.text.slice(start, end), at - start) }
  }

  /** Offsets at which lines begin. */
  #lines(): number[] {
    if (this.#starts !== null) return this.#starts
    const starts = [0]
    for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) starts.push(at + 1)
    this.#starts = starts
    return starts
  }
}

function inOrder<T extends Flaw>(found: readonly T[]): T[] {
  return [...found].sort((a, b) => a.line - b.line || a.column - b.column)
}

function excerptOf(line: string, column: number): string {
  const whole = line.replace(/[\r\n]+$/, '')
  if (whole.length <= EXCERPT) return whole.toWellFormed()
  const from = Math.max(0, Math.min(column - EXCERPT / 2, whole.length - EXCERPT))
  const end = from + EXCERPT < whole.length ? '…' : ''
  return `${from > 0 ? '…' : ''}${whole.slice(from, from + EXCERPT)}${end}`.toWellFormed()
}
