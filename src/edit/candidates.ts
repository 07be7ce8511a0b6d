/** Places in a text that are nearest to one that does not stand in it, as small diffs. */

export interface Candidate {
  /** Of its first line, from 1. */
  readonly line: number
  /** The lines that stand there. */
  readonly text: string
  /** Lines of both: `-` asked for, `+` there, a blank before those that are the same. */
  readonly diff: string
}

/** How alike a place must be to be named, 0 to 1. */
const LIKELY = 0.5
const CLOSE = 0.4
const MOST = 3
/** Lines of what was asked for that are looked at. */
const ASKED = 60
/** Places that are compared line by line. */
const COMPARED = 16
/** Characters of a line that are looked at, and shown. */
const WIDTH = 200
/** Characters of a text that are looked through. */
const REACH = 4 * 1024 * 1024

export function candidatesOf(text: string, oldText: string): Candidate[] {
  const asked = cutLines(oldText)
  if (asked.length > 1 && asked.at(-1) === '') asked.pop()
  asked.splice(ASKED)
  if (asked.every((line) => line.trim() === '')) return []
  const lines = cutLines(text.slice(0, REACH))
  const starts = [...startsByLines(lines, asked), ...startsByWords(lines, asked)]
  const found = [...new Set(starts)].slice(0, COMPARED).map((start) => {
    const standing = lines.slice(start, start + asked.length)
    const score = asked.reduce((sum, line, index) => sum + closeness(line, standing[index] ?? ''), 0) / asked.length
    return { start, standing, score }
  })
  return found
    .filter(({ score }) => score >= CLOSE)
    .sort((a, b) => b.score - a.score || a.start - b.start)
    .slice(0, MOST)
    .map(({ start, standing }) => ({
      line: start + 1,
      text: standing.join('\n'),
      diff: diffOf(asked, standing),
    }))
}

function cutLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => (line.length > WIDTH ? `${line.slice(0, WIDTH)}…` : line))
}

/** Where most lines stand as they were asked for, but for blanks around them. */
function startsByLines(lines: readonly string[], asked: readonly string[]): number[] {
  const wanted = new Map<string, number[]>()
  for (const [index, line] of asked.entries()) {
    const key = line.trim()
    if (key !== '') wanted.set(key, [...(wanted.get(key) ?? []), index])
  }
  const votes = new Map<number, number>()
  for (const [at, line] of lines.entries()) {
    for (const index of wanted.get(line.trim()) ?? []) {
      if (at >= index) votes.set(at - index, (votes.get(at - index) ?? 0) + 1)
    }
  }
  return [...votes]
    .sort(([a, first], [b, second]) => second - first || a - b)
    .slice(0, COMPARED / 2)
    .map(([start]) => start)
}

/** Where a line stands that shares most words with the longest one that was asked for. */
function startsByWords(lines: readonly string[], asked: readonly string[]): number[] {
  const longest = asked.reduce(
    (best, line, index) => (line.trim().length > (asked[best] ?? '').trim().length ? index : best),
    0,
  )
  const wanted = asked[longest] as string
  return lines
    .map((line, at) => ({ start: at - longest, score: at < longest ? 0 : likeness(line, wanted) }))
    .filter(({ score }) => score >= LIKELY)
    .sort((a, b) => b.score - a.score)
    .slice(0, COMPARED / 2)
    .map(({ start }) => start)
}

/** Share of the words of two lines that they have in common, 0 to 1. */
function likeness(a: string, b: string): number {
  const [first, second] = [a.trim(), b.trim()]
  if (first === second) return 1
  const words = new Set(first.split(/\W+/).filter(Boolean))
  const others = new Set(second.split(/\W+/).filter(Boolean))
  if (words.size === 0 || others.size === 0) return 0
  let common = 0
  for (const word of words) if (others.has(word)) common += 1
  return (2 * common) / (words.size + others.size)
}

/** The same, with the pairs of characters that they have in common: it tells apart what shares no more words. */
function closeness(a: string, b: string): number {
  const [first, second] = [a.trim(), b.trim()]
  if (first === second) return 1
  const pairs = new Set<string>()
  for (let at = 1; at < first.length; at += 1) pairs.add(first.slice(at - 1, at + 1))
  const others = new Set<string>()
  for (let at = 1; at < second.length; at += 1) others.add(second.slice(at - 1, at + 1))
  if (pairs.size === 0 || others.size === 0) return 0
  let common = 0
  for (const pair of pairs) if (others.has(pair)) common += 1
  return (likeness(a, b) + (2 * common) / (pairs.size + others.size)) / 2
}

/** Two short lists of lines, with what is common to both in order once (longest common subsequence). */
export function diffOf(asked: readonly string[], standing: readonly string[]): string {
  const width = standing.length + 1
  const common = new Uint32Array((asked.length + 1) * width)
  for (let a = asked.length - 1; a >= 0; a -= 1) {
    for (let b = standing.length - 1; b >= 0; b -= 1) {
      const at = a * width + b
      common[at] =
        asked[a] === standing[b]
          ? (common[at + width + 1] as number) + 1
          : Math.max(common[at + width] as number, common[at + 1] as number)
    }
  }
  const lines: string[] = []
  let [a, b] = [0, 0]
  while (a < asked.length || b < standing.length) {
    const at = a * width + b
    if (a < asked.length && b < standing.length && asked[a] === standing[b]) {
      lines.push(` ${asked[a]}`)
      a += 1
      b += 1
    } else if (
      a < asked.length &&
      (b === standing.length || (common[at + width] as number) >= (common[at + 1] as number))
    ) {
      lines.push(`-${asked[a]}`)
      a += 1
    } else {
      lines.push(`+${standing[b]}`)
      b += 1
    }
  }
  return lines.join('\n')
}
