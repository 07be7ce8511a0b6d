import type { ContentParts } from '../content/content-parts.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Disk, FileHandle } from '../disk/disk.ts'
import { breathe, openAside, readFully } from '../disk/file.ts'
import type { FileState } from '../entry/state.ts'
import { JournalError } from '../errors.ts'

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

/**
 * Is the file at `absolute` what a crash leaves of changes in place? After a kill: each byte is as before or as after the last change. After a power cut
 * (`cut`): each sector is a mixture of two states that follow each other, or a state's beginning and zeros, since the file itself may have been new. What
 * lies beyond the end of a state counts as zeros; the file is as long as the states are, or anything between.
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

function isExplained(
  bytes: Uint8Array,
  versions: Iterable<Uint8Array | null>,
  steps: readonly boolean[],
  cut: boolean,
): boolean {
  let before: Uint8Array | null = null
  let index = 0
  for (const version of versions) {
    if (version !== null && cut && isBegun(bytes, version)) return true
    const stepped = index > 0 && steps[index - 1] === true
    if (version !== null && before !== null && stepped && isBetween(bytes, before, version)) return true
    before = version
    index += 1
  }
  return false
}

/** The beginning of it, and zeros. */
function isBegun(bytes: Uint8Array, version: Uint8Array): boolean {
  const wrong = bytes.findIndex((byte, at) => byte !== version[at])
  return wrong < 0 || bytes.subarray(wrong).every((byte) => byte === 0)
}

function isBetween(bytes: Uint8Array, before: Uint8Array, after: Uint8Array): boolean {
  return bytes.every((byte, at) => byte === before[at] || byte === after[at])
}
