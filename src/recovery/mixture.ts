import type { ContentParts } from '../content/content-parts.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Disk, FileHandle } from '../disk/disk.ts'
import { breathe, openAside, readFully } from '../disk/file.ts'
import type { FileState } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import type { PathHistory } from './path-history.ts'

/** What a disk writes as a whole. */
const SECTOR = 512
/** Read at once. */
const STRIDE = 256 * 1024
/** Between two turns of the event loop. */
const STRIDES_A_TURN = 32
/** Sectors that are neither of the first state nor of the last, at most: more are somebody's work. */
const MOST_SECTORS = 4096

/** The states of a path, in order; `steps[i]`: did the journal make `states[i + 1]` of `states[i]` in place, perhaps? */
export interface MixtureStates {
  readonly states: readonly FileState[]
  readonly steps: readonly boolean[]
}

/** What may be mixed in a file; null when it was not changed in place. `cut`: the power went, else a process was killed, which was at the last change. */
export function mixtureStates({ states, writers }: PathHistory, inline: number, cut: boolean): MixtureStates | null {
  const files = states.flatMap((state, index) => (state?.kind === 'file' ? [{ state, index }] : []))
  const steps = files.slice(1).map(({ state, index }, at) => {
    const before = files[at]
    if (before?.index !== index - 1 || writers[before.index] === null) return false
    return Math.min(state.size, before.state.size) > inline && state.mode === before.state.mode
  })
  if (!steps.includes(true) || (!cut && files.at(-1)?.index !== states.length - 1)) return null
  return { states: files.map(({ state }) => state), steps }
}

/**
 * Is the file at `absolute` what a crash leaves of changes in place? After a kill: each byte is as before or as after the last change. After a power cut
 * (`cut`): each byte is that of some state, or zero, since the file itself may have been new; sectors go to the disk one by one. What lies beyond the end of
 * a state counts as zeros; the file is as long as the states are, or anything between.
 */
export async function isMixture(
  disk: Disk,
  absolute: string,
  contents: ContentStore,
  { states, steps }: MixtureStates,
  cut: boolean,
): Promise<boolean> {
  if (!steps.includes(true)) return false
  const from = cut ? 0 : steps.length - 1
  if (steps[from] !== true && !cut) return false
  const sizes = states.slice(from).map(({ size }) => size)
  const handle = openAside(disk, absolute)
  try {
    const { size } = disk.stat(handle)
    if (size > Math.max(...sizes) || (!cut && size < Math.min(...sizes))) return false
    const ends = [await partsOf(contents, states.at(-1)), await partsOf(contents, states[from])]
    const odd = await oddSectors(disk, handle, size, ends, cut)
    if (odd === null) return false
    // The newest first: what was written last is what was under way.
    for (let index = states.length - 1; index >= from && odd.length > 0; index -= 1) {
      const parts = await partsOf(contents, states[index])
      if (parts === null) continue
      for (const sector of odd) explain(sector, parts)
      odd.splice(0, odd.length, ...odd.filter(({ open }) => open.length > 0))
      if (index % STRIDES_A_TURN === 0) await breathe()
    }
    return odd.length === 0
  } finally {
    disk.close(handle)
  }
}

/** Null when it cannot be read any more: nothing is explained by it. */
async function partsOf(contents: ContentStore, state: FileState | undefined): Promise<ContentParts | null> {
  if (state === undefined) return null
  try {
    return await contents.parts(state.hash)
  } catch (error) {
    if (!(error instanceof JournalError) || !['CORRUPT', 'NOT_FOUND'].includes(error.code)) throw error
    return null
  }
}

/** One that needs more than one state to be explained. */
interface Sector {
  readonly at: number
  readonly bytes: Uint8Array
  /** Which of its bytes are not explained yet. */
  open: readonly number[]
}

/** Sectors that none of `usual` has alone (or, after a power cut, with zeros); null when there are too many. */
async function oddSectors(
  disk: Disk,
  handle: FileHandle,
  size: number,
  usual: readonly (ContentParts | null)[],
  cut: boolean,
): Promise<Sector[] | null> {
  const odd: Sector[] = []
  for (let position = 0, count = 1; position < size; position += STRIDE, count += 1) {
    const buffer = new Uint8Array(Math.min(STRIDE, size - position))
    const found = buffer.subarray(0, readFully(disk, handle, buffer, position))
    const wanted = usual.flatMap((parts) => (parts === null ? [] : [parts.read(position, found.byteLength)]))
    if (wanted.some((bytes) => Buffer.compare(bytes, found) === 0)) continue
    for (let at = 0; at < found.byteLength; at += SECTOR) {
      const bytes = found.subarray(at, at + SECTOR)
      if (wanted.some((all) => isOf(bytes, all.subarray(at, at + SECTOR), cut))) continue
      if (odd.length === MOST_SECTORS) return null
      const open = [...bytes.keys()].filter((index) => !cut || bytes[index] !== 0)
      odd.push({ at: position + at, bytes, open })
    }
    if (count % STRIDES_A_TURN === 0) await breathe()
  }
  return odd
}

function isOf(bytes: Uint8Array, wanted: Uint8Array, cut: boolean): boolean {
  if (Buffer.compare(bytes, wanted) === 0) return true
  return cut && bytes.every((byte, at) => byte === 0 || byte === wanted[at])
}

/** A sector may have gone to the disk when only some of the writes to it had been made, or none but the last. */
function explain(sector: Sector, parts: ContentParts): void {
  const wanted = parts.read(sector.at, sector.bytes.byteLength)
  sector.open = sector.open.filter((index) => sector.bytes[index] !== wanted[index])
}
