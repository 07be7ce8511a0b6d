import { randomBytes } from 'node:crypto'
import type { Disk } from '../disk/disk.ts'
import { createFile, dropFile, isStirred, readSmallFile, stir } from '../disk/file.ts'
import { JOURNAL_FOLDER } from '../entry/path.ts'
import { hasSystemCode, JournalError } from '../errors.ts'

/** The newest version of the format that this code reads. An older journal stays what it is. */
export const FORMAT_VERSION = 5
/** The version that new journals have: what a later one brought is in few of them, and the others stay readable to older programs. */
export const NEW_VERSION = 4
/** From this version on a journal may have gaps: a salvage gives an older one this. */
export const SALVAGED_VERSION = 2
/** From this version on contents may be compressed, or changes of others. */
export const DENSE_VERSION = 3
/** From this version on the oldest transactions may have been dropped: a drop gives an older journal this. */
export const DROPPED_VERSION = 3
/** From this version on entries may say how a content was revised: the first that does gives an older journal this. */
export const REVISED_VERSION = 4
/** From this version on there may be notes: the first gives an older journal this. */
export const NOTED_VERSION = 5
const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
/** Bytes of a file that is one JSON object. */
const MAX_JSON = 64 * 1024
const FOLDERS = ['log', 'blobs', 'staging', 'broken'] as const

export interface Format {
  readonly format: 'write-journal'
  readonly version: number
  /** The journal's id, 32 hex digits. */
  readonly journal: string
}

export interface WorkspaceMark {
  readonly root: string
  readonly inode: string
}

/** Names of everything in `.journal/`. */
export class Layout {
  readonly root: string
  readonly directory: string

  constructor(root: string) {
    this.root = root
    this.directory = `${root === '/' ? '' : root}/${JOURNAL_FOLDER}`
  }

  get format(): string {
    return `${this.directory}/FORMAT`
  }
  get workspace(): string {
    return `${this.directory}/WORKSPACE`
  }
  get lock(): string {
    return `${this.directory}/LOCK`
  }
  /** Locked by a writer amid what nobody may come between, and by who takes its place. */
  get fence(): string {
    return `${this.directory}/FENCE`
  }
  /** Locked by who takes the place of a writer that does not answer. */
  get election(): string {
    return `${this.directory}/ELECTION`
  }
  /** What was `LOCK` in a term whose writer was deposed. */
  deposed(term: number): string {
    return `${this.directory}/DEPOSED.${term}`
  }
  /** What processes that are not the writer stage, a folder each. */
  get clients(): string {
    return `${this.directory}/clients`
  }
  /** A locked file for each command that runs under the journal. */
  get running(): string {
    return `${this.directory}/running`
  }
  /** Settings, written by a person; there need be none. */
  get config(): string {
    return `${this.directory}/config.yaml`
  }
  get checkpoint(): string {
    return `${this.directory}/CHECKPOINT`
  }
  get durable(): string {
    return `${this.directory}/DURABLE`
  }
  get suspect(): string {
    return `${this.directory}/SUSPECT`
  }
  /** There only while a salvage is not finished. */
  get salvage(): string {
    return `${this.directory}/SALVAGE`
  }
  get log(): string {
    return `${this.directory}/log`
  }
  get blobs(): string {
    return `${this.directory}/blobs`
  }
  get index(): string {
    return `${this.directory}/index`
  }
  get staging(): string {
    return `${this.directory}/staging`
  }
  get broken(): string {
    return `${this.directory}/broken`
  }
}

/** Null: nothing there. Undefined: no JSON, or no file. */
export function readJson(disk: Disk, path: string): unknown {
  const stat = disk.lstat(path)
  if (stat === null) return null
  // A link may lead anywhere, a pipe nowhere, and none of these files is large.
  if (stat.kind !== 'file' || stat.size > MAX_JSON) return undefined
  try {
    const bytes = readSmallFile(disk, path)
    if (bytes === null) return null
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError || hasSystemCode(error, 'EISDIR', 'ELOOP')) return undefined
    throw error
  }
}

/** Replaces a small file as a whole; a reader sees the old text or the new one. Durable when `sync` is given. */
export async function replaceJson(disk: Disk, path: string, value: unknown, sync: boolean): Promise<void> {
  const fresh = `${path}.new`
  if (disk.lstat(fresh) !== null) disk.unlink(fresh)
  createFile(disk, fresh, Buffer.from(`${JSON.stringify(value)}\n`), FILE_MODE)
  if (sync) {
    const handle = disk.open(fresh, 'write')
    await disk.sync(handle).finally(() => disk.close(handle))
  }
  disk.rename(fresh, path)
  if (sync) await disk.syncDirectory(path.slice(0, path.lastIndexOf('/')))
}

/** Reads `FORMAT`. Null when there is no journal, or none that was ever finished being made. */
export function readFormat(disk: Disk, layout: Layout): Format | null {
  if (disk.lstat(layout.directory) === null) return null
  let value = readJson(disk, layout.format)
  if (value === null) {
    const used = [layout.log, layout.blobs].some(
      (folder) => disk.lstat(folder) !== null && disk.readDirectory(folder).length > 0,
    )
    if (!used) return null
    // FORMAT comes before any history: it may have come, and a history after it, since it was looked for.
    value = readJson(disk, layout.format)
  }
  if (value === null) {
    throw new JournalError('CORRUPT', `${layout.format} is missing, and there is a history beside it`, {
      hint: 'Restore the file from a backup; the journal id stands in the first frame of every log segment too (journal-format.md).',
      path: layout.format,
    })
  }
  const format = value as Partial<Format> | undefined
  if (
    format?.format !== 'write-journal' ||
    !Number.isSafeInteger(format.version) ||
    (format.version as number) < 1 ||
    typeof format.journal !== 'string' ||
    !/^[0-9a-f]{32}$/.test(format.journal)
  ) {
    throw new JournalError('CORRUPT', `${layout.format} does not say what it should`, {
      hint: 'Restore the file from a backup; the journal id stands in the first frame of every log segment too (journal-format.md).',
      path: layout.format,
    })
  }
  if ((format.version as number) > FORMAT_VERSION) {
    throw new JournalError(
      'NEWER_FORMAT',
      `this journal has format version ${format.version}, and this program knows ${FORMAT_VERSION}`,
      {
        hint: 'Use a newer version of write-journal. Nothing was changed.',
        details: { found: format.version, known: FORMAT_VERSION },
      },
    )
  }
  return format as Format
}

/** The last raising that was begun: two at a time would take each other's file, and the smaller version might win. */
let raising: Promise<void> = Promise.resolve()

/** Makes FORMAT say a version, if it says a smaller one; durable when it resolves. */
export function raiseVersion(disk: Disk, layout: Layout, version: number): Promise<void> {
  const raised = raising.then(() => raise(disk, layout, version))
  raising = raised.catch(() => undefined)
  return raised
}

async function raise(disk: Disk, layout: Layout, version: number): Promise<void> {
  const format = readFormat(disk, layout)
  if (format !== null && format.version < version) await replaceJson(disk, layout.format, { ...format, version }, true)
}

/**
 * Makes the folder of a journal that is to be made. False when another process made it first.
 * @throws JournalError `CORRUPT` when something else has come to stand there
 */
export function makeJournalFolder(disk: Disk, layout: Layout): boolean {
  try {
    disk.makeDirectory(layout.directory, FOLDER_MODE)
    return true
  } catch (error) {
    if (!hasSystemCode(error, 'EEXIST')) throw error
    checkFolders(disk, layout)
    return false
  }
}

/**
 * The journal's folders must be folders. A symbolic link among them, which an archive may bring along, would have the journal write, and clear up,
 * wherever it leads.
 */
export function checkFolders(disk: Disk, layout: Layout): void {
  const { directory, log, blobs, index, staging, broken } = layout
  for (const folder of [directory, log, blobs, index, staging, broken]) {
    const kind = disk.lstat(folder)?.kind ?? 'dir'
    if (kind === 'dir') continue
    throw new JournalError('CORRUPT', `${folder} is ${kind === 'symlink' ? 'a symbolic link' : 'no folder'}`, {
      hint: 'Nothing was changed. Look where it comes from; a journal elsewhere can be mounted, not linked.',
      path: folder,
    })
  }
}

/**
 * Makes an empty journal, durable as a whole: FORMAT is written last, so half a journal is none. To be called under the writer's lock.
 * `fresh`: this process made its folder just now.
 */
export async function createLayout(disk: Disk, layout: Layout, fresh: boolean): Promise<Format> {
  // Another process may have had the lock since the folder was made, and a failed sync before it gave up.
  const untried = fresh && FOLDERS.every((folder) => disk.lstat(`${layout.directory}/${folder}`) === null)
  for (const folder of FOLDERS) {
    const path = `${layout.directory}/${folder}`
    if (disk.lstat(path) === null) disk.makeDirectory(path, FOLDER_MODE)
  }
  const format: Format = { format: 'write-journal', version: NEW_VERSION, journal: randomBytes(16).toString('hex') }
  await bindWorkspace(disk, layout)
  // Where FORMAT is, the folders are too.
  await disk.syncDirectory(layout.directory)
  // Where it was there before, a sync of its name may have failed.
  if (!untried || isStirred(disk, layout.root)) stir(disk, layout.root)
  await disk.syncDirectory(layout.root)
  await replaceJson(disk, layout.format, format, true)
  return format
}

/**
 * Makes the names in a journal durable that has no history yet: the sync that should have done it when it was made may have failed, or not been reached. To be
 * called under the writer's lock by whoever did not make it, before anything is written.
 */
export async function settleLayout(disk: Disk, layout: Layout): Promise<void> {
  if (disk.lstat(layout.log) !== null && disk.readDirectory(layout.log).length > 0) return
  stir(disk, layout.directory)
  await disk.syncDirectory(layout.directory)
}

export function unfinishedSalvage(layout: Layout): JournalError {
  return new JournalError('CORRUPT', 'a salvage of this journal was interrupted', {
    hint: "Run 'journal recover --salvage' again: it finishes it.",
    path: layout.salvage,
  })
}

/** Folders that may be missing when only the history was copied. */
export function completeLayout(disk: Disk, layout: Layout): void {
  for (const folder of FOLDERS) {
    const path = `${layout.directory}/${folder}`
    if (disk.lstat(path) === null) disk.makeDirectory(path, FOLDER_MODE)
  }
}

/**
 * Notes that workspace files are being synced. Where it is found, a sync may have failed, and the kernel may have marked as clean what never reached the
 * disk: so the next recovery believes no file in flight, and writes all of them anew.
 */
export function markSuspect(disk: Disk, layout: Layout): void {
  if (disk.lstat(layout.suspect) === null) createFile(disk, layout.suspect, Buffer.from('{}\n'), FILE_MODE)
}

/** Where it stays, the next recovery writes more than it must. */
export function clearSuspect(disk: Disk, layout: Layout): void {
  dropFile(disk, layout.suspect)
}

/** Notes which folder this journal belongs to. */
export async function bindWorkspace(disk: Disk, layout: Layout): Promise<void> {
  const inode = disk.lstat(layout.directory)?.ino ?? 0n
  const mark: WorkspaceMark = { root: layout.root, inode: String(inode) }
  await replaceJson(disk, layout.workspace, mark, false)
}

/**
 * `here`: this workspace's own. `moved`: the same folder at another path, or another folder at the same one (a restored backup).
 * `copied`: neither the path nor the folder is the one it was made for.
 */
export function belonging(disk: Disk, layout: Layout): 'here' | 'moved' | 'copied' {
  const mark = readJson(disk, layout.workspace) as Partial<WorkspaceMark> | null | undefined
  if (typeof mark !== 'object' || mark === null) return 'moved'
  const sameRoot = mark.root === layout.root
  const sameInode = mark.inode === String(disk.lstat(layout.directory)?.ino ?? 0n)
  if (sameRoot && sameInode) return 'here'
  return sameRoot || sameInode ? 'moved' : 'copied'
}

export function foreignError(layout: Layout, mark: string): JournalError {
  return new JournalError('FOREIGN', `the journal in ${layout.directory} belongs to ${mark}`, {
    hint: "If the whole workspace was copied or moved on purpose, run 'journal init --rebind' here; if only .journal was copied, remove it.",
    path: layout.directory,
  })
}
