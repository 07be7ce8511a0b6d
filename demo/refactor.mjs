/**
 * The child process of the demo: stages the whole refactoring as one transaction, says so, and commits when told to.
 * Its parent kills it in the middle of that commit.
 */

import { openJournal } from '../dist/index.js'
import { NOTES } from './expectation.mjs'

const NAME = 'isArrayLike'
const NEW_NAME = 'isListLike'

const journal = await openJournal(process.argv[2], { actor: 'refactoring-agent' })
const tx = journal.begin({
  message: 'Move private modules to internal/, rename isArrayLike to isListLike, drop the default bundles',
  tags: ['refactoring'],
})
await stage(tx, JSON.parse(process.argv[3]))

process.once('message', async () => {
  const receipt = await tx.commit()
  process.send({ acknowledged: receipt.tx })
})
process.send({ staged: tx.id })

async function stage(tx, paths) {
  for (const path of paths.filter((path) => path.endsWith('.default.js'))) await tx.remove(path)
  for (const path of paths) {
    if (!path.endsWith('.js') || path.endsWith('.default.js')) continue
    const text = Buffer.from(await tx.read(path)).toString('utf8')
    const target = targetOf(path)
    if (target !== path) await tx.rename(path, target)
    const edits = path.startsWith('_') ? editsOfPrivate(text) : editsOfPublic(text)
    if (edits.length > 0) await tx.edit(target, edits)
  }
  for (const [path, text] of Object.entries(NOTES)) await tx.write(path, text, { mode: 0o644 })
  await tx.chmod('LICENSE', 0o444)
}

function targetOf(path) {
  if (path.startsWith('_')) return `internal/${path.slice(1)}`
  return path === `${NAME}.js` ? `${NEW_NAME}.js` : path
}

/** A public module finds its private ones one folder down. */
function editsOfPublic(text) {
  const edits = [...editsOfName(text)]
  if (text.includes(" from './_")) edits.push({ oldText: " from './_", newText: " from './internal/", all: true })
  const bundle = text.match(/export \{ default \} from '\.\/\w+\.default\.js';\n/)
  if (bundle !== null) edits.push({ oldText: bundle[0], newText: '' })
  return edits
}

/** A private module finds the public ones one folder up, and its own kind beside it. */
function editsOfPrivate(text) {
  const edits = [...editsOfName(text)]
  if (!text.includes(" from './")) return edits
  edits.push({ oldText: " from './", newText: " from '../", all: true })
  if (text.includes(" from './_")) edits.push({ oldText: " from '../_", newText: " from './", all: true })
  return edits
}

/** Every use of the old name, but not of longer names that begin with it (isArrayLikeObject). */
function* editsOfName(text) {
  const followers = new Set([...text.matchAll(new RegExp(`\\b${NAME}(\\W)`, 'g'))].map((match) => match[1]))
  for (const next of followers) yield { oldText: NAME + next, newText: NEW_NAME + next, all: true }
}
