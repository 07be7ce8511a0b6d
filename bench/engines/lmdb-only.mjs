import { openDatabase } from './lmdb-database.mjs'

export const name = 'lmdb, no files'

/** The contents in the database, and nowhere else. */
export async function open(folder) {
  const database = openDatabase(folder)
  return { batch: database.record, one: (file) => database.record([file]), close: () => database.close() }
}
