import type { PatchedRange } from '../content/large-change.ts'
import type { Disk, FileHandle, FileStat } from '../disk/disk.ts'
import { readFully, writeFully } from '../disk/file.ts'
import { sameState } from '../entry/state.ts'
import { isSystemError } from '../errors.ts'
import type { ContentSource } from '../transaction/operation.ts'
import type { Change } from './change.ts'
import type { InverseSteps } from './inverse-steps.ts'
import { sameFile } from './observer.ts'
import type { Spots } from './spots.ts'

/** Bytes of the file before, and what is written to it; at least one range, in ascending order. */
export interface ChangeInPlace {
  readonly baseSize: number
  readonly ranges: readonly PatchedRange[]
}

const SET_ID_BITS = 0o6000

/**
 * Small changes of large files where they stand. A reader may see such a change half done, and whoever has the file open sees it come: that is the price
 * for not writing all of it anew. Nothing is written over but what the journal put there.
 */
export class InPlaceSteps {
  /** How the files look that were written. */
  readonly written = new Map<string, FileStat>()
  readonly #disk: Disk
  readonly #spots: Spots
  readonly #inverses: InverseSteps

  constructor(disk: Disk, spots: Spots, inverses: InverseSteps) {
    this.#disk = disk
    this.#spots = spots
    this.#inverses = inverses
  }

  /** False, and nothing done, when the file is not just what was observed: then it has to be replaced. */
  write({ path, observed }: Change, change: ChangeInPlace): boolean {
    const handle = this.#open(path)
    if (handle === null) return false
    try {
      const found = this.#disk.stat(handle)
      // A second name may be a blob's, or somebody's who wants the old content.
      if (observed.stat === null || found.nlink !== 1 || !sameFile(found, observed.stat, true)) return false
      if (!change.ranges.every((range) => this.#isAsBefore(handle, range))) return false
      this.#inverses.push(() => this.#takeBack(path, found, change))
      for (const { at, bytes } of change.ranges) writeFully(this.#disk, handle, bytes, at)
      this.written.set(path, this.#disk.stat(handle))
      return true
    } finally {
      this.#disk.close(handle)
    }
  }

  #open(path: string): FileHandle | null {
    try {
      return this.#disk.open(this.#spots.at({ path }), 'write')
    } catch (error) {
      if (isSystemError(error)) return null
      throw error
    }
  }

  #isAsBefore(handle: FileHandle, { at, old }: PatchedRange): boolean {
    return old.byteLength === 0 || Buffer.compare(this.#read(handle, at, old.byteLength), old) === 0
  }

  #read(handle: FileHandle, at: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, readFully(this.#disk, handle, bytes, at))
  }

  /** What somebody has written there since stays. */
  #takeBack(path: string, { ino, dev }: FileStat, { baseSize, ranges }: ChangeInPlace): void {
    this.written.delete(path)
    const at = this.#spots.at({ path })
    const stat = this.#disk.lstat(at)
    if (stat?.kind !== 'file' || stat.ino !== ino || stat.dev !== dev) return
    const handle = this.#disk.open(at, 'write')
    try {
      for (const range of ranges.toReversed()) this.#restore(handle, range)
      const { size } = this.#disk.stat(handle)
      const last = ranges.at(-1) as PatchedRange
      const added = this.#read(handle, baseSize, Math.max(0, size - baseSize))
      const ours = last.bytes.subarray(baseSize - last.at, baseSize - last.at + added.byteLength)
      if (added.byteLength > 0 && Buffer.compare(added, ours) === 0) this.#disk.truncate(handle, baseSize)
    } finally {
      this.#disk.close(handle)
    }
  }

  #restore(handle: FileHandle, { at, old, bytes }: PatchedRange): void {
    const found = this.#read(handle, at, old.byteLength)
    const isOurs = found.every((byte, index) => byte === bytes[index] || byte === old[index])
    if (isOurs && Buffer.compare(found, old) !== 0)
      writeFully(this.#disk, handle, old.subarray(0, found.byteLength), at)
  }
}

/** The change that can be made in place to bring a path where it is to go; null when the file has to be replaced. */
export function inPlaceChange(
  { before, after, observed, movedFrom }: Change,
  source: ContentSource,
): ChangeInPlace | null {
  if (source.at !== 'changed' || movedFrom !== undefined || before?.kind !== 'file' || after?.kind !== 'file')
    return null
  const { change } = source
  const { state, stat } = observed
  if (state?.kind !== 'file' || state.hash !== change.base || stat?.nlink !== 1) return null
  // The kernel takes these from a file that is written to.
  if ((state.mode & SET_ID_BITS) !== 0) return null
  const { baseSize, ranges } = change
  return ranges !== null && sameState({ ...state, hash: after.hash, size: after.size }, after)
    ? { baseSize, ranges }
    : null
}
