import { unreadable } from '../content/blob-store.ts'
import type { ContentStore } from '../content/content-store.ts'
import { hashFile, readChunks } from '../content/hash.ts'
import type { Attribute, Disk, FileHandle, FileStat } from '../disk/disk.ts'
import { OWNER_READ, writeFully } from '../disk/file.ts'
import type { FileState, State } from '../entry/state.ts'
import { hasSystemCode } from '../errors.ts'
import type { ContentSource } from '../transaction/operation.ts'
import type { FolderFacts } from './folders.ts'

const SET_ID_BITS = 0o6000
const NO_ATTRIBUTES: readonly Attribute[] = []

/** Can a checkpoint open a file of such a mode, to make it durable? */
export function mayBeSynced(disk: Disk, mode: number): boolean {
  return disk.superuser || (mode & OWNER_READ) !== 0
}

/** Attributes of a file that is about to be replaced: its successor gets them. */
export function attributesOf(disk: Disk, path: string): readonly Attribute[] {
  let handle: FileHandle
  try {
    handle = disk.open(path, 'read')
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'EACCES', 'ELOOP')) return []
    throw error
  }
  try {
    return disk.attributes(handle)
  } finally {
    disk.close(handle)
  }
}

/** Labels in the kernel's own namespaces may be the superuser's to give: those are left out. */
function giveAttributes(disk: Disk, handle: FileHandle, attributes: readonly Attribute[]): void {
  for (const [name, value] of attributes) {
    try {
      disk.setAttribute(handle, name, value)
    } catch (error) {
      if (!hasSystemCode(error, 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP')) throw error
    }
  }
}

/** Gives a file of `mode` that has come to stand at `path` what its predecessor turned out to have. */
export function inheritLate(disk: Disk, path: string, mode: number, attributes: readonly Attribute[]): void {
  const handle = disk.open(path, 'read')
  try {
    giveAttributes(disk, handle, attributes)
  } finally {
    disk.close(handle)
  }
  disk.chmod(path, mode)
}

async function fill(
  disk: Disk,
  contents: ContentStore,
  handle: FileHandle,
  state: FileState,
  source: ContentSource,
): Promise<void> {
  if (source.at === 'memory') return writeFully(disk, handle, source.bytes, 0)
  const waiting = source.at === 'staged' && disk.lstat(source.file) !== null ? disk.open(source.file, 'read') : null
  try {
    let position = 0
    const stored = () =>
      source.at === 'changed'
        ? contents.changed(state.hash, source.change.base, source.change.delta)
        : contents.stream(state.hash)
    for await (const chunk of waiting === null ? stored() : readChunks(disk, waiting)) {
      writeFully(disk, handle, chunk, position)
      position += chunk.byteLength
    }
  } finally {
    if (waiting !== null) disk.close(waiting)
  }
}

/** What a staged file will be. */
export interface StagedTarget {
  /** Absolute path of the file that it replaces. */
  readonly path: string
  readonly before: State
  readonly after: FileState
  readonly source: ContentSource
  /** Group of the file that it replaces. */
  readonly group: number | null
  /** The file that it replaces was put there without attributes: whether it still has none is looked at when it is moved aside. */
  readonly bare: boolean
}

export interface StagedFile {
  readonly stat: FileStat
  /** It has been given no attributes. */
  readonly bare: boolean
}

function give(disk: Disk, handle: FileHandle, uid: number, gid: number, required: boolean): void {
  try {
    disk.chown(handle, uid, gid)
  } catch (error) {
    // A folder's group that this user is not in: only the kernel itself may hand it down.
    if (required || !hasSystemCode(error, 'EPERM')) throw error
  }
}

/**
 * Makes the file that will stand at a workspace path, under a name of its own: fresh inode, complete content, final mode and owner, the
 * attributes of the file it replaces or, for a new one, what its folder hands down. A promise only where the content is not in memory, or the file
 * must be made durable while it can be opened.
 */
export function stageFile(
  disk: Disk,
  contents: ContentStore,
  file: string,
  target: StagedTarget,
  folder: FolderFacts,
): StagedFile | Promise<StagedFile> {
  const { after, source } = target
  if (source.at !== 'memory' || !mayBeSynced(disk, after.mode)) return stageSlowly(disk, contents, file, target, folder)
  const handle = disk.open(file, 'create', after.mode, true)
  try {
    writeFully(disk, handle, source.bytes, 0)
    return finish(disk, handle, file, target, folder)
  } finally {
    disk.close(handle)
  }
}

async function stageSlowly(
  disk: Disk,
  contents: ContentStore,
  file: string,
  target: StagedTarget,
  folder: FolderFacts,
): Promise<StagedFile> {
  const { after, source } = target
  const blob = contents.blobs.path(after.hash)
  let handle: FileHandle
  const cloned = source.at !== 'memory' && disk.lstat(blob) !== null
  if (cloned) {
    disk.clone(blob, file, 0o600)
    handle = disk.open(file, 'write')
  } else handle = disk.open(file, 'create', after.mode, true)
  try {
    if (!cloned) await fill(disk, contents, handle, after, source)
    // A blob of long ago may have rotted; one that was staged just now was hashed on its way.
    else if (source.at === 'stored' && (await hashFile(disk, handle)).hash !== after.hash)
      throw unreadable(after.hash, 'its blob is damaged')
    const staged = finish(disk, handle, file, target, folder)
    if (!mayBeSynced(disk, after.mode)) await disk.sync(handle, true)
    return staged
  } finally {
    disk.close(handle)
  }
}

/** Gives a file that has its content all else that it is to have. */
function finish(disk: Disk, handle: FileHandle, file: string, target: StagedTarget, folder: FolderFacts): StagedFile {
  const { after, before } = target
  const replaced = before?.kind === 'file'
  const given = replaced
    ? target.bare
      ? NO_ATTRIBUTES
      : attributesOf(disk, target.path)
    : folder.inheritance.accessList === null
      ? NO_ATTRIBUTES
      : [folder.inheritance.accessList]
  giveAttributes(disk, handle, given)
  const stat = disk.stat(handle)
  const uid = after.owner?.uid ?? stat.uid
  const handedDown = replaced ? target.group : folder.inheritance.gid
  const gid = after.owner?.gid ?? handedDown ?? stat.gid
  const moved = uid !== stat.uid || gid !== stat.gid
  if (moved) give(disk, handle, uid, gid, after.owner !== undefined)
  // The umask, access lists and a change of owner all touch the permission bits; nobody sees the file by its final name yet.
  const exact = stat.mode === after.mode && given.length === 0 && !(moved && (after.mode & SET_ID_BITS) !== 0)
  if (!exact) disk.chmod(file, after.mode)
  return { stat, bare: given.length === 0 }
}
