/** Shorter texts are searched for as they are. */
const SHORTEST = 64

/**
 * Where a text stands in another one, in order, places that overlap too. A text that repeats itself takes no longer than any other: it is searched for
 * by its borders (Knuth, Morris and Pratt), since the usual search compares nearly all of it at each of its many places.
 */
export function occurrences(text: string, wanted: string): Iterable<number> {
  if (wanted.length < SHORTEST || wanted.length > text.length) return plainly(text, wanted)
  const borders = bordersOf(wanted)
  return (borders[wanted.length - 1] as number) * 2 < wanted.length
    ? plainly(text, wanted)
    : byBorders(text, wanted, borders)
}

function* plainly(text: string, wanted: string): Generator<number> {
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) yield at
}

function* byBorders(text: string, wanted: string, borders: Int32Array): Generator<number> {
  // Where nothing of it is, the usual search is much faster.
  const first = text.indexOf(wanted.slice(0, SHORTEST))
  if (first < 0) return
  let matched = 0
  for (let at = first; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    while (matched > 0 && wanted.charCodeAt(matched) !== code) matched = borders[matched - 1] as number
    if (wanted.charCodeAt(matched) === code) matched += 1
    if (matched < wanted.length) continue
    yield at + 1 - wanted.length
    matched = borders[matched - 1] as number
  }
}

/** For each beginning of a text, the length of the longest shorter beginning that it ends with. */
function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length)
  for (let at = 1, length = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    while (length > 0 && text.charCodeAt(length) !== code) length = borders[length - 1] as number
    if (text.charCodeAt(length) === code) length += 1
    borders[at] = length
  }
  return borders
}
