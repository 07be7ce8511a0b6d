/**
 * Writes `order.path`, while somebody's `order.text` comes to stand there at the last moment; dies when that is a blob and not yet recorded.
 * order: { dist, root, path, text }
 */
import { writeFileSync } from 'node:fs'
import { built, order } from './child.mjs'

const { openJournal } = await built()
const { NodeDisk } = await built('disk/node-disk.js')
let surprised = false

class SurprisingDisk extends NodeDisk {
  exchange(a, b) {
    if (!surprised) writeFileSync(`${order.root}/${order.path}`, order.text)
    surprised = true
    super.exchange(a, b)
  }

  async syncDirectory(path) {
    await super.syncDirectory(path)
    if (surprised && path.endsWith('/blobs')) process.kill(process.pid, 'SIGKILL')
  }
}

const journal = await openJournal(order.root, { disk: new SurprisingDisk() })
await journal.write(order.path, 'by the journal')
