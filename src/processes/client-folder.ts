import { randomBytes } from 'node:crypto'
import type { DirectoryEntry, Disk, FileHandle } from '../disk/disk.ts'
import { hasSystemCode, JournalError } from '../errors.ts'
import type { Layout } from '../store/layout.ts'

const LOCK = 'LOCK'
/** How often another name is tried: a new writer may clear a folder away before it is locked. */
const ATTEMPTS = 10

/** Where a process that is not the writer stages what it is going to have written. It is locked while the process lives. */
export class ClientFolder {
  readonly name: string
  readonly path: string
  readonly #disk: Disk
  readonly #lock: FileHandle

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk
    make(disk, layout.clients)
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const name = `${process.pid}-${randomBytes(8).toString('hex')}`
      const path = `${layout.clients}/${name}`
      const lock = locked(disk, path)
      // A new writer has just taken it for that of a process that is gone.
      if (lock === undefined) continue
      this.name = name
      this.path = path
      this.#lock = lock
      return
    }
    throw new JournalError('LOCKED', `no file in ${layout.clients} can be locked`, {
      hint: 'Look whether the file system has locks, and whether something else clears that folder.',
      path: layout.clients,
    })
  }

  remove(): void {
    clear(this.#disk, this.path)
    this.#disk.close(this.#lock)
  }
}

/** Makes a folder, and its lock. Undefined when it is gone, or about to go, by then. */
function locked(disk: Disk, folder: string): FileHandle | undefined {
  make(disk, folder)
  const lock = unlessGone(() => disk.open(`${folder}/${LOCK}`, 'create', 0o600))
  if (lock === undefined) return undefined
  try {
    // In this order: who clears up holds the lock meanwhile.
    if (disk.lock(lock) && disk.lstat(`${folder}/${LOCK}`) !== null) return lock
  } catch (error) {
    disk.close(lock)
    throw error
  }
  disk.close(lock)
  clear(disk, folder)
  return undefined
}

/** Removes what processes that are gone have left. */
export function removeDeadClients(disk: Disk, { clients }: Layout): void {
  if (disk.lstat(clients)?.kind !== 'dir') return
  for (const { name, kind } of disk.readDirectory(clients)) {
    if (kind === 'dir') removeIfDead(disk, `${clients}/${name}`)
  }
}

function removeIfDead(disk: Disk, folder: string): void {
  const handle = unlessGone(() => disk.open(`${folder}/${LOCK}`, 'write'))
  try {
    if (handle !== undefined) {
      if (disk.lock(handle)) clear(disk, folder)
      return
    }
    // Without a lock it was left half removed, or its process is just about to make one.
    const names = unlessGone(() => disk.readDirectory(folder)) ?? []
    if (!names.some(({ name }) => name === LOCK)) clear(disk, folder, names)
  } finally {
    if (handle !== undefined) disk.close(handle)
  }
}

/** Its process and a new writer may do so in the same moment. */
function clear(
  disk: Disk,
  folder: string,
  names: readonly DirectoryEntry[] = unlessGone(() => disk.readDirectory(folder)) ?? [],
): void {
  for (const { name, kind } of names) if (kind !== 'dir') unlessGone(() => disk.unlink(`${folder}/${name}`))
  try {
    disk.removeDirectory(folder)
  } catch (error) {
    // Its process has just made its lock: then it is in use.
    if (!hasSystemCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error
  }
}

function unlessGone<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (!hasSystemCode(error, 'ENOENT')) throw error
    return undefined
  }
}

/** Somebody else may make it in the same moment. */
function make(disk: Disk, folder: string): void {
  if (disk.lstat(folder) !== null) return
  try {
    disk.makeDirectory(folder, 0o700)
  } catch (error) {
    if (disk.lstat(folder)?.kind !== 'dir') throw error
  }
}
