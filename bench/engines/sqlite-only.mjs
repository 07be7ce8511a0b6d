import { openDatabase } from './sqlite-database.mjs'

export const name = 'SQLite, no files'

/** The contents in the database, and nowhere else. */
export async function open(folder) {
  const database = openDatabase(folder)
  const batch = async (files) => database.record(files)
  return { batch, one: (file) => batch([file]), close: async () => database.close() }
}
