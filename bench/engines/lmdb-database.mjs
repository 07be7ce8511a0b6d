import { join } from 'node:path'
import { open } from 'lmdb'

/** An LMDB database that takes the contents of a batch in one durable transaction. Callers that come at the same time share a sync. */
export function openDatabase(folder) {
  const database = open({ path: join(folder, '.lmdb'), encoding: 'binary' })
  let sequence = 0
  async function record(files) {
    await database.transaction(() => {
      for (const { path, content } of files) {
        sequence += 1
        database.put(`${sequence} ${path}`, content)
      }
    })
    await database.flushed
  }
  return { record, close: () => database.close() }
}
