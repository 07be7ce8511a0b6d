/**
 * Changes a large file in place, one transaction after another, and dies in the middle of a write to it.
 * order: { dist, root, seed, lines, width }
 */
import { built, order, tell } from './child.mjs'

const { openJournal } = await built()
const { NodeDisk } = await built('disk/node-disk.js')
const { editsOf, additionOf, firstText } = await import('./scribbled.mjs')

let state = order.seed
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}

class TreacherousDisk extends NodeDisk {
  #files = new Set()

  open(path, how, mode, umask) {
    const handle = super.open(path, how, mode, umask)
    if (how === 'write' && path.endsWith('/big')) this.#files.add(handle)
    return handle
  }

  close(handle) {
    this.#files.delete(handle)
    super.close(handle)
  }

  write(handle, source, position) {
    if (!this.#files.has(handle) || random() > 0.05) return super.write(handle, source, position)
    const part = Math.floor(random() * (source.byteLength + 1))
    if (part > 0) super.write(handle, source.subarray(0, part), position)
    process.kill(process.pid, 'SIGKILL')
    for (;;);
  }
}

const journal = await openJournal(order.root, { disk: new TreacherousDisk() })
let number = 0
const gone = new Set()
for await (const { kind, of, tx } of journal.history()) {
  if (kind === 'revert') gone.add(of)
  if (kind === 'write' && !gone.has(tx)) number += 1
}
if (number === 0) {
  await journal.write('big', firstText(order))
  number = 1
}
for (; ; number += 1) {
  await journal.transact(async (tx) => {
    if (number % 3 === 0) await tx.append('big', additionOf(number))
    else await tx.edit('big', editsOf(order, number))
  })
  tell('done', { seq: number })
}
