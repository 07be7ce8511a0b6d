import type { Disk } from '../disk/disk.ts'
import { hasSystemCode } from '../errors.ts'
import type { HistoryIndex } from './history-index.ts'
import type { HistorySource } from './source.ts'

export interface Stats {
  readonly transactions: number
  readonly entries: number
  /** Paths that the history names, those that are gone now included. */
  readonly paths: number
  readonly actors: readonly string[]
  /** Sizes in bytes, as the files say. */
  readonly logBytes: number
  readonly segments: number
  readonly blobBytes: number
  readonly blobs: number
  readonly indexBytes: number
  readonly brokenBytes: number
  readonly stagingBytes: number
  /** Times of the first and the last transaction, milliseconds since 1970; null when there is none. */
  readonly first: number | null
  readonly last: number | null
}

export async function stats(index: HistoryIndex, source: HistorySource): Promise<Stats> {
  const { disk, directory, contents } = source
  const { seq, time, entries } = await index.fullHead()
  const { paths, actors } = await index.counts()
  const { segments } = source.reader
  const numbers = segments.list()
  let blobs = 0
  let blobBytes = 0
  for (const { size } of contents.blobs.list()) {
    blobs += 1
    blobBytes += size
  }
  return {
    transactions: seq,
    entries,
    paths,
    actors,
    logBytes: numbers.reduce((sum, segment) => sum + segments.size(segment), 0),
    segments: numbers.length,
    blobBytes,
    blobs,
    indexBytes: sizeBelow(disk, `${directory}/index`),
    brokenBytes: sizeBelow(disk, `${directory}/broken`),
    stagingBytes: sizeBelow(disk, `${directory}/staging`),
    first: seq === 0 ? null : (await index.record(1)).time,
    last: seq === 0 ? null : time,
  }
}

function sizeBelow(disk: Disk, folder: string): number {
  try {
    let total = 0
    if (disk.lstat(folder)?.kind !== 'dir') return 0
    for (const { name, kind } of disk.readDirectory(folder)) {
      const path = `${folder}/${name}`
      total += kind === 'dir' ? sizeBelow(disk, path) : (disk.lstat(path)?.size ?? 0)
    }
    return total
  } catch (error) {
    // Files come and go there while we look.
    if (hasSystemCode(error, 'ENOENT')) return 0
    throw error
  }
}
