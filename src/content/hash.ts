import { createHash, hash } from 'node:crypto'
import type { Disk, FileHandle } from '../disk/disk.ts'
import { breathe, readFully } from '../disk/file.ts'
import type { ContentHash } from '../entry/state.ts'

/** Bytes read at once from large files. */
export const CHUNK_SIZE = 1024 * 1024
/** Chunks between two turns of the event loop. */
const CHUNKS_A_TURN = 8

/** Small files are read into this one at a time: nothing awaits between its filling and its hashing. */
const SCRATCH = new Uint8Array(256 * 1024)
/** Files up to this many bytes are small. */
export const SMALL_FILE = SCRATCH.byteLength - 1

/** SHA-256 in hex. */
export function hashBytes(bytes: Uint8Array): ContentHash {
  return hash('sha256', bytes, 'hex')
}

/** The chunks of an open file from the start, each valid until the next is asked for. Takes no more memory than the file has bytes. */
export async function* readChunks(disk: Disk, handle: FileHandle): AsyncGenerator<Uint8Array> {
  // One byte more than it has shows a file that grows meanwhile.
  let chunk = new Uint8Array(Math.min(CHUNK_SIZE, disk.stat(handle).size + 1))
  for (let position = 0, count = 0; ; count += 1) {
    const length = readFully(disk, handle, chunk, position)
    if (length === 0) return
    yield chunk.subarray(0, length)
    position += length
    if (length < chunk.byteLength) return
    if (length < CHUNK_SIZE) chunk = new Uint8Array(CHUNK_SIZE)
    if (count % CHUNKS_A_TURN === CHUNKS_A_TURN - 1) await breathe()
  }
}

/** The first `size` bytes of an open file, valid until the next small file is read; null when those are too many. Fewer when the file has fewer. */
export function readSmallFile(disk: Disk, handle: FileHandle, size: number): Uint8Array | null {
  if (size > SMALL_FILE) return null
  const bytes = SCRATCH.subarray(0, size)
  return bytes.subarray(0, readFully(disk, handle, bytes, 0))
}

/** Hash of an open file of `size` bytes, read in one go; null when it is larger than that, or too large for it. */
export function hashSmallFile(disk: Disk, handle: FileHandle, size: number): ContentHash | null {
  if (size > SMALL_FILE) return null
  // One byte more than it should have shows a file that grew.
  const bytes = SCRATCH.subarray(0, size + 1)
  const length = readFully(disk, handle, bytes, 0)
  return length > size ? null : hashBytes(bytes.subarray(0, length))
}

/** Hash and size of an open file, in constant memory. `expected`: its size, as far as known. */
export async function hashFile(
  disk: Disk,
  handle: FileHandle,
  expected = disk.stat(handle).size,
): Promise<{ hash: ContentHash; size: number }> {
  if (expected <= SMALL_FILE) {
    const bytes = SCRATCH.subarray(0, expected + 1)
    const size = readFully(disk, handle, bytes, 0)
    if (size <= expected) return { hash: hashBytes(bytes.subarray(0, size)), size }
  }
  const running = createHash('sha256')
  let size = 0
  for await (const chunk of readChunks(disk, handle)) {
    running.update(chunk)
    size += chunk.byteLength
  }
  return { hash: running.digest('hex'), size }
}
