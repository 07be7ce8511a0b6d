import { openJournal } from '../dist/index.js'
import { content } from './measure.mjs'

/** Callers at a time while a long history is made. */
const CALLERS = 64
const FOLDERS = 20

/**
 * Makes a history: a transaction a write of random bytes, from `least` to `most` of them, over `files` files, without syncs, since what is measured on it does not
 * depend on them. Brings the index up to date.
 */
export async function makeHistory(root, { transactions, files, least, most }, progress) {
  const journal = await openJournal(root, { actor: 'bench', durability: 'os' })
  let next = 0
  async function caller() {
    while (next < transactions) {
      const number = next
      next += 1
      if (number % 1000 === 0) progress(`making the history: ${number} of ${transactions}`)
      // Sizes spread evenly, the same in every run.
      const size = least + ((number * 7919) % (most - least + 1))
      const path = `folder-${number % FOLDERS}/file-${number % files}.bin`
      await journal.write(path, content(size), { message: `write ${number}` })
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  await journal.resolve('head')
  await journal.close()
}
