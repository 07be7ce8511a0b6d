import { join } from 'node:path'
import Database from 'better-sqlite3'

/** A durable SQLite database (WAL, synchronous FULL) that takes the contents of a batch in one transaction. */
export function openDatabase(folder) {
  const database = new Database(join(folder, '.sqlite'))
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec('CREATE TABLE entry (seq INTEGER PRIMARY KEY, path TEXT NOT NULL, content BLOB NOT NULL)')
  const insert = database.prepare('INSERT INTO entry (path, content) VALUES (?, ?)')
  const record = database.transaction((files) => {
    for (const { path, content } of files) insert.run(path, content)
  })
  return { record, close: () => database.close() }
}
