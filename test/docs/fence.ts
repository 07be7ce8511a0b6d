/** A fenced block of a Markdown page. Lines count from 0. */
export interface Fence {
  readonly language: string
  readonly lines: readonly string[]
  /** Of the first line inside the fence. */
  readonly start: number
}

/** All fenced blocks of a page, in order. */
export function fencesOf(page: string): Fence[] {
  const fences: Fence[] = []
  let open: { language: string; start: number; lines: string[] } | null = null
  for (const [at, line] of page.split('\n').entries()) {
    const [, language] = /^```(\S*)/.exec(line) ?? []
    if (language === undefined) open?.lines.push(line)
    else if (open === null) open = { language, start: at + 1, lines: [] }
    else {
      fences.push(open)
      open = null
    }
  }
  if (open !== null) throw new Error(`The fence at line ${open.start} is never closed`)
  return fences
}

/** A piece of a page that can be run, and what the page says it prints. */
export interface Example {
  readonly kind: 'console' | 'module'
  readonly source: string
  readonly printed: readonly string[]
  /** Where the printed lines stand in the page. */
  readonly at: { readonly start: number; readonly end: number }
}

/**
 * What can be run in a page: each `js` block, with the `text` block right behind it as what it prints; and each command of a `console` block
 * (`$ ` before it, `> ` before the lines that continue it), with the lines behind it.
 */
export function examplesOf(page: string): Example[] {
  const examples: Example[] = []
  const fences = fencesOf(page)
  for (const [index, fence] of fences.entries()) {
    const end = fence.start + fence.lines.length
    if (fence.language === 'js') {
      const next = fences[index + 1]
      const prints = next?.language === 'text' && next.start <= end + 3 ? next : null
      const start = prints?.start ?? end
      const printed = prints?.lines ?? []
      examples.push({
        kind: 'module',
        source: fence.lines.join('\n'),
        printed,
        at: { start, end: start + printed.length },
      })
    } else if (fence.language === 'console') examples.push(...commandsOf(fence))
  }
  return examples
}

function commandsOf({ lines, start }: Fence): Example[] {
  const examples: Example[] = []
  for (let at = 0; at < lines.length; ) {
    const command = [(lines[at] as string).replace(/^\$ /, '')]
    if (!lines[at]?.startsWith('$ ')) throw new Error(`Line ${start + at + 1} of a console block belongs to no command`)
    for (at += 1; lines[at]?.startsWith('> '); at += 1) command.push((lines[at] as string).slice(2))
    const from = at
    while (at < lines.length && !lines[at]?.startsWith('$ ')) at += 1
    const printed = lines.slice(from, at)
    examples.push({
      kind: 'console',
      source: command.join('\n'),
      printed,
      at: { start: start + from, end: start + at },
    })
  }
  return examples
}
