import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDatabase } from './lmdb-database.mjs'

export const name = 'lmdb + files'

/** The contents in the database, then the files themselves. */
export async function open(folder) {
  const database = openDatabase(folder)
  async function batch(files) {
    await database.record(files)
    for (const { path, content } of files) await writeFile(join(folder, path), content)
  }
  return { batch, one: (file) => batch([file]), close: () => database.close() }
}
