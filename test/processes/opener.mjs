/**
 * One process of many that open the same fresh workspaces at the same moment. Told a workspace, it says that it is there; told to go, it opens that, writes a file
 * of its own, and says what it came to.
 */
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist, name] = process.argv.slice(2)
const { openJournal } = await import(pathToFileURL(path.join(dist, 'index.js')).href)

process.on('message', async (root) => {
  try {
    const journal = await openJournal(root)
    const { tx } = await journal.write(`${name}.txt`, name)
    const { id } = journal
    await journal.close()
    process.send({ id, tx })
  } catch (error) {
    process.send({ error: `${error.code} ${error.message}` })
  }
})
process.on('disconnect', () => process.exit())
process.send('ready')
