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
    const known = await partsOf(contents, states, from)
    const odd = await oddSectors(disk, handle, size, [known.at(-1) ?? null, known[from] ?? null])
    return (
      odd?.every(({ at, bytes }) => isExplained(bytes, sectorsOf(known, at, bytes.byteLength), steps, cut)) ?? false
    )
  } finally {
    disk.close(handle)
  }
}

/** Null for a state before `from`, and for one that cannot be read any more: nothing is explained by it. */
async function partsOf(
  contents: ContentStore,
  states: readonly FileState[],
  from: number,
): Promise<(ContentParts | null)[]> {
  const known: (ContentParts | null)[] = []
  for (const [index, { hash }] of states.entries()) {
    if (index < from) {
      known.push(null)
      continue
    }
    try {
      known.push(await contents.parts(hash))
    } catch (error) {
      if (!(error instanceof JournalError) || !['CORRUPT', 'NOT_FOUND'].includes(error.code)) throw error
      known.push(null)
    }
  }
  return known
}

interface Sector {
  readonly at: number
  readonly bytes: Uint8Array
}

/** Sectors that none of `usual` has; null when there are too many. */
async function oddSectors(
  disk: Disk,
  handle: FileHandle,
  size: number,
  usual: readonly (ContentParts | null)[],
): Promise<Sector[] | null> {
  const odd: Sector[] = []
  for (let position = 0, count = 1; position < size; position += STRIDE, count += 1) {
    const buffer = new Uint8Array(Math.min(STRIDE, size - position))
    const found = buffer.subarray(0, readFully(disk, handle, buffer, position))
    let rest: Sector[] | null = null
    for (const parts of usual) {
      const wanted = parts?.read(position, found.byteLength)
      if (wanted === undefined) continue
      if (rest === null && Buffer.compare(found, wanted) === 0) rest = []
      rest ??= sectors(found, position)
      rest = rest.filter(({ at, bytes }) => {
        const same = wanted.subarray(at - position, at - position + bytes.byteLength)
        return Buffer.compare(bytes, same) !== 0
      })
      if (rest.length === 0) break
    }
    odd.push(...(rest ?? sectors(found, position)))
    if (odd.length > MOST_SECTORS) return null
    if (count % STRIDES_A_TURN === 0) await breathe()
  }
  return odd
}

function sectors(bytes: Uint8Array, position: number): Sector[] {
  const found: Sector[] = []
  for (let at = 0; at < bytes.byteLength; at += SECTOR)
    found.push({ at: position + at, bytes: bytes.subarray(at, at + SECTOR) })
  return found
}

function* sectorsOf(known: readonly (ContentParts | null)[], at: number, length: number): Generator<Uint8Array | null> {
  for (const parts of known) yield parts?.read(at, length) ?? null
}

/** `cut`: a sector may have gone to the disk when only some of the writes to it had been made, or none but the last. */
function isExplained(
  bytes: Uint8Array,
  versions: Iterable<Uint8Array | null>,
  steps: readonly boolean[],
  cut: boolean,
): boolean {
  const known = [...versions]
  const usable = cut ? known : known.filter((_, index) => index >= known.length - 2 && steps.at(-1) === true)
  return bytes.every((byte, at) => (cut && byte === 0) || usable.some((version) => version?.[at] === byte))
}
