import { decodeContents } from '../content/content-frame.ts'
import { readPart } from '../disk/file.ts'
import { readCommit } from '../entry/chain.ts'
import { isAboutPath } from '../entry/entry.ts'
import { HEADER_SIZE, MAX_PAYLOAD } from '../log/frame.ts'
import { offsetOf, type Position, positionOf, segmentOf } from '../log/position.ts'
import type { Problem } from './findings.ts'
import type { HistorySource } from './source.ts'

/** What can still be read of damaged bytes is looked for in no more than this. */
const LOOK_LIMIT = MAX_PAYLOAD

/**
 * Says what stood between `position`, where no valid frame begins, and `next`, where the next intact one does. One flipped bit leaves most
 * of a record readable, so its transaction can usually be named; nothing of it is trusted.
 */
export function describeDamage(source: HistorySource, position: Position, next: Position): Problem {
  const place: readonly [number, number] = [segmentOf(position), offsetOf(position)]
  const bytes = bytesBetween(source, position, next)
  const following = positionOf(place[0] + 1, 0)
  // The segment is finished here: the damage is at the beginning of the next one.
  if (
    next > following &&
    source.reader.segments.exists(place[0] + 1) &&
    (bytes === null || bytes.every((byte) => byte === 0))
  ) {
    return describeDamage(source, following, next)
  }
  const where = `segment ${place[0]}, offset ${place[1]}`
  if (bytes === null)
    return { kind: 'frame', message: `the log is damaged or missing from ${where} on`, position: place }
  const payload = bytes.subarray(HEADER_SIZE)
  const what = guess(payload)
  const size = bytes.byteLength
  if (what === null) return { kind: 'frame', message: `${size} bytes at ${where} are damaged`, position: place }
  const { tx, path } = what
  const about = path === undefined ? { tx } : { tx, path }
  return {
    kind: 'frame',
    message: `${size} bytes at ${where} are damaged: ${what.kind} of transaction ${tx}`,
    ...about,
    position: place,
  }
}

function bytesBetween(source: HistorySource, position: Position, next: Position): Uint8Array | null {
  const { segments } = source.reader
  const segment = segmentOf(position)
  if (!segments.exists(segment)) return null
  const end = segmentOf(next) === segment ? offsetOf(next) : segments.size(segment)
  const length = Math.min(end - offsetOf(position), LOOK_LIMIT)
  if (length <= HEADER_SIZE) return null
  return readPart(segments.disk, segments.path(segment), offsetOf(position), length)
}

interface Guess {
  readonly kind: string
  readonly tx: string
  readonly path?: string
}

const TX = /^t[0-9a-z]{15}$/

function guess(payload: Uint8Array): Guess | null {
  // The frame may end in up to 7 bytes of padding.
  for (let padding = 0; padding < 8; padding += 1) {
    const candidate = payload.subarray(0, payload.byteLength - padding)
    const what = attempt(() => asCommit(candidate)) ?? attempt(() => asContents(candidate))
    if (what !== null && TX.test(what.tx)) return what
  }
  // Not even the structure is whole: the id stands near the beginning of every record.
  const text = Buffer.from(payload.subarray(0, 4096)).toString('latin1')
  const tx = /\xa2tx\xb0(t[0-9a-z]{15})/.exec(text)?.[1]
  return tx === undefined ? null : { kind: 'a part', tx }
}

function asCommit(payload: Uint8Array): Guess {
  const { tx, entries } = readCommit(payload)
  const [first] = entries
  return entries.length === 1 && first !== undefined && isAboutPath(first)
    ? { kind: 'the record', tx, path: first.path }
    : { kind: 'the record', tx }
}

function asContents(payload: Uint8Array): Guess {
  return { kind: 'contents', tx: decodeContents(payload).tx }
}

function attempt(read: () => Guess): Guess | null {
  try {
    return read()
  } catch {
    return null
  }
}
