/** A part of a text, `from` to `to` in UTF-16 units, and what stands there instead. */
export interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** The text with every splice done. Those at one place are put in the order given. Overlapping ones are a defect of the caller. */
export function spliced(text: string, splices: readonly Splice[]): string {
  const parts: string[] = []
  let at = 0
  for (const { from, to, text: added } of splices.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (from < at || to < from || to > text.length) throw new RangeError(`splices overlap at ${from}`)
    parts.push(text.slice(at, from), added)
    at = to
  }
  return parts.join('') + text.slice(at)
}
