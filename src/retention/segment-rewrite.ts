import { type ErasedContents, withoutContents } from '../content/content-frame.ts'
import { createFile, readFully } from '../disk/file.ts'
import { withoutWords } from '../entry/chain.ts'
import type { SpokenEntry } from '../entry/entry.ts'
import { decodeHeader, frameSize, HEADER_SIZE, payloadIsRight } from '../log/frame.ts'
import { encodeFrame } from '../log/frame-encoder.ts'
import { type Position, positionOf } from '../log/position.ts'
import type { Segments } from '../log/segments.ts'

/** What is to be erased from the log. */
export interface Erasure extends ErasedContents {
  /** Entries whose words are erased. */
  readonly words: (entry: SpokenEntry) => boolean
  /** Nothing at or behind this position is touched. */
  readonly until: Position
}

/** The payload without what is to be erased; null when there is nothing of it in it. */
export function erased(kind: string, payload: Uint8Array, erasure: Omit<Erasure, 'until'>): Uint8Array | null {
  if (kind === 'content') return withoutContents(payload, erasure)
  return kind === 'commit' ? withoutWords(payload, erasure.words) : null
}

/**
 * Replaces a segment by a copy without what is to be erased; every frame keeps its place and its size. The copy is durable before it takes the
 * segment's name, so a crash leaves one or the other. Nobody may have the segment open for writing. Idempotent; returns how many frames it changed.
 * @param spare a free name on the same file system
 */
export async function rewriteSegment(
  segments: Segments,
  segment: number,
  seed: bigint,
  erasure: Erasure,
  spare: string,
): Promise<number> {
  const { disk } = segments
  const path = segments.path(segment)
  const handle = disk.open(path, 'read')
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(disk.stat(handle).size)
    bytes = bytes.subarray(0, readFully(disk, handle, bytes, 0))
  } finally {
    disk.close(handle)
  }
  const frames = eraseFrames(bytes, segment, seed, erasure)
  if (frames === 0) return 0
  if (disk.lstat(spare) !== null) disk.unlink(spare)
  createFile(disk, spare, bytes, 0o600)
  const copy = disk.open(spare, 'write')
  await disk.sync(copy).finally(() => disk.close(copy))
  disk.rename(spare, path)
  await disk.syncDirectory(segments.directory)
  return frames
}

function eraseFrames(bytes: Uint8Array, segment: number, seed: bigint, erasure: Erasure): number {
  let changed = 0
  for (let offset = 0; ; ) {
    const position = positionOf(segment, offset)
    const header = position < erasure.until ? decodeHeader(bytes, offset, seed, position) : null
    if (header === null) return changed
    const payload = bytes.subarray(offset + HEADER_SIZE, offset + HEADER_SIZE + header.length)
    if (!payloadIsRight(header, payload)) return changed
    const fresh = erased(header.kind, payload, erasure)
    if (fresh !== null) {
      if (fresh.byteLength !== header.length) throw new RangeError('an erased frame must keep its size')
      encodeFrame(bytes, offset, seed, header, fresh)
      changed += 1
    }
    offset += frameSize(header.length)
  }
}
