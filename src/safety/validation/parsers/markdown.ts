import type MarkdownIt from 'markdown-it'
import type { Token } from 'markdown-it'
import type { Finder } from '../findings.ts'

let parser: InstanceType<typeof MarkdownIt> | null = null

/** A scheme, a protocol-relative or an absolute address: nothing in the workspace. */
const ELSEWHERE = /^([a-z][a-z0-9+.-]*:|\/)/i

export async function parseMarkdown(finder: Finder, wantReferences: boolean): Promise<void> {
  if (parser === null) {
    const { default: Parser } = await import('markdown-it')
    parser = new Parser({ html: true })
    // Links as they are written, whatever they lead to.
    parser.validateLink = () => true
    parser.normalizeLink = (link: string) => link
  }
  const { text } = finder
  const front = /^---\r?\n[\s\S]*?\r?\n---[ \t]*(\r?\n|$)/.exec(text)?.[0] ?? ''
  // Front matter is not Markdown; its lines stay, so that the others keep their numbers.
  const body = front.replace(/[^\n]/g, '') + text.slice(front.length)
  const lines = body.split('\n')
  const anchors = new Set<string>()
  const counts = new Map<string, number>()
  const tokens = parser.parse(body, {})
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'fence') checkFence(finder, token, lines)
    if (!wantReferences) continue
    if (token.type === 'html_block') noteNames(token.content, anchors)
    else if (token.type === 'inline') {
      links(finder, token, lines)
      for (const child of token.children ?? []) if (child.type === 'html_inline') noteNames(child.content, anchors)
      if (tokens[index - 1]?.type === 'heading_open') anchors.add(slug(plainText(token), counts))
    }
  }
  finder.anchors = [...anchors]
}

function checkFence(finder: Finder, { map, markup }: Token, lines: readonly string[]): void {
  if (map === null) return
  const [from, to] = map
  // A fence within a quotation or a list has their marks before it.
  const last = (lines[to - 1] ?? '').replace(/^[\s>]*/, '').trimEnd()
  const mark = markup[0] as string
  const closed = to - 1 > from && last.length >= markup.length && [...last].every((character) => character === mark)
  if (!closed)
    finder.flaw(finder.offset(from + 1, 1 + fenceIndent(lines[from] ?? '', mark)), 'the fence is never closed')
}

function fenceIndent(line: string, mark: string): number {
  return Math.max(line.indexOf(mark), 0)
}

function links(finder: Finder, token: Token, lines: readonly string[]): void {
  const [from, to] = token.map ?? [0, 0]
  let line = from
  let column = 0
  for (const child of token.children ?? []) {
    if (child.type === 'softbreak' || child.type === 'hardbreak') {
      line += 1
      column = 0
    }
    const name = child.type === 'link_open' ? 'href' : child.type === 'image' ? 'src' : null
    const target = name === null ? '' : String(child.attrGet(name) ?? '')
    if (target === '' || ELSEWHERE.test(target)) continue
    // A link may stand a line further down than the parser counts, and its address in a definition anywhere.
    const place = find(lines, target, line, column, to) ?? find(lines, target, 0, 0, lines.length)
    if (place !== null && place.line < to && place.line >= from) {
      line = place.line
      column = place.column + target.length
    }
    finder.reference('link', target, finder.offset((place?.line ?? from) + 1, (place?.column ?? 0) + 1))
  }
}

function find(lines: readonly string[], target: string, line: number, column: number, to: number) {
  for (let at = line; at < to; at += 1) {
    const found = (lines[at] ?? '').indexOf(target, at === line ? column : 0)
    if (found >= 0) return { line: at, column: found }
  }
  return null
}

function noteNames(html: string, anchors: Set<string>): void {
  for (const [, name] of html.matchAll(/\s(?:id|name)\s*=\s*["']?([^"'\s>]+)/gi))
    anchors.add((name as string).toLowerCase())
}

function plainText({ children }: Token): string {
  return (children ?? [])
    .filter(({ type }) => type === 'text' || type === 'code_inline' || type === 'softbreak')
    .map(({ content, type }) => (type === 'softbreak' ? ' ' : content))
    .join('')
}

/** As GitHub names headings: in lower case, without punctuation, blanks as hyphens, and numbered when there are several. */
function slug(heading: string, counts: Map<string, number>): string {
  const base = heading
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-')
  const count = counts.get(base) ?? 0
  counts.set(base, count + 1)
  return count === 0 ? base : `${base}-${count}`
}
