import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'

export const name = 'SQLite + files'

/** The contents in one durable SQLite transaction (WAL, synchronous FULL), then the files themselves, as the application would write them. */
export async function open(folder) {
  const database = new Database(join(folder, '.sqlite'))
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec('CREATE TABLE entry (seq INTEGER PRIMARY KEY, path TEXT NOT NULL, content BLOB NOT NULL)')
  const insert = database.prepare('INSERT INTO entry (path, content) VALUES (?, ?)')
  const record = database.transaction((files) => {
    for (const { path, content } of files) insert.run(path, content)
  })
  async function batch(files) {
    record(files)
    for (const { path, content } of files) await writeFile(join(folder, path), content)
  }
  return {
    batch,
    one: (file) => batch([file]),
    async close() {
      database.close()
    },
  }
}
