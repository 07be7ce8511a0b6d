import type { Disk } from '../disk/disk.ts'
import { breathe, makeDirectories, writeFully } from '../disk/file.ts'
import { isJournalName } from '../entry/path.ts'
import type { DirectoryState, FileState } from '../entry/state.ts'
import { asJournalError, JournalError } from '../errors.ts'
import { checkPath } from '../workspace/safe-path.ts'
import type { HistoryIndex } from './history-index.ts'
import type { HistorySource, OnHistoryProgress } from './source.ts'
import { treeAt } from './tree.ts'

export interface ReplayResult {
  /** Files and symbolic links written. */
  readonly files: number
  /** Their contents together. */
  readonly bytes: number
  readonly seq: number
}

const FILES_A_TURN = 64

/**
 * Writes the tree as it was after transaction `seq` into the folder `to` (absolute), which must be missing or empty. Contents are checked
 * against their hashes on the way. Nothing is synced: the copy can be made again.
 * @throws JournalError `EXISTS`, `PATH_OUTSIDE`, `CORRUPT` with the path, and what the file system says.
 */
export async function replay(
  index: HistoryIndex,
  source: HistorySource,
  options: { readonly to: string; readonly seq: number; readonly onProgress?: OnHistoryProgress },
): Promise<ReplayResult> {
  const { disk, contents } = source
  const { seq, onProgress } = options
  const to = prepareTarget(source, options.to)
  const closed: { readonly path: string; readonly state: DirectoryState }[] = []
  let files = 0
  let bytes = 0
  for await (const { path, state } of treeAt(index, seq)) {
    checkPath(path)
    makeParents(disk, to, path)
    if (state.kind === 'dir') {
      if (disk.lstat(`${to}/${path}`) === null) disk.makeDirectory(`${to}/${path}`, 0o700)
      // Permissions that forbid us to write in it come last.
      if ((state.mode & 0o700) === 0o700) setFolder(disk, `${to}/${path}`, state)
      else closed.push({ path, state })
    } else if (state.kind === 'file') {
      await writeContent(disk, `${to}/${path}`, path, state, contents.stream(state.hash))
      files += 1
      bytes += state.size
      onProgress?.({ phase: 'replaying', done: files, total: 0 })
      if (files % FILES_A_TURN === 0) await breathe()
    }
  }
  // Links come after all files, so that nothing is ever written through one.
  for await (const { path, state } of treeAt(index, seq)) {
    if (state.kind !== 'symlink') continue
    disk.symlink(state.target, `${to}/${path}`)
    files += 1
  }
  for (const { path, state } of closed.reverse()) setFolder(disk, `${to}/${path}`, state)
  return { files, bytes, seq }
}

function prepareTarget(source: HistorySource, to: string): string {
  const { disk, directory } = source
  const trimmed = to.replace(/\/+$/, '')
  const names: string[] = []
  let existing = trimmed
  while (existing !== '' && disk.lstat(existing) === null) {
    const slash = existing.lastIndexOf('/')
    names.unshift(existing.slice(slash + 1))
    existing = existing.slice(0, Math.max(0, slash))
  }
  const real = existing === '' ? '' : disk.realPath(existing)
  const target = [real, ...names].join('/')
  const journal = disk.realPath(directory)
  if (target === journal || target.startsWith(`${journal}/`) || target.split('/').some(isJournalName)) {
    throw new JournalError('PATH_OUTSIDE', `'${to}' lies inside a journal`, {
      hint: 'Name a folder elsewhere.',
      path: to,
    })
  }
  if (names.length > 0) {
    try {
      makeDirectories(disk, real, names, 0o755)
    } catch (error) {
      throw asJournalError(error, `making ${to}`, to)
    }
  } else if (disk.lstat(target)?.kind !== 'dir' || disk.readDirectory(target).length > 0) {
    throw new JournalError('EXISTS', `'${to}' is not an empty folder`, {
      hint: 'Name a folder that does not exist yet, or an empty one.',
      path: to,
    })
  }
  return target
}

function makeParents(disk: Disk, to: string, path: string): void {
  const slash = path.lastIndexOf('/')
  if (slash < 0 || disk.lstat(`${to}/${path.slice(0, slash)}`) !== null) return
  makeDirectories(disk, to, path.slice(0, slash).split('/'), 0o755)
}

async function writeContent(
  disk: Disk,
  full: string,
  path: string,
  state: FileState,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  let handle: number | null = null
  try {
    handle = disk.open(full, 'create', 0o600)
    let position = 0
    for await (const chunk of chunks) {
      writeFully(disk, handle, chunk, position)
      position += chunk.byteLength
    }
    if (state.owner !== undefined && disk.superuser) disk.chown(handle, state.owner.uid, state.owner.gid)
    disk.close(handle)
    // After the owner: changing that takes special bits away.
    disk.chmod(full, state.mode)
  } catch (error) {
    if (handle !== null) {
      try {
        disk.close(handle)
      } catch {
        // Closed already.
      }
      disk.unlink(full)
    }
    const cause = asJournalError(error, `writing ${path}`, path)
    if (cause.path !== undefined) throw cause
    throw new JournalError(cause.code, `${path}: ${cause.message}`, {
      hint: cause.hint,
      path,
      cause,
      details: cause.details,
    })
  }
}

function setFolder(disk: Disk, full: string, state: DirectoryState): void {
  if (state.owner !== undefined && disk.superuser) {
    const handle = disk.open(full, 'read')
    try {
      disk.chown(handle, state.owner.uid, state.owner.gid)
    } finally {
      disk.close(handle)
    }
  }
  disk.chmod(full, state.mode)
}
