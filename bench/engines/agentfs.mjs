import { join } from 'node:path'
import { AgentFS } from 'agentfs-sdk'

export const name = 'AgentFS'

/** A file system inside a database: the files are nowhere else. One call a file; it has no batches. */
export async function open(folder) {
  const agent = await AgentFS.open({ path: join(folder, '.agentfs.db') })
  const made = new Set()
  async function write({ path, content }) {
    const names = path.split('/').slice(0, -1)
    for (let count = 1; count <= names.length; count += 1) {
      const above = `/${names.slice(0, count).join('/')}`
      if (made.has(above)) continue
      await agent.fs.mkdir(above)
      made.add(above)
    }
    await agent.fs.writeFile(`/${path}`, content)
  }
  return {
    async batch(files) {
      for (const file of files) await write(file)
    },
    one: write,
    close: () => agent.close(),
  }
}
