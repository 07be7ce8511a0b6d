/** Contents larger than this are not compared line by line, in bytes. */
export const SHOWN_LIMIT = 4 * 1024 * 1024
/** Edits after which the search for a shortest difference is given up: its cost grows with their square. */
const EDIT_LIMIT = 3000
const CONTEXT = 3

/** The text of a content; null when it is binary: a NUL byte in it, or no valid UTF-8. */
export function textOf(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

/**
 * Unified format, three lines of context. A null side does not exist and is named `/dev/null`. When the sides have next to nothing in
 * common, everything between their common beginning and end is shown as replaced.
 */
export async function unifiedPatch(path: string, before: string | null, after: string | null): Promise<string> {
  const { FILE_HEADERS_ONLY, createTwoFilesPatch } = await import('diff')
  const from = before === null ? '/dev/null' : `a/${path}`
  const to = after === null ? '/dev/null' : `b/${path}`
  const options = { context: CONTEXT, headerOptions: FILE_HEADERS_ONLY, maxEditLength: EDIT_LIMIT }
  const patch = createTwoFilesPatch(from, to, before ?? '', after ?? '', undefined, undefined, options)
  return patch ?? wholePatch(from, to, before ?? '', after ?? '')
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? []
}

function wholePatch(from: string, to: string, before: string, after: string): string {
  const old = linesOf(before)
  const fresh = linesOf(after)
  let head = 0
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head += 1
  let tail = 0
  while (
    tail < Math.min(old.length, fresh.length) - head &&
    old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]
  )
    tail += 1
  const start = Math.max(0, head - CONTEXT)
  const trailing = Math.min(tail, CONTEXT)
  const parts = [`--- ${from}\n+++ ${to}\n`]
  const range = (length: number) => {
    const count = length - tail + trailing - start
    return `${count === 0 ? start : start + 1},${count}`
  }
  parts.push(`@@ -${range(old.length)} +${range(fresh.length)} @@\n`)
  const put = (sign: string, lines: readonly string[]) => {
    for (const line of lines) parts.push(sign, line, line.endsWith('\n') ? '' : '\n\\ No newline at end of file\n')
  }
  put(' ', old.slice(start, head))
  put('-', old.slice(head, old.length - tail))
  put('+', fresh.slice(head, fresh.length - tail))
  put(' ', old.slice(old.length - tail, old.length - tail + trailing))
  return parts.join('')
}
