import type { HistoryIndex } from '../history/history-index.ts'
import { HEADER_SIZE, MAX_PAYLOAD } from '../log/frame.ts'
import type { Segments } from '../log/segments.ts'
import type { Store } from '../store/opening.ts'
import type { Loss } from './log-survey.ts'
import type { Region } from './region.ts'

/** A transaction that is lost, as far as it can still be named. */
export interface LostTransaction {
  readonly seq: number
  readonly tx: string | null
  readonly paths: readonly string[]
}

/** What stands before the journal's id in a segment frame. */
const ID_MARK = '\xa7journal\xc4\x10'
/** No more are listed one by one. */
const LISTED = 10_000
/** No more of one damage is looked through. */
const LOOK_LIMIT = MAX_PAYLOAD + HEADER_SIZE

/** Names what is lost: by what the index remembers, then by what can still be made out in the damaged bytes. Nothing of it is certain but the numbers. */
export async function nameLost(
  losses: readonly Loss[],
  index: HistoryIndex,
  { segments, format }: Store,
  known: ReadonlySet<string>,
): Promise<LostTransaction[]> {
  const lost: LostTransaction[] = []
  for (const { from, to, regions } of losses) {
    const remembered = new Map((await index.remembered(from, to)).map((record) => [record.seq, record]))
    const guesses = regions.flatMap((region) => guess(bytesOf(segments, region), known, format.journal))
    const loose = guesses.filter(({ seq }) => seq === null)
    for (let seq = from; seq <= to && lost.length < LISTED; seq += 1) {
      const certain = remembered.get(seq) ?? guesses.find((found) => found.seq === seq)
      const only = from === to ? loose[0] : undefined
      const { tx = null, paths = [] } = certain ?? only ?? {}
      lost.push({ seq, tx, paths })
    }
  }
  return lost
}

function bytesOf(segments: Segments, { segment, from, to }: Region): Uint8Array {
  if (!segments.exists(segment)) return new Uint8Array(0)
  const handle = segments.open(segment)
  try {
    const length = Math.max(0, Math.min((to ?? segments.size(segment)) - from, LOOK_LIMIT))
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, segments.read(handle, bytes, from, segment))
  } finally {
    segments.disk.close(handle)
  }
}

interface Guess {
  readonly seq: number | null
  readonly tx: string
  readonly paths: readonly string[]
}

/** Records begin with the id of their transaction; that of a commit is followed by its number. */
function guess(bytes: Uint8Array, known: ReadonlySet<string>, journal: string): Guess[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  // Another journal's segment was put here: its transactions are none of ours.
  const own = Buffer.from(journal, 'hex').toString('latin1')
  const mark = text.indexOf(ID_MARK)
  if (mark >= 0 && !text.startsWith(own, mark + ID_MARK.length)) return []
  const matches = [...text.matchAll(/\xa2tx\xb0(t[0-9a-z]{15})/g)]
  const found = new Map<string, Guess>()
  for (const [index, { 1: tx = '', index: at, 0: whole }] of matches.entries()) {
    if (known.has(tx)) continue
    const seq = numberAt(bytes, text, at + whole.length)
    const paths = seq === null ? [] : pathsIn(bytes, text, at, matches[index + 1]?.index ?? text.length)
    const before = found.get(tx)
    if (before === undefined || before.seq === null) found.set(tx, { seq, tx, paths })
  }
  return [...found.values()]
}

function numberAt(bytes: Uint8Array, text: string, at: number): number | null {
  if (!text.startsWith('\xa3seq', at) || at + 13 > bytes.byteLength) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset + at + 4, 9)
  const tag = view.getUint8(0)
  if (tag < 0x80) return tag
  if (tag === 0xcc) return view.getUint8(1)
  if (tag === 0xcd) return view.getUint16(1)
  return tag === 0xce ? view.getUint32(1) : null
}

function pathsIn(bytes: Uint8Array, text: string, from: number, to: number): string[] {
  const paths = new Set<string>()
  for (let at = text.indexOf('\xa4path', from); at >= 0 && at < to; at = text.indexOf('\xa4path', at + 5)) {
    const tag = bytes[at + 5] ?? 0
    const [length, start] =
      tag >= 0xa0 && tag < 0xc0
        ? [tag - 0xa0, at + 6]
        : tag === 0xd9
          ? [bytes[at + 6] ?? 0, at + 7]
          : tag === 0xda
            ? [(bytes[at + 6] ?? 0) * 256 + (bytes[at + 7] ?? 0), at + 8]
            : [0, 0]
    if (length > 0 && start + length <= to)
      paths.add(Buffer.from(bytes.subarray(start, start + length)).toString('utf8'))
  }
  return [...paths]
}
