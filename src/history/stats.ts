import type { Disk } from '../disk/disk.ts'
import { hasSystemCode } from '../errors.ts'
import type { HistoryIndex } from './history-index.ts'
import type { HistorySource } from './source.ts'

export interface Stats {
  /** That are kept. */
  readonly transactions: number
  /** That retention dropped. */
  readonly dropped: number
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
  /** Times of the first and the last transaction that is kept, milliseconds since 1970; null when there is none. */
  readonly first: number | null
  readonly last: number | null
}

export async function stats(index: HistoryIndex, source: HistorySource): Promise<Stats> {
  const { disk, directory, contents } = source
  const { seq, time, entries } = await index.fullHead()
  const { horizon, dropped } = index
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
    transactions: seq - dropped,
    dropped,
    entries: entries - (horizon?.entries ?? 0),
    paths,
    actors,
    logBytes: numbers.reduce((sum, segment) => sum + segments.size(segment), 0),
    segments: numbers.length,
    blobBytes,
    blobs,
    indexBytes: sizeBelow(disk, `${directory}/index`),
    brokenBytes: sizeBelow(disk, `${directory}/broken`),
    stagingBytes: sizeBelow(disk, `${directory}/staging`),
    first: seq === dropped ? null : (await index.record(dropped + 1)).time,
    last: seq === dropped ? null : time,
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
