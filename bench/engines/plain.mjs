import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export const name = 'fs.writeFile'

/** Neither durable nor atomic: what most programs do. */
export async function open(folder) {
  return {
    async batch(files) {
      for (const { path, content } of files) await writeFile(join(folder, path), content)
    },
    one: ({ path, content }) => writeFile(join(folder, path), content),
    async close() {},
  }
}
