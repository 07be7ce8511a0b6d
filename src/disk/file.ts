import { hasSystemCode } from '../errors.ts'
import type { Disk, FileHandle } from './disk.ts'

/** Writes all of `bytes` at `position`, looping over short writes. A write that makes no progress is a full disk. */
export function writeFully(disk: Disk, handle: FileHandle, bytes: Uint8Array, position: number): void {
  let done = 0
  while (done < bytes.byteLength) {
    const count = disk.write(handle, done === 0 ? bytes : bytes.subarray(done), position + done)
    if (count <= 0) throw Object.assign(new Error('ENOSPC: the file system took no more bytes'), { code: 'ENOSPC' })
    done += count
  }
}

/** Reads into `target` until it is full or the file ends; returns how many bytes. */
export function readFully(disk: Disk, handle: FileHandle, target: Uint8Array, position: number): number {
  let done = 0
  while (done < target.byteLength) {
    const count = disk.read(handle, done === 0 ? target : target.subarray(done), position + done)
    if (count === 0) break
    done += count
  }
  return done
}

/** Up to `length` bytes of a file from `position` on: fewer where it ends. */
export function readPart(disk: Disk, path: string, position: number, length: number): Uint8Array {
  const handle = disk.open(path, 'read')
  try {
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, readFully(disk, handle, bytes, position))
  } finally {
    disk.close(handle)
  }
}

/** Permission bit: its owner may read it. */
export const OWNER_READ = 0o400

/** Does what needs to read a file that is being replaced. Where nobody may read it, its owner may for that instant. */
export function reading<T>(disk: Disk, path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    const stat = hasSystemCode(error, 'EACCES') ? disk.lstat(path) : null
    if (stat?.kind !== 'file' || (stat.mode & OWNER_READ) !== 0) throw error
    disk.chmod(path, stat.mode | OWNER_READ)
    try {
      return act()
    } finally {
      disk.chmod(path, stat.mode)
    }
  }
}

export function openAside(disk: Disk, path: string): FileHandle {
  let handle: FileHandle | null = null
  try {
    return reading(disk, path, () => {
      handle = disk.open(path, 'read')
      return handle
    })
  } catch (error) {
    // Its permissions could not be put back.
    if (handle !== null) disk.close(handle)
    throw error
  }
}

/** The whole of a small file; null when there is none. */
export function readSmallFile(disk: Disk, path: string): Uint8Array | null {
  if (disk.lstat(path) === null) return null
  const handle = disk.open(path, 'read')
  try {
    const bytes = new Uint8Array(disk.stat(handle).size)
    return bytes.subarray(0, readFully(disk, handle, bytes, 0))
  } finally {
    disk.close(handle)
  }
}

/** Creates a file with all of `bytes`; removes it again when that fails. Returns nothing durable. */
export function createFile(disk: Disk, path: string, bytes: Uint8Array, mode: number): void {
  const handle = disk.open(path, 'create', mode)
  try {
    writeFully(disk, handle, bytes, 0)
  } catch (error) {
    disk.close(handle)
    dropFile(disk, path)
    throw error
  }
  disk.close(handle)
}

/** The same with chunks that come one after another. */
export async function createFrom(disk: Disk, path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = disk.open(path, 'create', 0o600)
  let position = 0
  try {
    for await (const chunk of chunks) {
      writeFully(disk, handle, chunk, position)
      position += chunk.byteLength
    }
  } catch (error) {
    disk.close(handle)
    dropFile(disk, path)
    throw error
  }
  disk.close(handle)
}

/** Removes a file of our own that nobody needs, if it is there. What cannot be removed stays, and the next recovery finds it. */
export function dropFile(disk: Disk, path: string): void {
  try {
    if (disk.lstat(path) !== null) disk.unlink(path)
  } catch {
    // It is in nobody's way.
  }
}

/** For an instant in a folder that is stirred. */
const STIRRING = '.write-journal.tmp'

/**
 * Changes a folder and changes it back. After a failed sync the kernel may take its names for written; a change makes it write them again with the
 * next sync.
 */
export function stir(disk: Disk, folder: string): void {
  const file = `${folder}/${STIRRING}`
  if (disk.lstat(file) === null) {
    try {
      disk.close(disk.open(file, 'create', 0o600))
    } catch (error) {
      // Who may make no name in it changed none.
      if (hasSystemCode(error, 'EACCES', 'EPERM') && disk.lstat(file) === null) return
      throw error
    }
  }
  disk.unlink(file)
}

/** Did a crash come while a folder was stirred? */
export function isStirred(disk: Disk, folder: string): boolean {
  return disk.lstat(`${folder}/${STIRRING}`) !== null
}

/** Creates missing folders from `root` (which exists) down to `path`. Returns those made, the outermost first. */
export function makeDirectories(disk: Disk, root: string, names: readonly string[], mode: number): string[] {
  const made: string[] = []
  let path = root
  for (const name of names) {
    path = `${path}/${name}`
    if (disk.lstat(path) !== null) continue
    disk.makeDirectory(path, mode)
    made.push(path)
  }
  return made
}

/** Lets the event loop run: between the chunks of long synchronous work. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
