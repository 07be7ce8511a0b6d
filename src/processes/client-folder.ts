import { randomBytes } from 'node:crypto'
import type { Disk, FileHandle } from '../disk/disk.ts'
import { hasSystemCode } from '../errors.ts'
import { openOrCreate } from '../store/fence.ts'
import type { Layout } from '../store/layout.ts'

const LOCK = 'LOCK'

/** Where a process that is not the writer stages what it is going to have written. It is locked while the process lives. */
export class ClientFolder {
  readonly name = `${process.pid}-${randomBytes(8).toString('hex')}`
  readonly path: string
  readonly #disk: Disk
  readonly #lock: FileHandle

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk
    this.path = `${layout.clients}/${this.name}`
    for (const folder of [layout.clients, this.path]) if (disk.lstat(folder) === null) make(disk, folder)
    this.#lock = openOrCreate(disk, `${this.path}/${LOCK}`)
    disk.lock(this.#lock)
  }

  remove(): void {
    clear(this.#disk, this.path)
    this.#disk.close(this.#lock)
  }
}

/** Removes what processes that are gone have left. */
export function removeDeadClients(disk: Disk, { clients }: Layout): void {
  if (disk.lstat(clients)?.kind !== 'dir') return
  for (const { name, kind } of disk.readDirectory(clients)) {
    const folder = `${clients}/${name}`
    if (kind !== 'dir' || isAlive(disk, folder)) continue
    clear(disk, folder)
  }
}

function isAlive(disk: Disk, folder: string): boolean {
  const handle = unlessGone(() => disk.open(`${folder}/${LOCK}`, 'write'))
  if (handle === undefined) return false
  const free = disk.lock(handle)
  disk.close(handle)
  return !free
}

/** Its process and a new writer may do so in the same moment. */
function clear(disk: Disk, folder: string): void {
  const names = unlessGone(() => disk.readDirectory(folder)) ?? []
  for (const { name, kind } of names) if (kind !== 'dir') unlessGone(() => disk.unlink(`${folder}/${name}`))
  unlessGone(() => disk.removeDirectory(folder))
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
  try {
    disk.makeDirectory(folder, 0o700)
  } catch (error) {
    if (disk.lstat(folder)?.kind !== 'dir') throw error
  }
}
