import type { Disk, FileHandle } from './disk.ts'

/** Writes all of `bytes` at `position`, looping over short writes. A write that makes no progress is a full disk. */
export function writeFully(disk: Disk, handle: FileHandle, bytes: Uint8Array, position: number): void {
  let done = 0
  while (done < bytes.byteLength) {
    const count = disk.write(handle, bytes.subarray(done), position + done)
    if (count <= 0) throw Object.assign(new Error('ENOSPC: the file system took no more bytes'), { code: 'ENOSPC' })
    done += count
  }
}

/** Reads into `target` until it is full or the file ends; returns how many bytes. */
export function readFully(disk: Disk, handle: FileHandle, target: Uint8Array, position: number): number {
  let done = 0
  while (done < target.byteLength) {
    const count = disk.read(handle, target.subarray(done), position + done)
    if (count === 0) break
    done += count
  }
  return done
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

/** Removes a file of the journal's own that nobody needs any more. One that cannot be removed now, the next recovery drops from `staging`. */
export function dropFile(disk: Disk, path: string): void {
  try {
    if (disk.lstat(path) !== null) disk.unlink(path)
  } catch {
    // What was done, or why it failed, is what the caller must hear of.
  }
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
