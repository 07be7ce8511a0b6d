/** One way of editing, for `calls`: `node calls-child.mjs WAY CASE FOLDER EDITS`. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openJournal } from '../../dist/index.js'

const [way, kind, folder, count] = process.argv.slice(2)
const WARM_UP = 5
const lines = Array.from({ length: 100 }, (_, i) => `line ${i} of the text: 0`)
const paths = Array.from({ length: Number(count) }, (_, i) => (kind === 'one' ? 'file.txt' : `file-${i}.txt`))
for (const path of new Set(paths)) await writeFile(join(folder, path), `${lines.join('\n')}\n`)

/** One line of each file; of one file, as many lines as there are edits. */
function editsOf(round) {
  return paths.map((path, i) => ({
    path,
    oldText: `line ${i} of the text: ${round}\n`,
    newText: `line ${i} of the text: ${round + 1}\n`,
  }))
}

const journal = way === 'journal' ? await openJournal(folder) : null
const write = way === 'atomic' ? (await import('write-file-atomic')).default : writeFile

async function edit(round) {
  if (journal !== null) {
    await journal.transact(async (tx) => {
      for (const { path, ...change } of editsOf(round)) await tx.edit(path, [change])
    })
    return
  }
  for (const { path, oldText, newText } of editsOf(round)) {
    const file = join(folder, path)
    await write(file, (await readFile(file, 'utf8')).replace(oldText, newText))
  }
}

for (let round = 0; round < WARM_UP; round += 1) await edit(round)
existsSync('/mark-begin')
await edit(WARM_UP)
existsSync('/mark-end')
await journal?.close()
