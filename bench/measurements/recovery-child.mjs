/** Rewrites files until so many bytes of log stand behind the last checkpoint, says so, and waits to be killed. */
import { NodeDisk } from '../../dist/disk/node-disk.js'
import { openJournal } from '../../dist/index.js'
import { content } from '../measure.mjs'

const [root, size, files] = process.argv.slice(2)
const BATCH = 100
const BYTES = 4096

/** Makes no file of the workspace durable: a checkpoint never comes to its end. */
class SlowDisk extends NodeDisk {
  sync(handle, all) {
    return all === true ? new Promise(() => {}) : super.sync(handle, all)
  }
}

const journal = await openJournal(root, { actor: 'bench', disk: new SlowDisk() })
let written = 0
for (let next = 0; written < Number(size); ) {
  await journal.transact(async (tx) => {
    for (let count = 0; count < BATCH; count += 1, next += 1) {
      await tx.write(`folder-${next % 10}/file-${next % Number(files)}.bin`, content(BYTES))
      written += BYTES
    }
  })
}
process.send({ seq: journal.head.seq })
setInterval(() => {}, 1000)
