/** A thread that hashes files of a workspace. */
import { parentPort, workerData } from 'node:worker_threads'
import { NodeDisk } from '../disk/node-disk.ts'
import { hashOne, type ToHash } from './hashing.ts'

const { root } = workerData as { readonly root: string }
const disk = new NodeDisk()

parentPort?.on('message', (files: readonly ToHash[]) => {
  void Promise.all(files.map(({ path, size }) => hashOne(disk, `${root}/${path}`, size))).then((found) =>
    parentPort?.postMessage(found),
  )
})
