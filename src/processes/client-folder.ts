import { randomBytes } from 'node:crypto'
import type { Disk, FileHandle } from '../disk/disk.ts'
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
  if (disk.lstat(`${folder}/${LOCK}`) === null) return false
  const handle = disk.open(`${folder}/${LOCK}`, 'write')
  const free = disk.lock(handle)
  disk.close(handle)
  return !free
}

function clear(disk: Disk, folder: string): void {
  for (const { name, kind } of disk.readDirectory(folder)) if (kind !== 'dir') disk.unlink(`${folder}/${name}`)
  disk.removeDirectory(folder)
}

/** Somebody else may make it in the same moment. */
function make(disk: Disk, folder: string): void {
  try {
    disk.makeDirectory(folder, 0o700)
  } catch (error) {
    if (disk.lstat(folder)?.kind !== 'dir') throw error
  }
}
