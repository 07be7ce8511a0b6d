import type { Disk } from '../disk/disk.ts'
import { readFully } from '../disk/file.ts'
import { fromHex } from '../entry/codec.ts'
import { decodeSegment } from '../entry/control.ts'
import { JournalError } from '../errors.ts'
import { decodeHeader, HEADER_SIZE, headerSeed, payloadIsRight } from '../log/frame.ts'
import { positionOf } from '../log/position.ts'
import { Segments } from '../log/segments.ts'
import { FORMAT_VERSION, type Format, type Layout, readFormat } from '../store/layout.ts'

/** More than a first frame takes. */
const NEAR = 4096

/**
 * What FORMAT says, or said: the journal's id stands in the first frame of every segment, and is proven by that frame's own header, which it is the
 * key of.
 * @throws JournalError `CORRUPT` when no segment has it; `NEWER_FORMAT`
 */
export function identify(disk: Disk, layout: Layout): { readonly format: Format; readonly damaged: boolean } | null {
  let refusal: unknown
  try {
    const format = readFormat(disk, layout)
    return format === null ? null : { format, damaged: false }
  } catch (error) {
    if (!(error instanceof JournalError) || error.code !== 'CORRUPT') throw error
    refusal = error
  }
  const segments = new Segments(disk, layout.log)
  for (const segment of disk.lstat(layout.log)?.kind === 'dir' ? segments.list() : []) {
    const journal = idIn(segments, segment)
    if (journal !== null)
      return { format: { format: 'write-journal', version: FORMAT_VERSION, journal }, damaged: true }
  }
  throw refusal
}

function idIn(segments: Segments, segment: number): string | null {
  const handle = segments.open(segment)
  try {
    const bytes = new Uint8Array(NEAR)
    const length = readFully(segments.disk, handle, bytes, 0)
    if (length < HEADER_SIZE) return null
    const size = new DataView(bytes.buffer).getUint32(8, true)
    const payload = bytes.subarray(HEADER_SIZE, Math.min(length, HEADER_SIZE + size))
    const { journal } = decodeSegment(payload)
    const header = decodeHeader(bytes, 0, headerSeed(fromHex(journal)), positionOf(segment, 0))
    return header?.kind === 'segment' && payloadIsRight(header, payload) ? journal : null
  } catch (error) {
    if (error instanceof JournalError && error.code === 'CORRUPT') return null
    throw error
  } finally {
    segments.disk.close(handle)
  }
}
