import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { NodeDisk } from '../disk/node-disk.ts'
import { type Hashed, type HashFiles, hashAlone, type ToHash } from './hashing.ts'

const THREAD = new URL('./hash-thread.js', import.meta.url)
const MOST_THREADS = 4
/** For less, beginning a thread takes longer than it saves. */
const LEAST_FILES = 1000
const LEAST_BYTES = 32 * 1024 * 1024
/** Files, and bytes, that a thread gets at a time. */
const FILES_A_TIME = 128
const BYTES_A_TIME = 16 * 1024 * 1024

/** Shares them among threads, where there are many; in this one, where a thread cannot be had. */
export const hashTogether: HashFiles = async (disk, root, files) => {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const threads = Math.min(MOST_THREADS, availableParallelism())
  const few = files.length < LEAST_FILES && bytes < LEAST_BYTES
  if (few || files.length < 2 || threads < 2 || !(disk instanceof NodeDisk) || !existsSync(fileURLToPath(THREAD)))
    return hashAlone(disk, root, files)
  const found: Hashed[] = []
  const shares = sharesOf(files)
  let at = 0
  const workers = Array.from(
    { length: Math.min(threads, shares.length) },
    () => new Worker(THREAD, { workerData: { root } }),
  )
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (let share = shares.shift(); share !== undefined; share = shares.shift()) {
          const from = at
          at += share.length
          const hashed = await asked(worker, share)
          for (const [index, each] of hashed.entries()) found[from + index] = each
        }
      }),
    )
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return found
}

/** In order. */
function sharesOf(files: readonly ToHash[]): (readonly ToHash[])[] {
  const shares: { files: ToHash[]; bytes: number }[] = []
  for (const file of files) {
    const last = shares.at(-1)
    if (last === undefined || last.files.length === FILES_A_TIME || last.bytes + file.size > BYTES_A_TIME)
      shares.push({ files: [file], bytes: file.size })
    else {
      last.files.push(file)
      last.bytes += file.size
    }
  }
  return shares.map((share) => share.files)
}

function asked(worker: Worker, share: readonly ToHash[]): Promise<readonly Hashed[]> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      worker.off('message', answered)
      worker.off('error', failed)
      worker.off('exit', ended)
    }
    const answered = (hashed: readonly Hashed[]): void => {
      stop()
      resolve(hashed)
    }
    const failed = (error: Error): void => {
      stop()
      reject(error)
    }
    const ended = (): void => failed(new Error('a thread that hashes ended'))
    worker.once('message', answered)
    worker.once('error', failed)
    worker.once('exit', ended)
    worker.postMessage(share)
  })
}
