import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { open as openLmdb } from 'lmdb'

export const name = 'lmdb + files'

/** The contents in one durable LMDB transaction, then the files themselves. Callers that come at the same time share a sync. */
export async function open(folder) {
  const database = openLmdb({ path: join(folder, '.lmdb'), encoding: 'binary' })
  let sequence = 0
  async function batch(files) {
    await database.transaction(() => {
      for (const { path, content } of files) {
        sequence += 1
        database.put(`${sequence} ${path}`, content)
      }
    })
    await database.flushed
    for (const { path, content } of files) await writeFile(join(folder, path), content)
  }
  return { batch, one: (file) => batch([file]), close: () => database.close() }
}
