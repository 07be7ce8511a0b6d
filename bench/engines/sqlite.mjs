import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDatabase } from './sqlite-database.mjs'

export const name = 'SQLite + files'

/** The contents in the database, then the files themselves, as the application would write them. */
export async function open(folder) {
  const database = openDatabase(folder)
  async function batch(files) {
    database.record(files)
    for (const { path, content } of files) await writeFile(join(folder, path), content)
  }
  return { batch, one: (file) => batch([file]), close: async () => database.close() }
}
