import { resolve } from 'node:path'
import { BlobStore } from '../content/blob-store.ts'
import { ContentStore } from '../content/content-store.ts'
import type { Disk } from '../disk/disk.ts'
import { fromHex } from '../entry/codec.ts'
import { asJournalError, hasSystemCode, JournalError } from '../errors.ts'
import { headerSeed } from '../log/frame.ts'
import { LogReader } from '../log/log-reader.ts'
import { Segments } from '../log/segments.ts'
import {
  belonging,
  checkFolders,
  DENSE_VERSION,
  type Format,
  foreignError,
  Layout,
  readFormat,
  readJson,
} from './layout.ts'

/** The parts of a journal that reading needs. */
export interface Store {
  readonly disk: Disk
  readonly layout: Layout
  readonly format: Format
  readonly seed: bigint
  readonly segments: Segments
  readonly reader: LogReader
  readonly contents: ContentStore
}

/** The workspace's real path. @throws JournalError `NOT_FOUND`, `INVALID`, `CORRUPT` */
export function locateRoot(disk: Disk, root: string): Layout {
  if (typeof root !== 'string' || root === '' || root.includes('\0')) {
    throw new JournalError('INVALID', 'the workspace must be the path of a folder', { hint: 'Name a folder.' })
  }
  try {
    const real = disk.realPath(resolve(root))
    if (disk.lstat(real)?.kind === 'dir') {
      const layout = new Layout(real)
      checkFolders(disk, layout)
      return layout
    }
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) {
      throw new JournalError('NOT_FOUND', `there is no folder ${root}`, {
        hint: 'Make it first.',
        path: root,
        cause: error,
      })
    }
    throw asJournalError(error, 'opening the workspace', root)
  }
  throw new JournalError('INVALID', `${root} is not a folder`, { hint: 'Name a folder.', path: root })
}

export function noJournal(layout: Layout): JournalError {
  return new JournalError('NOT_FOUND', `there is no journal in ${layout.root}`, {
    hint: "Make one with 'journal init'.",
    path: layout.root,
  })
}

/** @throws JournalError `FOREIGN` for a journal that was copied here */
export function checkBelonging(disk: Disk, layout: Layout): 'here' | 'moved' {
  const place = belonging(disk, layout)
  if (place !== 'copied') return place
  const mark = readJson(disk, layout.workspace) as { root?: unknown } | null
  throw foreignError(layout, typeof mark?.root === 'string' ? mark.root : 'another workspace')
}

/** Builds the reading parts. @throws JournalError `NOT_FOUND`, `CORRUPT`, `NEWER_FORMAT` */
export function openStore(disk: Disk, layout: Layout, format: Format | null = readFormat(disk, layout)): Store {
  if (format === null) throw noJournal(layout)
  if (disk.lstat(layout.log)?.kind !== 'dir') {
    throw new JournalError('CORRUPT', `${layout.log} is missing, or no folder`, {
      hint: 'Restore it from a backup.',
      path: layout.log,
    })
  }
  const seed = headerSeed(fromHex(format.journal))
  const segments = new Segments(disk, layout.log)
  const reader = new LogReader(segments, seed)
  const dense = format.version >= DENSE_VERSION
  const contents = new ContentStore(disk, reader, new BlobStore(disk, layout.blobs), dense)
  return { disk, layout, format, seed, segments, reader, contents }
}

/** What is thrown where opening a journal failed. */
export function asOpeningError(error: unknown, { directory, root }: Layout): JournalError {
  if (!hasSystemCode(error, 'ELOOP')) return asJournalError(error, 'opening the journal', root)
  return new JournalError('INVALID', `a symbolic link stands where ${directory} has a file`, {
    hint: 'Nothing was changed. Nobody but the journal should write there: put the file back, or remove the link.',
    path: directory,
    cause: error,
  })
}
