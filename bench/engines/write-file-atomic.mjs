import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'

export const name = 'write-file-atomic'

/** Each file durable and atomic by itself; nothing holds a batch together. */
export async function open(folder) {
  return {
    async batch(files) {
      for (const { path, content } of files) await writeFileAtomic(join(folder, path), content)
    },
    one: ({ path, content }) => writeFileAtomic(join(folder, path), content),
    async close() {},
  }
}
